"""Encodes and decodes single values of the layout.

Readers accept every form that RQ 0.5 to 2.12 wrote. Writers use the one form that all releases
read.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

#: Bytes above which ``data`` is compressed. Below, zlib costs time and saves little memory.
COMPRESS_ABOVE = 1024

#: The maximum number of bytes to which a compressed value may unpack. A few bytes can unpack to any
#: number of bytes. No value in Redis is longer than this.
LONGEST = 512 * 1024 * 1024

#: Bytes that are unpacked at once if the value is not needed as a whole.
PIECE = 256 * 1024

#: The maximum number of bytes to which a traceback, or another value on a page, is unpacked; and
#: all values of one page together.
SHOWN = 1024 * 1024
SHOWN_TOGETHER = 8 * SHOWN

#: The largest absolute value of a stored number: the bytes of a petabyte, the seconds of thirty
#: million years. With "inf", "nan" or four hundred digits, some later calculation would overflow.
LARGEST_NUMBER = 10**15

#: What RQ shows for a ``meta`` that it cannot decode (rq/job.py: ``restore``).
UNDECODABLE_META = "unserialized"


def compress(payload: bytes) -> bytes:
    """``payload``, compressed if that makes it shorter, or if it looks compressed already."""
    ambiguous = _begins_like_zlib(payload)  # a project's own serializer may compress
    if len(payload) <= COMPRESS_ABOVE and not ambiguous:
        return payload
    packed = zlib.compress(payload)
    return packed if ambiguous or len(packed) < len(payload) else payload


def head(stored: bytes, longest: int) -> tuple[bytes, bool]:
    """The first ``longest`` bytes of a value, unpacked. No more than that is ever unpacked.

    RQ always compresses; :func:`compress` does so only for long values. No pickle and no JSON text
    begins like a zlib stream, so there is no ambiguity.

    Returns:
        the bytes, and whether there are more. A value that is not compressed, or is broken, is
        returned unchanged.
    """
    if not _begins_like_zlib(stored):
        return stored, False
    stream = zlib.decompressobj()
    try:
        # One more byte shows whether there are more. It also avoids 0, which means no limit to
        # zlib.
        payload = stream.decompress(stored, longest + 1)
    except zlib.error:
        return stored, False
    if len(payload) > longest:
        return payload[:longest], True
    return (payload, False) if stream.eof else (stored, False)


def pieces(stored: bytes) -> bytes | Pieces:
    """The value as :func:`head` gives it, to be unpacked in pieces later."""
    return Pieces(stored) if _begins_like_zlib(stored) else stored


class Pieces:
    """A compressed value that is unpacked in pieces, which are not kept.

    So a signature can be checked before the whole value is in memory.
    """

    __slots__ = ("_stored",)

    def __init__(self, stored: bytes) -> None:
        self._stored = stored

    def __iter__(self) -> Iterator[bytes]:
        """The pieces.

        Raises:
            ValueError: at the end, if the compressed bytes are broken, or unpack to more than
                :data:`LONGEST`.
        """
        stream, left, total = zlib.decompressobj(), self._stored, 0
        while not stream.eof and left and total <= LONGEST:
            try:
                piece = stream.decompress(left, PIECE)
            except zlib.error as exc:
                raise ValueError(str(exc)) from exc
            left, total = stream.unconsumed_tail, total + len(piece)
            yield piece
        # The stream may have consumed all input and still have output.
        while not stream.eof and total <= LONGEST:
            piece = stream.decompress(b"", PIECE)
            if not piece:
                raise ValueError("the compressed bytes are incomplete")
            total += len(piece)
            yield piece
        if total > LONGEST:
            raise ValueError(f"the compressed bytes unpack to more than {LONGEST}")


def _begins_like_zlib(content: bytes) -> bool:
    # RFC 1950: method 8, and a checksum of the first two bytes.
    return content[:1] != b"" and content[0] & 15 == 8 and int.from_bytes(content[:2]) % 31 == 0


def text(stored: bytes) -> str:
    """Bytes as text. Bytes that are not UTF-8 are escaped."""
    return stored.decode("utf-8", "backslashreplace")


def decode(stored: bytes) -> str:
    """An id, a name or a key as text. It accepts any bytes, and :func:`encode` restores them."""
    return stored.decode("utf-8", "surrogateescape")


def encode(name: str) -> bytes:
    """The bytes from which :func:`decode` made the text."""
    return name.encode("utf-8", "surrogateescape")


class Room:
    """A limit on the unpacked bytes of several values, such as those of one page.

    Args:
        left: the bytes for all values. A single value gets at most :data:`SHOWN`.
    """

    __slots__ = ("left",)

    def __init__(self, left: int = SHOWN) -> None:
        self.left = left

    def head(self, stored: bytes) -> tuple[bytes, bool]:
        """As :func:`head`, within the limit."""
        payload, more = head(stored, min(self.left, SHOWN))
        if payload is not stored:
            self.left -= len(payload)
        return payload, more


def traceback_text(stored: bytes, room: Room | None = None) -> str:
    """``exc_info``: plain text here and in RQ 0.5, zlib in RQ 2.

    Args:
        room: the limit; None: :data:`SHOWN` bytes. If the text is cut off, it ends with a note.
    """
    unpacked, more = (room or Room()).head(stored)
    if not more:
        return text(unpacked)
    size = f"{len(unpacked):,}"
    return f"{text(unpacked)}\n... the rest is left out: this unpacks to more than {size} bytes"


def base64_payload(payload: bytes) -> bytes:
    """A result in the form of the stream of RQ 2.12 (rq/results.py)."""
    return base64.b64encode(payload)


def base64_traceback(traceback: str) -> bytes:
    """A traceback in the form of the stream of RQ 2.12 (rq/results.py)."""
    return base64.b64encode(zlib.compress(traceback.encode("utf-8", "replace")))


def from_base64(stored: bytes) -> bytes:
    """The bytes of a field of the stream, or the field itself if it is not base64."""
    try:
        return base64.b64decode(stored, validate=True)
    except binascii.Error:
        return stored


def timestamp(moment: datetime) -> str:
    """A time in UTC with whole seconds, for every release of RQ: ``2015-11-03T02:42:35Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole(stored: bytes) -> int:
    """A whole number up to :data:`LARGEST_NUMBER`.

    Raises:
        ValueError: the bytes are not such a number.
    """
    found = int(stored)
    if abs(found) > LARGEST_NUMBER:
        raise ValueError(f"more than {LARGEST_NUMBER}")
    return found


