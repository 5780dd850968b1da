"""Looking at serialized values without bringing them to life.

A pickle is a program: loading it imports modules and calls what it finds there. For pages, the
same bytes are read by an unpickler that resolves no name. Every class or function becomes an
:class:`Inert` stand-in which remembers how it would have been called, and the text made of the
value is bounded, however the bytes were crafted.
"""

from __future__ import annotations

import datetime
import decimal
import io
import json
import pickle
import uuid
from collections.abc import Iterator
from typing import Any

from . import codec

#: Plain values of the standard library, made by harmless constructors. Nothing is imported for
#: them when a pickle is read, and none of them can call anything else.
_VALUES: dict[tuple[str, str], Any] = {
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("datetime", "date"): datetime.date,
    ("datetime", "datetime"): datetime.datetime,
    ("datetime", "time"): datetime.time,
    ("datetime", "timedelta"): datetime.timedelta,
    ("datetime", "timezone"): datetime.timezone,
    ("decimal", "Decimal"): decimal.Decimal,
    ("uuid", "UUID"): uuid.UUID,
}


class Inert:
    """A stand-in for an object of a class, or the result of a function, that was not resolved."""

    _name = "?"

    def __new__(cls, *args: Any, **kwargs: Any) -> Inert:
        made = super().__new__(cls)
        made._args = (*args, *kwargs.items())
        made._state = None
        made._items = []
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what the original would take."""

    _args: tuple[Any, ...]
    _state: Any
    _items: list[Any]

    def __setstate__(self, state: Any) -> None:
        self._state = state

    def append(self, item: Any) -> None:
        self._items.append(item)

    def extend(self, items: Any) -> None:
        self._items.extend(items)

    def add(self, item: Any) -> None:
        self._items.append(item)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._items.append((key, value))

    # Stand-ins may become keys of dictionaries, as their originals were.
    __hash__ = object.__hash__


class _InertUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return _encoded  # how protocol 2 spells bytes
        known = _VALUES.get((module, name))
        return known or type("Inert", (Inert,), {"_name": f"{module}.{name}"})

    def persistent_load(self, pid: Any) -> Any:
        return type("Inert", (Inert,), {"_name": "persistent"})(pid)


def _encoded(content: Any, encoding: Any = "latin1") -> Any:
    return content.encode("latin1") if isinstance(content, str) else content


def load(payload: bytes) -> Any:
    """The value as inert data.

    Args:
        payload: a pickle, or JSON text; compressed or not.

    Raises:
        ValueError: it is neither.
    """
    payload = codec.decompress(payload)
    if payload[:1] != b"\x80":
        try:
            return json.loads(payload)
        except (ValueError, RecursionError):
            pass  # pickles of protocol 0 and 1 have no mark to know them by
    try:
        return _InertUnpickler(io.BytesIO(payload)).load()
    except Exception as exc:
        raise ValueError(f"neither a pickle nor JSON ({type(exc).__name__}: {exc})") from exc


def show(value: Any, limit: int = 2000) -> str:
    """A value as text that reads like Python, cut off after about ``limit`` characters."""
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
    frozenset: ("{", "}"),
}


def _pieces(value: Any, depth: int) -> Iterator[str]:
    """The text piecemeal, so that whoever has enough stops reading: a small pickle can describe
    a value whose full text would fill the memory."""
    if depth > _DEEPEST:
        yield "…"
    elif isinstance(value, Inert):
        yield f"{value._name}("
        yield from _joined(value._args, depth)
        yield ")"
        if value._items:
            yield from _pieces(value._items, depth + 1)
        if value._state is not None:
            yield " "
            yield from _pieces(value._state, depth + 1)
    elif isinstance(value, type) and issubclass(value, Inert):
        yield value._name
    elif type(value) in _BRACKETS:
        opening, closing = _BRACKETS[type(value)]
        yield opening
        yield from _joined(value, depth)
        yield closing
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
