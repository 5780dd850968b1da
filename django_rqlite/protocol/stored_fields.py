"""How fields of hashes are read and written."""

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

#: What redis-py writes.
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
    """A form in which values are stored.

    Attributes:
        read: From the stored form. Raises ValueError.
        expected: What should stand there, for people.
        absent: What a record holds where the field is missing.
        write: To the stored form; gives None where the field is to be left out. None: as it is.
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


#: Text as bytes. It is written in C, since each job has such a text.
encode_text: Callable[[str], bytes] = methodcaller("encode", "utf-8", "replace")


TEXT = Form(codec.text, "", "")
#: Text of the caller's, which may hold anything.
FREE_TEXT = Form(codec.text, "", "", encode_text)
TRACEBACK = Form(codec.traceback_text, "", "")
TIME = Form(codec.moment, Problem("a time"), None)
WHOLE = Form(codec.whole, Problem("a whole number"), None)
COUNT = Form(codec.whole, Problem("a whole number"), 0)
#: The ttl of a job that has run is −1, which says nothing about its next run.
TTL = Form(codec.whole, Problem("a whole number"), None, _if_positive)
FLAG = Form(_flag, Problem("a whole number"), False, int)
WHOLES = Form(_wholes, Problem("a list of whole numbers"), (), json.dumps)
TEXTS = Form(parse_texts, Problem("a list of texts"), (), json.dumps)
BYTES = Form(_same, "", None)


@dataclass(frozen=True, slots=True)
class StoredField:
    """How an attribute of a job's record is stored.

    Attributes:
        attribute: Its name in the record.
        field: Its name in the hash.
        by_client: Whether who enqueues the job writes it. The scripts write all others.
        signed: Whether it is part of the job's terms; see :mod:`.signed_terms`.
        copied: Whether a copy of the job has it too.
        beside: The attribute that it is written together with, and never without.
        otherwise: What is then written if it is absent. None: neither of the two is written.
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
    """An attribute of a record that is stored in a field; see :class:`StoredField`.

    Args:
        name: Of the field; "": the attribute's own.
        copied: None: if the client writes it.
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
    """Reads the fields of one hash and remembers what it could not read."""

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
    """Return the sentence about a field that holds something else than it should."""
    return Problem(
        "its field %(name)s holds %(value)s instead of %(expected)s",
        name=repr(name),
        value=repr(codec.text(stored[:40])),
        expected=expected,
    )


def optional_text(fields: Mapping[bytes, bytes], name: bytes) -> str | None:
    """Return the text of a field; None where the hash does not have it."""
    stored = fields.get(name)
    return None if stored is None else codec.text(stored)