def number(stored: bytes) -> float:
    """A number up to :data:`LARGEST_NUMBER`.

    Raises:
        ValueError: the bytes are not such a number.
    """
    found = float(stored)
    if not abs(found) <= LARGEST_NUMBER:  # "nan" too
        raise ValueError(f"more than {LARGEST_NUMBER}")
    return found


@lru_cache(maxsize=32)
def moment(stored: bytes) -> datetime | None:
    """A point in time, or None for an empty field.

    The results are cached, because jobs of the same second have the same times.

    Raises:
        ValueError: the bytes are not a timestamp.
    """
    if not stored:
        return None
    parsed = datetime.fromisoformat(stored.decode("ascii"))
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(str(exc)) from exc


def precise(whole: datetime, microseconds: int) -> datetime:
    """A time that is stored in whole seconds, with its microseconds.

    Args:
        whole: the stored time.
        microseconds: unix microseconds of the same time. If RQ has written another time later,
            ``whole`` counts.
    """
    seconds, rest = divmod(microseconds, 1_000_000)
    if whole.microsecond or whole.timestamp() != seconds:
        return whole
    return whole + timedelta(0, 0, rest)  # faster than replace()


@lru_cache(maxsize=16)
def micro_moment(text: str) -> datetime | None:
    """A point in time from unix microseconds, or None for an empty text.

    Cached, because the jobs of one script share it.

    Raises:
        ValueError: the text is not a number, or the date is not in the calendar.
    """
    if not text:
        return None
    seconds, rest = divmod(int(text), 1_000_000)
    return _second(seconds) + timedelta(0, 0, rest)


@lru_cache(maxsize=32)
def _second(seconds: int) -> datetime:
    """The time of a unix second. Cached, because jobs that are enqueued together share it."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as exc:
        raise ValueError(str(exc)) from exc


def unix_moment(stored: bytes) -> datetime | None:
    """A point in time from unix seconds, or None for an empty field.

    Raises:
        ValueError: the bytes are not a number, or the date is not in the calendar.
    """
    try:
        return datetime.fromtimestamp(float(stored), UTC) if stored else None
    except (OverflowError, OSError) as exc:
        raise ValueError(str(exc)) from exc
