"""``make translations``: bring every catalogue up to date with the code, and compile it.

``make translations ARGS=de`` begins one in German.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .catalogues import begun, compiled, languages, merged, mo_path, po_path, untranslated
from .extraction import REPOSITORY, extracted


def main(new: Sequence[str]) -> int:
    """Returns 1 where somebody has to translate something, and says what."""
    messages = extracted()
    missing = 0
    for language in sorted({*languages(), *new}):
        path = po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8") if path.exists() else begun(language)
        text = merged(text, language, messages)
        path.write_text(text, "utf-8")
        mo_path(language).write_bytes(compiled(text, language))
        todo = untranslated(text, language)
        for message in todo:
            print(f"  {'fuzzy' if message.fuzzy else 'new'}: {message.id!r}")
        print(f"{path.relative_to(REPOSITORY)}: {len(messages)} messages, {len(todo)} to translate")
        missing += len(todo)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
