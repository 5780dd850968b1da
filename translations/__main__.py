"""``make translations``: bring every catalogue up to date with the code, and compile it.

``make translations ARGS=de`` creates one for German.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .catalogues import compiled, languages, merged, mo_path, new_catalogue, po_path, untranslated
from .extraction import REPOSITORY, extracted


def main(new: Sequence[str]) -> int:
    """Update and compile the catalogues, and print the messages that need a translation.

    Returns:
        The exit code: 1 where a message needs a translation.
    """
    messages = extracted()
    missing = 0
    for language in sorted({*languages(), *new}):
        path = po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8") if path.exists() else new_catalogue(language)
        text = merged(text, language, messages)
        path.write_text(text, "utf-8")
        mo_path(language).write_bytes(compiled(text, language))
        pending = untranslated(text, language)
        for message in pending:
            print(f"  {'fuzzy' if message.fuzzy else 'new'}: {message.id!r}")
        print(
            f"{path.relative_to(REPOSITORY)}: {len(messages)} messages, {len(pending)} to translate"
        )
        missing += len(pending)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
