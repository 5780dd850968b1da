"""Text for logs and terminals: what would steer them is written out.

Ids, names and descriptions come from Redis, where anybody may have written them. A newline in one
would begin a line of a log that nobody wrote; an escape code would move a terminal's cursor; a mark
that changes the direction of writing would turn the rest of a line around.
"""

from __future__ import annotations

import re

#: C0, DEL and C1; the marks for directions; the separators of lines and paragraphs; and surrogates,
#: which stand for bytes that are no UTF-8.
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape_controls(text: str, *, keep_lines: bool = False) -> str:
    r"""The text with such characters as Python writes them: ``\n``, ``\x1b``, ``\u202e``.

    Args:
        keep_lines: whether newlines and tabs stay, as in a traceback.
    """
    if text.isascii() and text.isprintable():
        return text  # nearly always, and quickly known

    def written(found: re.Match[str]) -> str:
        if keep_lines and found[0] in "\n\t":
            return found[0]
        return found[0].encode("unicode_escape").decode()

    return _STEERING.sub(written, text)
