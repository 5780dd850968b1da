"""Read, update and compile the catalogues in django_rqlite/locale.

English has no catalogue: the messages in the code are English.
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

#: The head of a new catalogue.
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
    """The languages that have a catalogue, by the names of their folders: ``zh_Hans``."""
    return sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po"))


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def mo_path(language: str) -> Path:
    return po_path(language).with_suffix(".mo")


def read(text: str, language: str) -> Catalog:
    """A catalogue from the text of its .po file."""
    return read_po(StringIO(text), locale=language, abort_invalid=True)


def new_catalogue(language: str) -> str:
    """The text of a catalogue without messages."""
    locale = Locale.parse(language)
    return HEADER.format(
        name=locale.english_name,
        language=language,
        plural_forms=Catalog(locale=locale).plural_forms,
    )


def merged(text: str, language: str, messages: Catalog) -> str:
    """The text of the .po file with exactly these messages.

    A new message that resembles a removed one takes its translation, marked as fuzzy.
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
    # Keep the header. Babel would write the current time and its own version.
    header = text.partition("\n\n")[0].rstrip("\n")
    return f"{header}\n\n{out.getvalue().decode().strip()}\n"


def compiled(text: str, language: str) -> bytes:
    """The content of the .mo file: the same bytes for the same text."""
    catalog = _Compiled(locale=language, creation_date=datetime.fromtimestamp(0, UTC))
    for message in read(text, language):
        if message.id:
            catalog[message.id] = message
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def untranslated(text: str, language: str) -> list[Message]:
    """The messages without a translation, or with one that is marked as fuzzy."""
    return [
        each
        for each in read(text, language)
        if each.id and (each.fuzzy or not _is_translated(each))
    ]


def _is_translated(message: Message) -> bool:
    forms: Any = message.string
    return bool(forms) if isinstance(forms, str) else all(forms)


class _Compiled(Catalog):
    """A catalogue with the headers that gettext reads, without the time and Babel's version."""

    mime_headers = property(
        lambda self: [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Plural-Forms", self.plural_forms),
        ]
    )
