"""What is wrong with something stored, as a sentence that pages can put into other languages."""

from __future__ import annotations


class Problem(str):
    """An English sentence, or a part of one, that remembers what it was made of.

    Attributes:
        template: with places like ``%(name)s``; the catalogues of translations have it.
        values: what stands in the places. A value may be a problem itself.
    """

    __slots__ = ("template", "values")

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Problem:
        problem = super().__new__(cls, template % values if values else template)
        problem.template = template
        problem.values = values
        return problem
