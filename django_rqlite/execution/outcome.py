"""The outcomes that one run of a job can have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The job's function returned.

    Attributes:
        result: The serialized return value; ``b''`` for ``None``.
        not_kept: Why ``result`` is not the function's return value; ``''`` if it is.
    """

    result: bytes
    not_kept: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The job's function raised an exception, or could not be called.

    Attributes:
        reason: The traceback, or sentences.
        headline: One line that names the error.
        kinds: Dotted paths of the exception's class and its bases; empty without an exception.
        final: Whether the job does not run again, although its policy may allow a retry.
    """

    reason: str
    headline: str
    kinds: tuple[str, ...] = ()
    final: bool = False


@dataclass(frozen=True, slots=True)
class AskedForRetry:
    """The job's function returned a :class:`Retry`.

    Attributes:
        most: How often the job may do so.
        intervals: Seconds to wait before each of the next runs.
        at_front: Whether the job goes to the front of its queue.
    """

    most: int
    intervals: tuple[int, ...]
    at_front: bool


#: The outcomes that the process of a run reports itself.
Report = Succeeded | Failed | AskedForRetry


@dataclass(frozen=True, slots=True)
class Stopped:
    """A person stopped the run.

    Attributes:
        reason: A sentence that says so.
    """

    reason: str


Outcome = Report | Stopped
