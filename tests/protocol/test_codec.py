"""Single values: every form that RQ wrote is read, and one form is written."""

from __future__ import annotations

import json
import pickle
import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from django_rqlite.jobs.stored_job import without_frame
from django_rqlite.protocol import codec

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


def decompressed(stored: bytes) -> bytes:
    payload, more = codec.head(stored, codec.LONGEST)
    assert not more
    return payload


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_all_protocols_are_told_from_compressed_ones(protocol: int) -> None:
    payload = pickle.dumps(("f", None, ("x",), {}), protocol)
    assert decompressed(payload) == payload
    assert decompressed(zlib.compress(payload)) == payload


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("argument", [1, "x", b"x" * 100_000, ["x" * 50_000] * 3])
def test_a_pickle_needs_no_frame(protocol: int, argument: object) -> None:
    call = ("f", None, (argument,), {})
    payload = pickle.dumps(call, protocol)
    stripped = without_frame(payload)
    assert pickle.loads(stripped) == call
    # A large value is pickled between two frames, which do not change.
    one_frame = protocol >= 4 and len(payload) < 60_000
    assert len(payload) - len(stripped) == (9 if one_frame else 0)


@pytest.mark.parametrize("head", [b"", b"\x80", b"\x80\x05\x95", b"\x80\x05\x95\x01"])
def test_what_only_begins_like_a_frame_stays(head: bytes) -> None:
    payload = head + b"\0" * 20
    assert without_frame(payload) == payload


@pytest.mark.parametrize("value", [[], {}, "x", 8, ["a"] * 1000])
def test_json_is_told_from_compressed_bytes(value: object) -> None:
    payload = json.dumps(value).encode()
    assert decompressed(payload) == payload


def test_short_payloads_stay_readable_and_long_ones_shrink() -> None:
    short, long = b"\x80" + b"x" * 100, b"\x80" + b"x" * 5000
    assert codec.compress(short) == short
    assert len(codec.compress(long)) < 100
    assert decompressed(codec.compress(long)) == long


@pytest.mark.parametrize("length", [3, 5000])
def test_a_serializer_that_compresses_gets_its_own_bytes_back(length: int) -> None:
    made = zlib.compress(bytes(i * i % 251 for i in range(length)))
    assert decompressed(codec.compress(made)) == made


@pytest.mark.parametrize("broken", [b"", b"x", b"x\x9c", zlib.compress(b"abc")[:-2], b"\xff\x00"])
def test_broken_compression_is_left_alone(broken: bytes) -> None:
    assert decompressed(broken) == broken


def test_of_few_bytes_that_would_become_many_there_is_a_head() -> None:
    bomb = zlib.compress(bytes(1_000_000))
    assert codec.head(bomb, 999_999) == (bytes(999_999), True)
    assert codec.head(bomb, 1_000_000) == (bytes(1_000_000), False)


@pytest.mark.parametrize("length", [0, 1, 5000, codec.PIECE, 3 * codec.PIECE + 1])
def test_pieces_are_what_is_unpacked(length: int) -> None:
    payload = b"\x80" + bytes(number % 251 for number in range(length))
    for stored in (payload, zlib.compress(payload), codec.compress(payload)):
        found = codec.pieces(stored)
        pieces = [found] if isinstance(found, bytes) else list(found)
        assert b"".join(pieces) == decompressed(stored) == payload
        assert stored == payload or max(map(len, pieces)) <= codec.PIECE


@pytest.mark.parametrize("broken", [b"x\x9c", zlib.compress(b"abc" * 500)[:-2], b"x\x9cxxxxx"])
def test_broken_pieces_are_none(broken: bytes) -> None:
    """The checked bytes are the loaded ones; broken bytes are loaded as they are."""
    assert decompressed(broken) == broken
    with pytest.raises(ValueError):  # noqa: PT011
        list(codec.pieces(broken))


def test_no_more_is_unpacked_than_asked_for() -> None:
    bomb = zlib.compress(bytes(1_000_000))
    assert codec.head(bomb, 1000) == (bytes(1000), True)
    assert codec.head(bomb, 1_000_000) == (bytes(1_000_000), False)
    assert codec.head(bomb, 0) == (b"", True)
    assert codec.head(b"plain" * 10, 1) == (b"plain" * 10, False)
    text = codec.traceback_text(bomb, codec.Room(1000))
    assert len(text) < 1100
    assert text.endswith("the rest is left out: this unpacks to more than 1,000 bytes")


def test_room_is_shared() -> None:
    bomb, small = zlib.compress(bytes(10_000_000)), zlib.compress(b"small")
    room = codec.Room(codec.SHOWN + 10)
    assert room.head(b"not packed, so that it takes none") == (
        b"not packed, so that it takes none",
        False,
    )
    assert len(room.head(bomb)[0]) == codec.SHOWN
    assert room.head(small) == (b"small", False)
    assert room.head(bomb) == (bytes(5), True)
    assert room.head(small) == (b"", True)


def test_tracebacks_of_rq_and_of_its_predecessor() -> None:
    assert codec.traceback_text(b"Traceback: \xc3\xa9") == "Traceback: é"
    assert codec.traceback_text(zlib.compress("Traceback: é".encode())) == "Traceback: é"
    assert codec.traceback_text(b"\xff") == "\\xff"


def test_the_stream_s_forms_are_those_of_rq() -> None:
    stored = codec.base64_traceback("no such \ud800 file")
    assert codec.traceback_text(codec.from_base64(stored)) == "no such ? file"
    assert codec.from_base64(codec.base64_payload(b"\x80\x05K\x01.")) == b"\x80\x05K\x01."


@pytest.mark.parametrize("stored", [b"no base64!", b"\xff\xfe", b"abc"])
def test_what_is_no_base64_is_given_as_it_is(stored: bytes) -> None:
    assert codec.from_base64(stored) == stored


def test_times_are_written_in_whole_seconds_of_utc() -> None:
    local = datetime(2026, 11, 3, 14, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert codec.timestamp(local) == "2026-11-03T12:00:00Z"


@pytest.mark.parametrize(
    "stored",
    [
        b"2026-11-03T12:00:00Z",  # the seed project
        b"2026-11-03T12:00:00.000000Z",  # RQ 2
        b"2026-11-03T12:00:00.000000+00:00",  # RQ 0.5
        b"2026-11-03T14:00:00+02:00",
        b"2026-11-03T12:00:00",
    ],
)
def test_all_forms_of_times_are_read(stored: bytes) -> None:
    assert codec.moment(stored) == NOON


@pytest.mark.parametrize(
    "stored", [b"today", b"None", b"\xff", b"0001-01-01T00:00:00+14:00", b"2026-13-01"]
)
def test_what_is_no_time_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        codec.moment(stored)


def test_unix_times() -> None:
    assert codec.unix_moment(b"%.1f" % NOON.timestamp()) == NOON
    assert codec.unix_moment(b"") is codec.moment(b"") is None


@pytest.mark.parametrize("stored", [b"x", b"nan", b"inf", b"1e17", b"1e18", b"1e300", b"-1e18"])
def test_what_is_no_unix_time_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        codec.unix_moment(stored)
