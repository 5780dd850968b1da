"""Shows serialized values as text without loading them.

Nothing that the bytes name is imported or called. The time and the length of the text are limited,
whatever the bytes are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from . import codec, pickle_reader
from .pickle_reader import UnresolvedCall, UnresolvedName


def load(payload: bytes) -> Any:
    """The value as plain data.

    Args:
        payload: a pickle, or JSON text; compressed or not.

    Raises:
        ValueError: it is neither, or unpacks to more than :data:`.codec.SHOWN` bytes.
    """
    payload, more = codec.head(payload, codec.SHOWN)
    if more:
        raise ValueError(f"it unpacks to more than {codec.SHOWN:,} bytes")
    if payload[:1] != b"\x80":
        try:
            return json.loads(payload)
        except (ValueError, RecursionError):
            pass  # pickles of protocols 0 and 1 have no mark at their beginning
    try:
        return pickle_reader.read(payload)
    except pickle_reader.UnreadablePickleError as exc:
        raise ValueError(f"neither a pickle nor JSON ({exc})") from exc


def show(value: Any, limit: int = 2000) -> str:
    """A value as text in Python's notation, cut off after about ``limit`` characters."""
    pieces: list[str] = []
    left = limit
    for piece in _pieces(value, depth=0):
        pieces.append(piece[: max(left, 0)])
        left -= len(piece)
        if left < 0:
            pieces.append("…")
            break
    return "".join(pieces)


_DEEPEST = 20
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


def _pieces(value: Any, depth: int) -> Iterator[str]:
    """The text in pieces, so that the caller can stop at any point.

    A small pickle can describe a value whose full text would fill the memory.
    """
    if depth > _DEEPEST:
        yield "…"
    elif isinstance(value, UnresolvedCall):
        yield f"{value.name}("
        yield from _joined(value.args, depth)
        yield ")"
        if value.items:
            yield from _pieces(value.items, depth + 1)
        if value.state is not None:
            yield " "
            yield from _pieces(value.state, depth + 1)
    elif isinstance(value, UnresolvedName):
        yield value.name
    elif type(value) in _BRACKETS:
        opening, closing = _BRACKETS[type(value)]
        if not value and not isinstance(value, list | tuple):
            opening, closing = f"{type(value).__name__}(", ")"
        yield opening
        yield from _joined(value, depth)
        yield f",{closing}" if type(value) is tuple and len(value) == 1 else closing
    elif type(value) is dict:
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            if number:
                yield ", "
            yield from _pieces(key, depth + 1)
            yield ": "
            yield from _pieces(item, depth + 1)
        yield "}"
    elif isinstance(value, str | bytes | bytearray):
        yield repr(value[:2000]) + ("…" if len(value) > 2000 else "")
    elif isinstance(value, int) and value.bit_length() > 4000:
        yield "<a very large number>"
    else:
        yield repr(value)


def _joined(values: Any, depth: int) -> Iterator[str]:
    for number, item in enumerate(values):
        if number:
            yield ", "
        yield from _pieces(item, depth + 1)
