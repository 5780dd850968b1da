"""Stores the outcome of a run. The job's policies decide whether the job ends or runs again."""

from __future__ import annotations

from ..conf.signer import sign, signature_problem
from ..engine.engine import Engine, Hold, NextClaim, Settled
from ..jobs.policies import NextRun, after_failure, after_retry_request, after_success
from ..protocol import codec
from ..protocol.records import DEFAULT_FAILURE_TTL, DEFAULT_RESULT_TTL, JobRecord, JobStatus
from ..protocol.stored_result import ResultType
from .failure import LONGEST_TRACEBACK
from .outcome import AskedForRetry, Failed, Outcome, Stopped, Succeeded


def settle(
    engine: Engine,
    worker: str,
    hold: Hold,
    record: JobRecord,
    outcome: Outcome,
    worker_name: str,
    then: NextClaim | None = None,
) -> Settled:
    """Store an outcome, and claim the next job if asked, in one round trip.

    Args:
        engine: The engine of the broker.
        worker: The worker whose record counts the job; ``''`` for no worker.
        hold: The execution whose outcome it is.
        record: The job as it was when it was claimed.
        outcome: The outcome of the run.
        worker_name: The worker that the result names.
        then: The next claim; ``None``: claim nothing.

    Raises:
        redis.RedisError: The server refused the command, or the connection broke.
    """
    again = _another_run(record, outcome)
    if again is not None:
        succeeded = isinstance(outcome, Succeeded)
        return engine.retry_or_repeat(
            worker,
            hold,
            worker_name=worker_name,
            delay=again.delay,
            at_front=again.at_front,
            counter=again.counter,
            change=again.change,
            tally="x_repeats" if succeeded else "x_attempts",
            kind=ResultType.SUCCESSFUL if succeeded else ResultType.RETRIED,
            payload_field="return_value" if succeeded else "exc_string",
            payload=_payload(outcome),
            signature=_signature(record, outcome) if isinstance(outcome, Succeeded) else "",
            not_kept=outcome.not_kept if isinstance(outcome, Succeeded) else "",
            headline=outcome.headline if isinstance(outcome, Failed) else "",
            succeeded=succeeded,
            then=then,
        )
    if isinstance(outcome, Succeeded):
        result_ttl = record.result_ttl
        return engine.finish(
            worker,
            hold,
            worker_name=worker_name,
            result_ttl=DEFAULT_RESULT_TTL if result_ttl is None else result_ttl,
            result=outcome.result,
            signature=_signature(record, outcome),
            encoded_result=codec.base64_payload(outcome.result),
            not_kept=outcome.not_kept,
            then=then,
        )
    failed = _as_failure(outcome)
    failure_ttl = record.failure_ttl
    return engine.fail(
        worker,
        hold,
        worker_name=worker_name,
        failure_ttl=DEFAULT_FAILURE_TTL if failure_ttl is None else failure_ttl,
        reason=failed.reason,
        encoded_reason=codec.base64_traceback(failed.reason),
        headline=failed.headline,
        status=JobStatus.STOPPED if isinstance(outcome, Stopped) else JobStatus.FAILED,
        then=then,
    )


def unstorable(outcome: Outcome, why: Exception) -> Failed:
    """The failure that replaces an outcome which the server refuses repeatedly.

    The job is not retried. Its work is done, and another run would most likely end the same way.
    """
    headline = f"Redis does not take the outcome of the job: {why}"
    if isinstance(outcome, Succeeded):
        sentences = (
            f"The job returned, and its result has {len(outcome.result):,} bytes when serialized. "
            "Its work is done, and the result is lost. Return an id or a path of it instead, or "
            "set RQ['MAX_RESULT_SIZE'] below what the server takes: then a job with such a result "
            "is finished without it."
        )
    elif isinstance(outcome, AskedForRetry):
        sentences = "The job asked for another run."
    else:
        sentences = f"It ended with this:\n{outcome.reason}"[: LONGEST_TRACEBACK // 10]
    return Failed(f"{headline}\n{sentences}", headline[:300], final=True)


def _another_run(record: JobRecord, outcome: Outcome) -> NextRun | None:
    """How the job runs again; ``None`` if it does not."""
    if isinstance(outcome, Succeeded):
        return after_success(record)
    if isinstance(outcome, AskedForRetry):
        return after_retry_request(record, outcome.most, outcome.intervals, outcome.at_front)
    if isinstance(outcome, Stopped) or record.problems or outcome.final:
        return None  # it was stopped, or would end the same way
    next_run = after_failure(record, outcome.kinds)
    # A job that was refused because of its signature would be refused again.
    return None if next_run and signature_problem(record) else next_run


def _payload(outcome: Outcome) -> bytes:
    """The entry of the results stream for a run that is not the last one."""
    if isinstance(outcome, Succeeded):
        return codec.base64_payload(outcome.result)
    return codec.base64_traceback(outcome.reason) if isinstance(outcome, Failed) else b""


def _signature(record: JobRecord, outcome: Succeeded) -> str:
    return sign("result", record.id, outcome.result) if outcome.result else ""


def _as_failure(outcome: Failed | AskedForRetry | Stopped) -> Failed:
    if isinstance(outcome, Failed):
        return outcome
    if isinstance(outcome, Stopped):
        return Failed(outcome.reason, outcome.reason)
    headline = f"The job asked for another run more than {outcome.most} times"
    return Failed(f"{headline}: it returned Retry(max={outcome.most}) once more.", headline)
