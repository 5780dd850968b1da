"""Takes a job from its claim to its outcome without a worker, by calls of the engine."""

from __future__ import annotations

import pickle
from typing import Any

from django_rqlite import Job, get_connection
from django_rqlite.broker.broker import Broker
from django_rqlite.conf.signer import signer
from django_rqlite.engine.engine import Engine, Hold, NextClaim
from django_rqlite.execution.outcome import Failed
from django_rqlite.execution.run import perform
from django_rqlite.protocol import codec


def engine() -> Engine:
    return Engine(Broker.of(get_connection()))


def start(*queues: str, execution: str = "e1", worker: str = "w") -> Hold:
    """Claim the next job."""
    hold = engine().claim(worker, NextClaim(execution, queues or ("default",), 60)).hold
    assert hold is not None
    return hold


def finish(hold: Hold, value: Any = None, ttl: int = 500) -> bool:
    result = b"" if value is None else pickle.dumps(value, 5)
    return (
        engine()
        .finish(
            "w",
            hold,
            worker_name="w",
            result_ttl=ttl,
            result=result,
            signature=signer().sign("result", hold.job_id, result) if result else "",
            encoded_result=codec.base64_payload(result),
        )
        .stored
    )


def fail(
    hold: Hold,
    reason: str = "Traceback\nValueError: no",
    ttl: int = 1000,
    status: str = "failed",
) -> bool:
    return (
        engine()
        .fail(
            "w",
            hold,
            worker_name="w",
            failure_ttl=ttl,
            reason=reason,
            encoded_reason=codec.base64_traceback(reason),
            headline=reason.splitlines()[-1],
            status=status,
        )
        .stored
    )


def run_next(*queues: str) -> Job:
    """Run the next job in this process, as a worker's child would, and store its outcome."""
    hold = start(*queues)
    job = Job.fetch(hold.job_id)
    outcome = perform(job)
    if isinstance(outcome, Failed):
        fail(hold, outcome.reason, job.failure_ttl or 1000)
    else:
        value = pickle.loads(outcome.result) if outcome.result else None  # type: ignore[union-attr]
        finish(hold, value, job.result_ttl or 500)
    return job


def again(hold: Hold, delay: int = 0, reason: str = "ValueError: no") -> bool:
    """End an execution that another follows; return whether that was stored."""
    return (
        engine()
        .retry_or_repeat(
            "w",
            hold,
            worker_name="w",
            delay=delay,
            at_front=False,
            counter="retries_left",
            change=-1,
            tally="x_attempts",
            kind="4",
            payload_field="exc_string",
            payload=codec.base64_traceback(reason),
            headline=reason,
            succeeded=False,
        )
        .stored
    )
