"""Extracts the messages from the modules and the templates of the package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.utils.translation.template import templatize

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "django_rqlite"

#: Functions of Django, and which of their arguments are messages or a context ("c").
FUNCTIONS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
    # The problems that the engine and the read model find are translated where they are shown.
    "Problem": None,
}

#: The beginning of comments for translators.
TAG = "Translators:"


def extracted() -> Catalog:
    """Every message of the package, in the order of files and lines."""
    catalog = Catalog()
    for path, source in _sources():
        place = path.relative_to(REPOSITORY).as_posix()
        for _line, message, comments, context in extract(
            "python", BytesIO(source.encode()), keywords=FUNCTIONS, comment_tags=[TAG]
        ):
            # Without line numbers, so that a change of the code does not change every catalogue.
            catalog.add(message, locations=[(place, 0)], auto_comments=comments, context=context)
    return catalog


def _sources() -> Iterator[tuple[Path, str]]:
    """Each file that may have messages, as Python source."""
    kinds: dict[str, Callable[[str], str]] = {"*.py": str, "*.html": _as_python}
    for pattern, read in kinds.items():
        for path in sorted(PACKAGE.rglob(pattern)):
            yield path, read(path.read_text("utf-8"))


def _as_python(template: str) -> str:
    """A template as Python source: ``templatize`` turns its tags into calls of gettext."""
    return "\n".join(line.lstrip() for line in templatize(template).splitlines())
