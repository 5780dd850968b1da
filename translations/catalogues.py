"""The catalogues in django_rqlite/locale: read, brought up to date, written and compiled.

English has none: it is the language of the messages themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from babel.core import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from .extraction import PACKAGE

LOCALE = PACKAGE / "locale"

#: What stands at the top of a new catalogue.
HEADER = """\
# {name}, for django_rqlite. "make translations" keeps this file up to date.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"
"""


def languages() -> list[str]:
    """Those that have a catalogue, as the folders are called: ``zh_Hans``."""
    return sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po"))


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def mo_path(language: str) -> Path:
    return po_path(language).with_suffix(".mo")


def read(text: str, language: str) -> Catalog:
    """A catalogue from the text of its .po file."""
    return read_po(StringIO(text), locale=language, abort_invalid=True)


def begun(language: str) -> str:
    """The text of a catalogue that has no messages yet."""
    locale = Locale.parse(language)
    return HEADER.format(
        name=locale.english_name,
        language=language,
        plural_forms=Catalog(locale=locale).plural_forms,
    )


def merged(text: str, language: str, messages: Catalog) -> str:
    """The text of the .po file with the messages that there are now, and no others.

    What is new and like something old takes its translation, marked as fuzzy.
    """
    catalog = read(text, language)
    catalog.update(messages)
    out = BytesIO()
    write_po(
        out,
        catalog,
        width=100,
        omit_header=True,
        ignore_obsolete=True,
        include_previous=True,
        include_lineno=False,
    )
    # As it was: Babel would write the time and its own version, and change every time.
    header = text.partition("\n\n")[0].rstrip("\n")
    return f"{header}\n\n{out.getvalue().decode().strip()}\n"


def compiled(text: str, language: str) -> bytes:
    """The .mo file, the same bytes for the same text."""
    catalog = _Compiled(locale=language, creation_date=datetime.fromtimestamp(0, UTC))
    for message in read(text, language):
        if message.id:
            catalog[message.id] = message
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def untranslated(text: str, language: str) -> list[Message]:
    """Messages that somebody has to look at."""
    return [each for each in read(text, language) if each.id and (each.fuzzy or not _said(each))]


def _said(message: Message) -> bool:
    forms: Any = message.string
    return bool(forms) if isinstance(forms, str) else all(forms)


class _Compiled(Catalog):
    """With the headers that gettext reads, and none of Babel's version or the time."""

    mime_headers = property(
        lambda self: [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Plural-Forms", self.plural_forms),
        ]
    )
