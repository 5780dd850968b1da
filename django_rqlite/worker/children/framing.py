"""Messages between a worker and its children: a list of byte strings, length-prefixed.

Neither side unpickles what the other sends, so whatever a job writes into its pipe by accident
can at worst fail that job.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_COUNT = struct.Struct(">I")
_LENGTH = struct.Struct(">Q")

#: Parts a message may have; more means that the bytes are no message.
MOST_PARTS = 100_000


class BrokenFrameError(Exception):
    """The bytes are no message of ours. Never leaves this folder."""


def pack(parts: Sequence[bytes]) -> bytes:
    """The message as bytes."""
    lengths = b"".join(_LENGTH.pack(len(part)) for part in parts)
    return b"".join((_COUNT.pack(len(parts)), lengths, *parts))


class Assembler:
    """Puts a message together from what arrives piecemeal."""

    __slots__ = ("_bytes", "_needed")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._needed = _COUNT.size

    def feed(self, data: bytes) -> list[bytes] | None:
        """Take what arrived; give the message once it is complete.

        Raises:
            BrokenFrameError: it can't become one.
        """
        self._bytes += data
        # Only look again when what was known to be missing has come: a large message arrives in
        # many pieces.
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
