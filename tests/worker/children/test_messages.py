"""The messages from a worker to a child."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from django_rqlite import get_queue
from django_rqlite.execution.outcome import Failed, Stopped
from django_rqlite.jobs.job import Job
from django_rqlite.protocol.records import JobRecord, read_job
from django_rqlite.worker.children.child import receive
from django_rqlite.worker.children.messages import (
    Instruction,
    pack_callback,
    pack_run,
    unpack_instruction,
)
from tests.sample_jobs import echo

FULL = {
    b"origin": b"default",
    b"status": b"started",
    b"description": b"echo(1)",
    b"created_at": b"2026-11-25T07:00:00Z",
    b"started_at": b"2026-11-25T07:00:01Z",
    b"timeout": b"-1",
    b"result_ttl": b"0",
    b"meta": b"\x80\x05}.",
    b"retries_left": b"0",
    b"retry_intervals": b"[1, 2]",
    b"allow_dependency_failures": b"0",
    b"dependency_ids": b'["a", "b"]',
    b"success_callback_name": b"a.b",
    b"data": b"\x80",
    b"x_sig_meta": b"ab",
}


def heard(message: bytes) -> Instruction:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        # A large instruction does not fit into the pipe.
        speaker = threading.Thread(target=ours.sendall, args=(message,))
        speaker.start()
        body = receive(theirs.fileno())
        speaker.join()
    assert body is not None
    return unpack_instruction(body)


@pytest.mark.parametrize("fields", [{}, FULL], ids=["nothing", "everything"])
def test_the_job_of_an_order_is_the_one_that_was_stored(fields: dict[bytes, bytes]) -> None:
    record = read_job("an-id", fields)
    instruction = heard(pack_run("default", "e1", record))
    assert (instruction.job_id, instruction.queue, instruction.execution) == (
        "an-id",
        "default",
        "e1",
    )
    told = Job.from_state("an-id", instruction.state)
    assert replace(told._record, problems=record.problems) == record
    assert told._record.terms == record.terms


def test_a_state_leaves_out_what_a_run_does_not_need() -> None:
    fields = {**FULL, b"result": b"x" * 1000, b"x_sig_result": b"ab", b"timeout": b"soon"}
    state = heard(pack_run("default", "e1", read_job("an-id", fields))).state
    assert not {"result", "result_signature", "problems", "repeats_left"} & state.keys()


def test_a_signature_is_looked_at_once() -> None:
    job = get_queue("default").create_job(echo, [1])
    instruction = heard(pack_run("default", "e1", job.to_record()))
    assert Job.from_state(job.id, instruction.state).args == (1,)
    assert instruction.verified


def test_a_wrong_signature_is_left_for_the_child_to_complain_of() -> None:
    job = get_queue("default").create_job(echo, [1])
    record = read_job("another-id", _fields_of(job))
    assert not heard(pack_run("default", "e1", record)).verified


def _fields_of(job: Job) -> dict[bytes, bytes]:
    return {
        name.encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in job.to_fields().items()
    }


@pytest.mark.parametrize(
    ("outcome", "stopped"), [(Stopped("by instruction"), True), (Failed("it died", "died"), False)]
)
def test_a_callback_that_is_due(outcome: Stopped | Failed, stopped: bool) -> None:
    instruction = heard(pack_callback("default", read_job("an-id", FULL), outcome))
    assert (instruction.execution, instruction.stopped, instruction.reason) == (
        "",
        stopped,
        outcome.reason,
    )
    assert Job.from_state("an-id", instruction.state).success_callback_name == "a.b"


def large() -> JobRecord:
    return read_job("an-id", {b"data": b"x" * 3_000_000, b"created_at": b"2026-11-25T07:00:00Z"})


def test_an_order_may_be_large() -> None:
    state = heard(pack_run("default", "e1", large())).state
    assert len(state["packed"]) == 3_000_000
    assert state["created_at"] == datetime(2026, 11, 25, 7, tzinfo=UTC)


@pytest.mark.parametrize("sent", [0, 1, 7, 8, 9, 100, 50_000])
def test_a_worker_that_hangs_up_in_the_middle_has_said_nothing(sent: int) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(pack_run("default", "e1", large())[:sent])
        assert receive(theirs.fileno()) is None
