"""Names and ids as one segment of a URL, and back.

Names found in Redis may be any bytes: with slashes, with a question mark, no UTF-8. The form is
that of :func:`django.contrib.admin.utils.quote` (``_XX`` for what is special), so that the links
of the admin's own log work too, and it holds bytes that Django's function has no form for.
"""

from __future__ import annotations

import re

#: Characters above which a name is not linked: some servers refuse longer addresses.
LONGEST = 500

_ESCAPED = re.compile(rb"_([0-9A-Fa-f]{2})")


def segment(name: str) -> str:
    """``name`` as text that has no slash and is neither empty, ``.`` nor ``..``."""
    if not name:
        return "_"
    if name in (".", ".."):
        return "_2E" * len(name)
    return "".join(
        letter
        if letter.isalnum() or letter in "-."
        else "".join(f"_{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))
        for letter in name
    )


def from_segment(text: str) -> str:
    """The reverse of :func:`segment`, for any text."""
    if text == "_":
        return ""
    stored = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode())
    return stored.decode("utf-8", "surrogateescape")
