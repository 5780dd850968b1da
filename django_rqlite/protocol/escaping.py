"""Escapes control characters in text for logs and terminals.

Ids, names and descriptions come from Redis, where anybody may have written them. A newline could
forge a line of the log, an escape code could move the cursor of a terminal, and a mark that changes
the direction of writing could reverse the rest of a line.
"""

from __future__ import annotations

import re

#: C0, DEL and C1; the marks for directions; the separators of lines and paragraphs; and surrogates,
#: which stand for bytes that are not UTF-8.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape_controls(text: str, *, keep_lines: bool = False) -> str:
    r"""The text with control characters as Python writes them: ``\n``, ``\x1b``, ``\u202e``.

    Args:
        keep_lines: whether newlines and tabs stay, as in a traceback.
    """
    if text.isascii() and text.isprintable():
        return text  # the usual case, which is quick to check

    def escaped(found: re.Match[str]) -> str:
        if keep_lines and found[0] in "\n\t":
            return found[0]
        return found[0].encode("unicode_escape").decode()

    return _CONTROLS.sub(escaped, text)
