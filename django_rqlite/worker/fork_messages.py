"""What a worker and its fork server say to each other: records of one size.

Children are known by numbers that the worker chooses, never by process ids: the system may give an
id away again between a death and the moment the worker hears of it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_RECORD = struct.Struct("=cQiQ")

#: Bytes of one record.
SIZE = _RECORD.size

_FORK, _KILL, _DIED, _REFUSED = b"F", b"K", b"D", b"R"


@dataclass(frozen=True, slots=True)
class Fork:
    """To the server: make a child; the descriptor of its channel comes along."""

    number: int


@dataclass(frozen=True, slots=True)
class Kill:
    """To the server: kill a child and all that it started."""

    number: int


@dataclass(frozen=True, slots=True)
class Died:
    """From the server: a child has ended.

    Attributes:
        status: as :func:`os.waitpid` gives it.
        peak: its largest resident memory, as ``ru_maxrss`` gives it.
    """

    number: int
    status: int
    peak: int


@dataclass(frozen=True, slots=True)
class Refused:
    """From the server: the system would make no process.

    Attributes:
        errno: why.
    """

    number: int
    errno: int


Message = Fork | Kill | Died | Refused


def pack(message: Message) -> bytes:
    """The message as a record."""
    match message:
        case Fork(number):
            return _RECORD.pack(_FORK, number, 0, 0)
        case Kill(number):
            return _RECORD.pack(_KILL, number, 0, 0)
        case Died(number, status, peak):
            return _RECORD.pack(_DIED, number, status, peak)
        case Refused(number, errno):
            return _RECORD.pack(_REFUSED, number, errno, 0)


def unpack(buffer: bytearray) -> Iterator[Message]:
    """Take the messages that have arrived in full out of ``buffer``."""
    while len(buffer) >= SIZE:
        kind, number, first, second = _RECORD.unpack_from(buffer)
        del buffer[:SIZE]
        if kind == _FORK:
            yield Fork(number)
        elif kind == _KILL:
            yield Kill(number)
        elif kind == _DIED:
            yield Died(number, first, second)
        elif kind == _REFUSED:
            yield Refused(number, first)
        else:
            raise ValueError(f"{kind!r} begins no message between a worker and its fork server")
