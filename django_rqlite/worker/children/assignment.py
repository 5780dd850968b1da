"""A job in the hands of a child, from its claim until Redis knows its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.engine import Hold
from ...execution.outcome import Outcome
from ...protocol.records import JobRecord


@dataclass(slots=True)
class Assignment:
    """See the module."""

    hold: Hold
    record: JobRecord
    #: Monotonic time at which the child is killed; None: never.
    kill_at: float | None
    #: Why the child was killed, once it was; '' until then.
    killed_because: str = ""
    #: Whether the job goes back to its queue when the child has died.
    give_back: bool = False
    #: Whether it was killed by order of a person, so that the job has stopped rather than failed.
    stopped: bool = False
    #: The name of that person; '' where nobody said it.
    stopped_by: str = ""
    outcome: Outcome | None = None
    #: Whether it has failed after its process had called back, or died, so that what it names is
    #: still to be called.
    died: bool = False
    #: Whether it was said that the execution no longer holds its job.
    lost: bool = False
    #: How often Redis would not store the outcome, and how often the connection broke over it.
    refusals: int = 0
    breaks: int = 0
    #: Whether the outcome says that Redis would not store the first one.
    replaced: bool = False
