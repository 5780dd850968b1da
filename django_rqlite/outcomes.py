"""Storing how a job went: from an outcome to the arrow that keeps it."""

from __future__ import annotations

from .engine.transitions import Hold, NextClaim, Settled, Transitions
from .execution import Outcome, Succeeded
from .protocol import codec
from .protocol.records import DEFAULT_FAILURE_TTL, DEFAULT_RESULT_TTL


def settle(
    transitions: Transitions,
    worker: str,
    hold: Hold,
    outcome: Outcome,
    result_ttl: int | None,
    failure_ttl: int | None,
    worker_name: str,
    then: NextClaim | None = None,
) -> Settled:
    """Store an outcome in one round trip, and claim the next job in the same if asked.

    Args:
        worker: whose record counts the job; ``''`` for none.
        result_ttl, failure_ttl: seconds, as the job says; None: RQ's defaults.
        worker_name: what the result says.
    """
    if isinstance(outcome, Succeeded):
        return transitions.finish(
            worker,
            hold,
            worker_name=worker_name,
            result_ttl=DEFAULT_RESULT_TTL if result_ttl is None else result_ttl,
            result=outcome.result,
            signature=outcome.signature,
            encoded_result=codec.base64_payload(outcome.result),
            then=then,
        )
    return transitions.fail(
        worker,
        hold,
        worker_name=worker_name,
        failure_ttl=DEFAULT_FAILURE_TTL if failure_ttl is None else failure_ttl,
        reason=outcome.reason,
        encoded_reason=codec.base64_traceback(outcome.reason),
        headline=outcome.headline,
        then=then,
    )
