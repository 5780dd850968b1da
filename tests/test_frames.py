"""Messages between a worker and its children."""

from __future__ import annotations

import random
import struct

import pytest

from django_rqlite.engine.transitions import Claim, Hold
from django_rqlite.execution import Failed, Outcome, Succeeded
from django_rqlite.worker.frames import MOST_PARTS, Assembler, BrokenFrameError, pack
from django_rqlite.worker.reports import pack_claim, pack_outcome, unpack_claim, unpack_outcome

MESSAGES = [
    [],
    [b""],
    [b"", b"", b""],
    [b"a", b"\x00" * 300, b""],
    [b"x" * 70_000, b"y"],
    [bytes([n % 256]) for n in range(1000)],
]


def assembled(data: bytes, sizes: list[int]) -> list[list[bytes]]:
    """The messages in ``data``, which arrives in pieces of these sizes."""
    assembler, messages, at = Assembler(), [], 0
    for size in [*sizes, len(data)]:
        piece = data[at : at + size]
        at += size
        while (message := assembler.feed(piece)) is not None:
            messages.append(message)
            piece = b""
    return messages


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 11, 12, 13, 100, 1 << 20])
def test_a_message_arrives_in_pieces_of_any_size(size: int) -> None:
    for message in MESSAGES:
        data = pack(message)
        assert assembled(data, [size] * (len(data) // size)) == [message]


def test_messages_may_be_split_anywhere() -> None:
    data = b"".join(map(pack, MESSAGES))
    for seed in range(50):
        numbers = random.Random(seed)
        sizes = [numbers.choice((0, 1, 7, 4096)) for _ in range(200)]
        assert assembled(data, sizes) == MESSAGES


def test_an_unfinished_message_is_none() -> None:
    data = pack([b"a", b"b"])
    for end in range(len(data)):
        assert assembled(data[:end], []) == []


@pytest.mark.parametrize("count", [MOST_PARTS + 1, 2**31, 2**32 - 1])
def test_more_parts_than_a_message_has(count: int) -> None:
    with pytest.raises(BrokenFrameError):
        Assembler().feed(struct.pack(">I", count))
    assert Assembler().feed(struct.pack(">I", MOST_PARTS)) is None


def test_what_a_job_prints_into_the_pipe_is_no_message() -> None:
    with pytest.raises(BrokenFrameError):
        Assembler().feed(b"garbage" * 10)


def test_a_length_that_will_never_come_takes_no_memory() -> None:
    assembler = Assembler()
    assert assembler.feed(struct.pack(">IQ", 1, 2**63)) is None
    assert assembler.feed(b"x" * 100) is None


@pytest.mark.parametrize(
    "hold",
    [Hold("an-id", "default", "e1"), Hold("ü \udcff", "\udcfe", "e1")],
)
def test_a_claim_survives_the_pipe(hold: Hold) -> None:
    claim = Claim(hold, {b"data": b"\x80\x00", b"status": b"started", b"": b""})
    (parts,) = assembled(pack(pack_claim(claim)), [])
    assert unpack_claim(parts) == (hold, claim.fields)


@pytest.mark.parametrize(
    "outcome",
    [Succeeded(b""), Succeeded(b"\x80\xff"), Failed("Traceback: é", "ValueError: é")],
)
def test_an_outcome_survives_the_pipe(outcome: Outcome) -> None:
    (parts,) = assembled(pack(pack_outcome("e1", outcome)), [])
    assert unpack_outcome("e1", parts) == outcome


def test_an_outcome_s_text_may_be_anything() -> None:
    parts = pack_outcome("e1", Failed("\ud800", "\ud800"))
    assert unpack_outcome("e1", parts) == Failed("?", "?")


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"e1"],
        [b"e1", b"succeeded", b""],
        [b"e1", b"succeeded", b"", b"", b""],
        [b"e2", b"succeeded", b"", b""],
        [b"e1", b"something", b"", b""],
    ],
)
def test_what_is_no_outcome_of_this_execution(parts: list[bytes]) -> None:
    with pytest.raises(BrokenFrameError):
        unpack_outcome("e1", parts)
