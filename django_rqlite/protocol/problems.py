"""Sentences about unreadable stored data. Pages can translate them."""

from __future__ import annotations


class Problem(str):
    """An English sentence, or a part of one, that keeps its template and values for translation.

    Attributes:
        template: the text with placeholders such as ``%(name)s``, as in the catalogues.
        values: the values of the placeholders. A value may be a problem itself.
    """

    __slots__ = ("template", "values")

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Problem:
        problem = super().__new__(cls, template % values if values else template)
        problem.template = template
        problem.values = values
        return problem
