"""Retry, Repeat, Callback and Dependency, and what they decide.

Pure: nothing in here does I/O or reads a clock.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..exceptions import InvalidFunctionError
from ..protocol.durations import LONGEST, parse_duration
from ..protocol.records import JOB_ID, JobRecord
from . import callables


def path_of(kind: type | str) -> str:
    """The dotted path that names a class."""
    return kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"


def paths_of(exc: BaseException) -> tuple[str, ...]:
    """The paths of an exception's class and of all its bases, for ``on`` and ``not_on``."""
    return tuple(path_of(kind) for kind in type(exc).__mro__ if kind is not object)


class Retry:
    """Run a job again when it fails; or, returned by a job, run it again now or later.

    Durations are in seconds.

    Args:
        max: how many more times at the most.
        interval: how long to wait before each of them; one number, or a list whose last one holds
            for the rest. 0: at once.
        enqueue_at_front: whether it goes before all others of its queue.
        backoff: what each wait is longer by than the one before, as a factor; needs one interval.
        max_interval: the longest wait that ``backoff`` may come to; None: a day.
        jitter: by what part of itself each wait may be shorter or longer by chance, 0 to 1, so
            that jobs which failed together do not come back together.
        on: exception classes, or their dotted paths, which alone are retried; None: all.
        not_on: exception classes, or their dotted paths, which are not retried.

    Raises:
        ValueError: a number that makes no sense.
    """

    def __init__(
        self,
        max: int,
        interval: float | Iterable[float] = 0,
        enqueue_at_front: bool = False,
        *,
        backoff: float | None = None,
        max_interval: int | None = None,
        jitter: float = 0.0,
        on: Iterable[type[BaseException] | str] | None = None,
        not_on: Iterable[type[BaseException] | str] = (),
    ) -> None:
        if max < 1:
            raise ValueError(f"Retry(max={max}): the least is 1. Leave retry out for none.")
        intervals = _intervals("Retry", interval)
        if not 0 <= jitter <= 1:
            raise ValueError(f"Retry(jitter={jitter!r}): give a part between 0 and 1.")
        if backoff is not None:
            if backoff < 1 or len(intervals) > 1:
                raise ValueError(
                    f"Retry(backoff={backoff!r}, interval={interval!r}): backoff is a factor of at "
                    "least 1 on one interval."
                )
            intervals = _growing(intervals[0], backoff, max, max_interval or 86_400)
        self.max = max
        self.intervals = intervals
        self.enqueue_at_front = enqueue_at_front
        self.jitter = jitter
        self.on = None if on is None else tuple(map(path_of, on))
        self.not_on = tuple(map(path_of, not_on))

    def __repr__(self) -> str:
        return f"Retry(max={self.max}, interval={self.intervals!r})"

    def extras(self) -> str | None:
        """What RQ's own fields have no words for, as JSON; None where there is nothing."""
        said: dict[str, Any] = {}
        if self.jitter:
            said["jitter"] = self.jitter
        if self.on is not None:
            said["on"] = self.on
        if self.not_on:
            said["not_on"] = self.not_on
        return json.dumps(said) if said else None


def _intervals(owner: str, given: float | Iterable[float]) -> list[int]:
    """The waits in whole seconds; a part of a second counts as a whole one."""
    try:
        several = given if isinstance(given, Iterable) else [given]
        waits = [math.ceil(wait) for wait in several]
    except (TypeError, ValueError, OverflowError):
        waits = []
    if not waits or any(not 0 <= wait <= LONGEST for wait in waits):
        raise ValueError(
            f"{owner}(interval={given!r}): give seconds from 0 to {LONGEST}, or a list of them."
        )
    return waits


def _growing(first: int, factor: float, count: int, longest: int) -> list[int]:
    waits, wait = [], float(first)
    for _ in range(min(count, 100)):  # the last one holds for the rest
        waits.append(int(min(wait, longest)))
        wait = min(wait * factor, longest)
    return waits


class Repeat:
    """Run a job again after it has succeeded.

    Args:
        times: how many more times.
        interval: seconds to wait before each of them, in their order; one number, or a list whose
            last one holds for the rest.

    Raises:
        ValueError: a number that makes no sense.
    """

    def __init__(self, times: int, interval: float | Iterable[float] = 0) -> None:
        if times < 1:
            raise ValueError(f"Repeat(times={times}): the least is 1. Leave repeat out for none.")
        intervals = _intervals("Repeat", interval)
        self.times = times
        self.intervals = intervals

    def __repr__(self) -> str:
        return f"Repeat(times={self.times}, interval={self.intervals!r})"


class Callback:
    """Something to be called when a job has ended.

    Args:
        func: a function at the top of a module, or its dotted path.
        timeout: how long it may run, in seconds or a form such as ``'5m'``; None: 60 s.

    Raises:
        InvalidFunctionError: a worker could not find it again.
        InvalidDurationError: the timeout is none.
    """

    def __init__(self, func: Callable[..., Any] | str, timeout: int | str | None = None) -> None:
        name, instance = callables.reference(func)
        if instance is not None:
            raise InvalidFunctionError(
                f"Callback({name!r}): a callback must be a function at the top of a module, since "
                "only its name is kept."
            )
        self.func = func
        self.name = name
        self.timeout = parse_duration(timeout, name="Callback timeout", minimum=1, forever=False)

    def __repr__(self) -> str:
        return f"Callback({self.name!r})"

    @classmethod
    def of(cls, given: object) -> Callback:
        """What ``on_success=`` and the like mean: a callback, or the function itself."""
        return given if isinstance(given, Callback) else cls(given)  # type: ignore[arg-type]


