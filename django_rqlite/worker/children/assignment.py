"""A job that a worker has claimed, from its claim until Redis has stored its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.engine import Hold
from ...execution.outcome import Outcome
from ...protocol.records import JobRecord


@dataclass(slots=True)
class Assignment:
    """A claimed job, the state of its run, and its outcome.

    Attributes:
        hold: The execution that holds the job.
        record: The job as it was claimed.
        kill_at: Monotonic time at which the child is killed; None: never.
        kill_reason: Why the child was killed; ``""`` if it was not.
        put_back: Whether the job goes back to its queue when the child has ended.
        stopped: Whether the child was killed at a person's request, so that the job is stopped and
            not failed.
        stopped_by: The name of that person; ``""`` if unknown.
        outcome: None while the job runs, and if it goes back to its queue.
        callback_due: Whether another process must still call the job's callback, because the job's
            own process died or because a failure has replaced the outcome that it reported.
        loss_logged: Whether it was logged that the execution no longer holds the job.
        refusals: How often Redis refused to store the outcome.
        breaks: How often the connection broke while the outcome was being stored.
        replaced: Whether the outcome is a failure that replaces one which Redis refused.
    """

    hold: Hold
    record: JobRecord
    kill_at: float | None
    kill_reason: str = ""
    put_back: bool = False
    stopped: bool = False
    stopped_by: str = ""
    outcome: Outcome | None = None
    callback_due: bool = False
    loss_logged: bool = False
    refusals: int = 0
    breaks: int = 0
    replaced: bool = False
