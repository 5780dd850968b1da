"""Single values of the layout, to bytes and back.

Readers accept every form that a release of RQ from 0.5 to 2.12 wrote; writers use the one form
that all of them read.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

#: Bytes above which ``data`` is compressed: below, zlib costs more time than it saves memory.
COMPRESS_ABOVE = 1024

#: Bytes that compressed ones may become. A few of them can claim to be any number; Redis itself
#: holds no value longer than this.
LONGEST = 512 * 1024 * 1024

#: Bytes that are unpacked at once where a value need not be held as a whole.
PIECE = 256 * 1024

#: Bytes that a traceback, and whatever a page shows, is unpacked to at the most; and all
#: tracebacks of one page.
SHOWN = 1024 * 1024
SHOWN_TOGETHER = 8 * SHOWN

#: What no stored number is larger than, in either direction: bytes of a petabyte, seconds of
#: thirty million years. Python would calculate with "inf", "nan" or four hundred digits until some
#: function has no room for the result.
LARGEST_NUMBER = 10**15

#: What RQ shows for a ``meta`` it can't decode (rq/job.py: ``restore``).
UNDECODABLE_META = "unserialized"


def compress(payload: bytes) -> bytes:
    """``payload``, compressed where it pays, or where it would be taken for compressed."""
    ambiguous = _begins_like_zlib(payload)  # a project's own serializer may compress
    if len(payload) <= COMPRESS_ABOVE and not ambiguous:
        return payload
    packed = zlib.compress(payload)
    return packed if ambiguous or len(packed) < len(payload) else payload


def head(stored: bytes, longest: int) -> tuple[bytes, bool]:
    """The first ``longest`` bytes of what :func:`compress` made, or RQ, which always compresses; no
    more is ever unpacked.

    No pickle and no JSON text begins like a zlib stream, so trying is unambiguous.

    Returns:
        the bytes, and whether there are more. What is not compressed, or broken, stays as it is.
    """
    if not _begins_like_zlib(stored):
        return stored, False
    stream = zlib.decompressobj()
    try:
        # Where exactly so many have come, another one shows whether that is all. To zlib, 0 means
        # any number.
        payload = stream.decompress(stored, longest + 1)
    except zlib.error:
        return stored, False
    if len(payload) > longest:
        return payload[:longest], True
    return (payload, False) if stream.eof else (stored, False)


def pieces(stored: bytes) -> bytes | Pieces:
    """What :func:`head` would give, without unpacking anything yet."""
    return Pieces(stored) if _begins_like_zlib(stored) else stored


class Pieces:
    """What compressed bytes stand for, piece by piece, so that none of it need be held.

    To look at a signature before anything is unpacked.
    """

    __slots__ = ("_stored",)

    def __init__(self, stored: bytes) -> None:
        self._stored = stored

    def __iter__(self) -> Iterator[bytes]:
        """The pieces.

        Raises:
            ValueError: at the end, where :func:`head` would give what is stored, or not all: the
                compressed bytes are broken, or stand for more than :data:`LONGEST`.
        """
        stream, left, total = zlib.decompressobj(), self._stored, 0
        while not stream.eof and left and total <= LONGEST:
            try:
                piece = stream.decompress(left, PIECE)
            except zlib.error as exc:
                raise ValueError(str(exc)) from exc
            left, total = stream.unconsumed_tail, total + len(piece)
            yield piece
        # All input may have been taken in, and some of the output be still to come.
        while not stream.eof and total <= LONGEST:
            piece = stream.decompress(b"", PIECE)
            if not piece:
                raise ValueError("the compressed bytes have no end")
            total += len(piece)
            yield piece
        if total > LONGEST:
            raise ValueError(f"the compressed bytes stand for more than {LONGEST}")


def _begins_like_zlib(content: bytes) -> bool:
    # RFC 1950: the method 8, and a checksum over the first two bytes.
    return content[:1] != b"" and content[0] & 15 == 8 and int.from_bytes(content[:2]) % 31 == 0


def text(stored: bytes) -> str:
    """Text of any bytes: what is no UTF-8 is shown escaped, never refused."""
    return stored.decode("utf-8", "backslashreplace")


def decode(stored: bytes) -> str:
    """An id, a name or a key as text. Any bytes will do, and :func:`encode` gives them back."""
    return stored.decode("utf-8", "surrogateescape")


def encode(name: str) -> bytes:
    """The bytes that :func:`decode` read."""
    return name.encode("utf-8", "surrogateescape")


class Room:
    """How many bytes may still be unpacked for something, such as one page.

    Args:
        left: altogether; of one value no more than :data:`SHOWN`.
    """

    __slots__ = ("left",)

    def __init__(self, left: int = SHOWN) -> None:
        self.left = left

    def head(self, stored: bytes) -> tuple[bytes, bool]:
        """As :func:`head`, as far as there is room."""
        payload, more = head(stored, min(self.left, SHOWN))
        if payload is not stored:
            self.left -= len(payload)
        return payload, more


def traceback_text(stored: bytes, room: Room | None = None) -> str:
    """``exc_info``: plain text here and in RQ 0.5, zlib in RQ 2.

    Args:
        room: None: :data:`SHOWN` bytes. The text tells where it was cut off.
    """
    unpacked, more = (room or Room()).head(stored)
    if not more:
        return text(unpacked)
    size = f"{len(unpacked):,}"
    return f"{text(unpacked)}\n... the rest is left out: this unpacks to more than {size} bytes"


def base64_payload(payload: bytes) -> bytes:
    """A result as the stream of RQ 2.12 wants it (rq/results.py)."""
    return base64.b64encode(payload)


def base64_traceback(traceback: str) -> bytes:
    """A traceback as the stream of RQ 2.12 wants it (rq/results.py)."""
    return base64.b64encode(zlib.compress(traceback.encode("utf-8", "replace")))


def from_base64(stored: bytes) -> bytes:
    """The bytes of a stream field, or the field itself where it is no base64."""
    try:
        return base64.b64decode(stored, validate=True)
    except binascii.Error:
        return stored


def timestamp(moment: datetime) -> str:
    """Whole seconds in UTC, as every release of RQ reads them: ``2015-11-03T02:42:35Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole(stored: bytes) -> int:
    """A whole number that is no larger than :data:`LARGEST_NUMBER`.

    Raises:
        ValueError: the bytes are none.
    """
    found = int(stored)
    if abs(found) > LARGEST_NUMBER:
        raise ValueError(f"more than {LARGEST_NUMBER}")
    return found