class Dependency:
    """What a job waits for.

    Args:
        jobs: one job or its id, or several.
        allow_failure: whether it runs also when one of them failed, was stopped or canceled.
        enqueue_at_front: whether it then goes before all others of its queue.

    Raises:
        ValueError: there is none among them, or something that is neither a job nor an id.
    """

    def __init__(
        self,
        jobs: object,
        allow_failure: bool = False,
        enqueue_at_front: bool = False,
    ) -> None:
        several = list(jobs) if isinstance(jobs, list | tuple | set | frozenset) else [jobs]
        ids = [one if isinstance(one, str) else getattr(one, "id", None) for one in several]
        if not ids or not all(isinstance(one, str) and JOB_ID.fullmatch(one) for one in ids):
            raise ValueError(f"Dependency(jobs={jobs!r}): give a job or its id, or a list of them.")
        self.ids: list[str] = list(dict.fromkeys(map(str, ids)))
        #: Those that were not given by their ids.
        self.jobs = [one for one in several if not isinstance(one, str)]
        self.allow_failure = allow_failure
        self.enqueue_at_front = enqueue_at_front

    @classmethod
    def of(cls, depends_on: object) -> Dependency:
        """What ``depends_on=`` means: a dependency, a job, an id, or a list of any of these."""
        if isinstance(depends_on, Dependency):
            return depends_on
        several = depends_on if isinstance(depends_on, list | tuple | set) else [depends_on]
        parts = [one if isinstance(one, Dependency) else cls(one) for one in several]
        found = cls(
            [job_id for part in parts for job_id in part.ids],
            allow_failure=any(part.allow_failure for part in parts),
            enqueue_at_front=any(part.enqueue_at_front for part in parts),
        )
        found.jobs = [job for part in parts for job in part.jobs]
        return found


@dataclass(frozen=True, slots=True)
class Again:
    """The decision that a job runs once more.

    Attributes:
        delay: seconds from now; 0: at once.
        counter: the field of the job that counts this, and by how much it changes.
    """

    delay: int
    at_front: bool
    counter: str
    change: int


def after_failure(record: JobRecord, kinds: Sequence[str]) -> Again | None:
    """Whether a job that failed runs again.

    Args:
        kinds: paths of the exception's classes; empty where a process died without one.
    """
    allowed = record.retries_allowed
    if not allowed or allowed < 1:
        return None
    extras = _extras(record.retry_extras)
    on, not_on = _names(extras.get("on")), _names(extras.get("not_on")) or ()
    if on is not None and not any(kind in on for kind in kinds):
        return None
    if any(kind in not_on for kind in kinds):
        return None
    wait = _nth(record.retry_intervals, record.attempts)
    return Again(
        _scattered(wait, extras.get("jitter")),
        record.enqueue_at_front_on_retry,
        counter="retries_left",
        change=allowed - 1 - (record.retries_left or 0),
    )


def after_asking(
    record: JobRecord, most: int, intervals: Sequence[int], at_front: bool
) -> Again | None:
    """Whether a job that returned a :class:`Retry` runs again; None: it has done so too often."""
    done = record.number_of_retries or 0
    if done >= most:
        return None
    return Again(_nth(intervals, done), at_front, counter="number_of_retries", change=1)


def after_success(record: JobRecord) -> Again | None:
    """Whether a job that succeeded runs again."""
    allowed = record.repeats_allowed
    if not allowed or allowed < 1:
        return None
    wait = _nth(record.repeat_intervals, record.repeats_done)
    change = allowed - 1 - (record.repeats_left or 0)
    return Again(wait, at_front=False, counter="repeats_left", change=change)


def _nth(intervals: Sequence[int], number: int) -> int:
    """The wait before the run of this number, counted from 0; the last one holds for the rest."""
    if not intervals:
        return 0
    # Counters in Redis may be anything, also below zero.
    return min(max(0, intervals[min(max(number, 0), len(intervals) - 1)]), LONGEST)


def _scattered(wait: int, jitter: object) -> int:
    # It comes from Redis, so it may be anything that JSON, as Python reads it, has words for.
    if not wait or not isinstance(jitter, int | float) or not 0 <= jitter <= 1:
        return wait
    return max(0, round(wait * random.uniform(1 - jitter, 1 + jitter)))


def _names(stored: object) -> Sequence[object] | None:
    return stored if isinstance(stored, list) else None


def _extras(stored: str) -> dict[str, Any]:
    try:
        found = json.loads(stored) if stored else {}
    except ValueError:
        return {}  # foreign words under our name; RQ's own fields decide alone
    return found if isinstance(found, dict) else {}
