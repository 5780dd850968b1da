"""Frames between a worker and its children: a list of byte strings, each with its length.

The worker does not unpickle any part of a frame. So if a job writes bytes into the pipe by
accident, that job may fail, but they do no other harm.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_COUNT = struct.Struct(">I")
_LENGTH = struct.Struct(">Q")

#: The highest number of parts in a frame. A higher one means that the bytes are not a frame.
MOST_PARTS = 100_000


class BrokenFrameError(Exception):
    """The bytes are not a frame, or not one of our messages. Not raised outside this package."""


def pack(parts: Sequence[bytes]) -> bytes:
    """Return the frame as bytes."""
    lengths = b"".join(_LENGTH.pack(len(part)) for part in parts)
    return b"".join((_COUNT.pack(len(parts)), lengths, *parts))


class Assembler:
    """Assembles frames from the pieces in which they arrive."""

    __slots__ = ("_bytes", "_needed")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._needed = _COUNT.size

    def feed(self, data: bytes) -> list[bytes] | None:
        """Add a piece. Return the parts of the frame once it is complete, else None.

        Raises:
            BrokenFrameError: The bytes are not a frame.
        """
        self._bytes += data
        # A large frame arrives in many pieces. It is parsed again only when the bytes that were
        # missing have come.
        while len(self._bytes) >= self._needed:
            (count,) = _COUNT.unpack_from(self._bytes)
            if count > MOST_PARTS:
                raise BrokenFrameError
            head = _COUNT.size + count * _LENGTH.size
            if len(self._bytes) < head:
                self._needed = head
                continue
            lengths = [
                _LENGTH.unpack_from(self._bytes, _COUNT.size + number * _LENGTH.size)[0]
                for number in range(count)
            ]
            total = head + sum(lengths)
            if len(self._bytes) < total:
                self._needed = total
                continue
            parts, at = [], head
            for length in lengths:
                parts.append(bytes(self._bytes[at : at + length]))
                at += length
            del self._bytes[:total]
            self._needed = _COUNT.size
            return parts
        return None