def number(stored: bytes) -> float:
    """A number that is no larger than :data:`LARGEST_NUMBER`.

    Raises:
        ValueError: the bytes are none.
    """
    found = float(stored)
    if not abs(found) <= LARGEST_NUMBER:  # also of "nan"
        raise ValueError(f"more than {LARGEST_NUMBER}")
    return found


@lru_cache(maxsize=32)
def moment(stored: bytes) -> datetime | None:
    """A point in time, or None for an empty field.

    Kept, since all that happens within a second has the same.

    Raises:
        ValueError: the bytes are no timestamp.
    """
    if not stored:
        return None
    parsed = datetime.fromisoformat(stored.decode("ascii"))
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(str(exc)) from exc


def precise(whole: datetime, microseconds: int) -> datetime:
    """A time of which whole seconds are stored, with its microseconds.

    Args:
        whole: as it is stored.
        microseconds: unix microseconds of what may be the same time. Where RQ has written another
            one meanwhile, that stands.
    """
    seconds, rest = divmod(microseconds, 1_000_000)
    if whole.microsecond or whole.timestamp() != seconds:
        return whole
    return whole + timedelta(0, 0, rest)  # quicker than replace()


def micro_moment(text: str) -> datetime | None:
    """A point in time from unix microseconds, or None for an empty text.

    Raises:
        ValueError: the text is no number, or no calendar has that date.
    """
    if not text:
        return None
    seconds, rest = divmod(int(text), 1_000_000)
    return _second(seconds) + timedelta(0, 0, rest)


@lru_cache(maxsize=32)
def _second(seconds: int) -> datetime:
    """Kept, since jobs that are enqueued together share it."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as exc:
        raise ValueError(str(exc)) from exc


def unix_moment(stored: bytes) -> datetime | None:
    """A point in time from unix seconds, or None for an empty field.

    Raises:
        ValueError: the bytes are no number, or no calendar has that date.
    """
    try:
        return datetime.fromtimestamp(float(stored), UTC) if stored else None
    except (OverflowError, OSError) as exc:
        raise ValueError(str(exc)) from exc
