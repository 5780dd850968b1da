"""Messages between a worker and its children."""

from __future__ import annotations

import random
import struct

import pytest

from django_rqlite.execution.outcome import AskedForRetry, Failed, Report, Succeeded
from django_rqlite.worker.children.framing import (
    MOST_PARTS,
    Assembler,
    BrokenFrameError,
    pack,
)
from django_rqlite.worker.children.messages import pack_report, unpack_report

MESSAGES = [
    [],
    [b""],
    [b"", b"", b""],
    [b"a", b"\x00" * 300, b""],
    [b"x" * 70_000, b"y"],
    [bytes([n % 256]) for n in range(1000)],
]


def assemble(data: bytes, sizes: list[int]) -> list[list[bytes]]:
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
        assert assemble(data, [size] * (len(data) // size)) == [message]


def test_messages_may_be_split_anywhere() -> None:
    data = b"".join(map(pack, MESSAGES))
    for seed in range(50):
        numbers = random.Random(seed)
        sizes = [numbers.choice((0, 1, 7, 4096)) for _ in range(200)]
        assert assemble(data, sizes) == MESSAGES


def test_an_unfinished_message_is_none() -> None:
    data = pack([b"a", b"b"])
    for end in range(len(data)):
        assert assemble(data[:end], []) == []


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


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded(b""),
        Succeeded(b"\x80\xff"),
        Succeeded(b"text", "The job returned é."),
        Failed("Traceback: é", "ValueError: é", ("ValueError", "Exception")),
        AskedForRetry(3, (1, 2), True),
    ],
)
def test_a_report_survives_the_pipe(outcome: Report, stays: bool) -> None:
    (parts,) = assemble(pack(pack_report("e1", outcome, stays=stays)), [])
    assert unpack_report("e1", parts) == (outcome, stays)


def test_an_outcome_s_text_may_be_anything() -> None:
    parts = pack_report("e1", Failed("\ud800", "\ud800"), stays=True)
    assert unpack_report("e1", parts) == (Failed("?", "?"), True)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"e1"],
        [b"e1", b"stays", b"succeeded"],
        [b"e1", b"stays", b"succeeded", b""],
        [b"e1", b"stays", b"succeeded", b"", b"", b""],
        [b"e1", b"stays", b"asked for retry", b"[1]"],
        [b"e1", b"stays", b"failed", b"only a reason"],
        [b"e2", b"stays", b"succeeded", b""],
        [b"e1", b"stays", b"something", b"", b""],
    ],
)
def test_what_is_no_report_of_this_execution(parts: list[bytes]) -> None:
    with pytest.raises(BrokenFrameError):
        unpack_report("e1", parts)
