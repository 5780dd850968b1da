"""Reads and writes single fields of hashes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import methodcaller
from typing import Any, TypeVar

from . import codec
from .problems import Problem

_T = TypeVar("_T")

#: The types that redis-py accepts as values.
Written = str | bytes | int | float


def _json(stored: bytes) -> object:
    try:
        return json.loads(stored)
    except RecursionError as exc:
        raise ValueError(stored[:40]) from exc


def parse_texts(stored: bytes) -> tuple[str, ...]:
    found = _json(stored)
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ValueError(stored[:40])
    return tuple(found)


def _is_usable(number: object) -> bool:
    return type(number) is int and abs(number) <= codec.LARGEST_NUMBER


def _wholes(stored: bytes) -> tuple[int, ...]:
    numbers = _json(stored)
    if isinstance(numbers, int):
        numbers = [numbers]
    if not isinstance(numbers, list) or not all(map(_is_usable, numbers)):
        raise ValueError(stored[:40])
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class Form:
    """The form in which a value is stored.

    Attributes:
        read: Converts from the stored form. It raises ValueError if it cannot.
        expected: What the field should hold, for people.
        absent: The value of a record without the field.
        write: Converts to the stored form, or to None if the field is to be left out. None: the
            value is stored as it is.
    """

    read: Callable[[bytes], Any]
    expected: str
    absent: Any
    write: Callable[[Any], Written | None] | None = None


def _same(value: Any) -> Any:
    return value


def _flag(stored: bytes) -> bool:
    return bool(codec.whole(stored))


def _if_positive(seconds: int) -> int | None:
    return seconds if seconds > 0 else None


#: Text as bytes. ``methodcaller`` is written in C, and each job has such a text.
encode_text: Callable[[str], bytes] = methodcaller("encode", "utf-8", "replace")


TEXT = Form(codec.text, "", "")
#: Text of the caller, which may have any characters.
FREE_TEXT = Form(codec.text, "", "", encode_text)
TRACEBACK = Form(codec.traceback_text, "", "")
TIME = Form(codec.moment, Problem("a time"), None)
WHOLE = Form(codec.whole, Problem("a whole number"), None)
COUNT = Form(codec.whole, Problem("a whole number"), 0)
#: The ttl of a job that has run is −1, which does not apply to its next run.
TTL = Form(codec.whole, Problem("a whole number"), None, _if_positive)
FLAG = Form(_flag, Problem("a whole number"), False, int)
WHOLES = Form(_wholes, Problem("a list of whole numbers"), (), json.dumps)
TEXTS = Form(parse_texts, Problem("a list of texts"), (), json.dumps)
BYTES = Form(_same, "", None)


@dataclass(frozen=True, slots=True)
class StoredField:
    """How an attribute of a job's record is stored.

    Attributes:
        attribute: The name of the attribute.
        field: The name of the field in the hash.
        form: How the value is read and written.
        by_client: Whether the client that enqueues the job writes the field. The scripts write all
            other fields.
        signed: Whether the value is part of the job's terms; see :mod:`.signed_terms`.
        copied: Whether a copy of the job has the value, too.
        beside: The attribute with which the field is always written together.
        otherwise: What is written if this value is absent and the other is not. None: neither field
            is written.
    """

    attribute: str
    field: str
    form: Form
    by_client: bool
    signed: bool
    copied: bool
    beside: str
    otherwise: Any


def stored_as(
    form: Form,
    name: str = "",
    *,
    by_client: bool = False,
    signed: bool = False,
    copied: bool | None = None,
    beside: str = "",
    otherwise: object = None,
) -> Any:
    """Declare an attribute of a record that is stored in a field; see :class:`StoredField`.

    Args:
        name: The name of the field; ``""``: the name of the attribute.
        copied: None: the same as ``by_client``.
    """
    column = {
        "field": name,
        "form": form,
        "by_client": by_client,
        "signed": signed,
        "copied": by_client if copied is None else copied,
        "beside": beside,
        "otherwise": otherwise,
    }
    return field(default=form.absent, metadata=column)


class FieldReader:
    """Reads the fields of one hash, and collects sentences about those that it cannot read."""

    __slots__ = ("fields", "problems")

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        self.fields = fields
        self.problems: list[str] = []

    def _parsed(self, name: str, parse: Callable[[bytes], _T], expected: str) -> _T | None:
        stored = self.fields.get(name.encode())
        if stored is None or stored == b"":
            return None
        try:
            return parse(stored)
        except ValueError:
            self.problems.append(unreadable(name, stored, expected))
            return None

    def text(self, name: str) -> str:
        return codec.text(self.fields.get(name.encode(), b""))

    def whole(self, name: str) -> int | None:
        return self._parsed(name, codec.whole, Problem("a whole number"))

    def number(self, name: str) -> float | None:
        return self._parsed(name, codec.number, Problem("a number"))

    def moment(self, name: str) -> datetime | None:
        return self._parsed(name, codec.moment, Problem("a time"))

    def unix_moment(self, name: str) -> datetime | None:
        return self._parsed(name, codec.unix_moment, Problem("unix seconds"))


def unreadable(name: str, stored: bytes, expected: str) -> Problem:
    """Return a sentence about a field that cannot be read."""
    return Problem(
        "its field %(name)s holds %(value)s instead of %(expected)s",
        name=repr(name),
        value=repr(codec.text(stored[:40])),
        expected=expected,
    )


def optional_text(fields: Mapping[bytes, bytes], name: bytes) -> str | None:
    """Return the text of a field, or None if the hash does not have it."""
    stored = fields.get(name)
    return None if stored is None else codec.text(stored)
