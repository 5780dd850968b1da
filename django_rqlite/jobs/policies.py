"""Retry, Repeat, Callback and Dependency, and the decision whether a job runs again.

The functions do no I/O and do not read a clock.
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
    """Return the dotted path of a class."""
    return kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"


def paths_of(exc: BaseException) -> tuple[str, ...]:
    """Return the paths of an exception's class and its bases, for ``on`` and ``not_on``."""
    return tuple(path_of(kind) for kind in type(exc).__mro__ if kind is not object)


class Retry:
    """Run a job again when it fails; or, if the job returns it, run the job again now or later.

    Durations are in seconds.

    Args:
        max: The maximum number of further runs.
        interval: How long to wait before each run: one number, or a list whose last number holds
            for all further runs. 0: at once.
        enqueue_at_front: Whether the job goes before all others of its queue.
        backoff: The factor by which each wait is longer than the one before. It needs one interval.
        max_interval: The longest wait that ``backoff`` may lead to; None: a day.
        jitter: The fraction, 0 to 1, by which each wait is shortened or lengthened at random, so
            that jobs that failed together do not run again together.
        on: The exception classes, or their dotted paths, after which a job is retried; None: all.
        not_on: Exception classes, or their dotted paths, after which a job is not retried.

    Raises:
        ValueError: A number is out of range.
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
            raise ValueError(
                f"Retry(max={max}): the least is 1. To run the job once, leave retry out."
            )
        intervals = _intervals("Retry", interval)
        if not 0 <= jitter <= 1:
            raise ValueError(f"Retry(jitter={jitter!r}): give a number from 0 to 1.")
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
        """Return the values for which RQ has no fields, as JSON; None if there are none."""
        extras: dict[str, Any] = {}
        if self.jitter:
            extras["jitter"] = self.jitter
        if self.on is not None:
            extras["on"] = self.on
        if self.not_on:
            extras["not_on"] = self.not_on
        return json.dumps(extras) if extras else None


def _intervals(owner: str, given: float | Iterable[float]) -> list[int]:
    """Return the waits in whole seconds, rounded up."""
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
    for _ in range(min(count, 100)):  # the last wait holds for all further runs
        waits.append(int(min(wait, longest)))
        wait = min(wait * factor, longest)
    return waits


class Repeat:
    """Run a job again after it has succeeded.

    Args:
        times: How many more times.
        interval: Seconds to wait before each run: one number, or a list whose last number holds for
            all further runs.

    Raises:
        ValueError: A number is out of range.
    """

    def __init__(self, times: int, interval: float | Iterable[float] = 0) -> None:
        if times < 1:
            raise ValueError(
                f"Repeat(times={times}): the least is 1. To run the job once, leave repeat out."
            )
        intervals = _intervals("Repeat", interval)
        self.times = times
        self.intervals = intervals

    def __repr__(self) -> str:
        return f"Repeat(times={self.times}, interval={self.intervals!r})"


class Callback:
    """A function to call when a job has ended.

    Args:
        func: A function at the top level of a module, or its dotted path.
        timeout: How long it may run, in seconds or text such as ``'5m'``; None: 60 s.

    Raises:
        InvalidFunctionError: A worker could not find it by its name.
        InvalidDurationError: The timeout is not a duration.
    """

    def __init__(self, func: Callable[..., Any] | str, timeout: int | str | None = None) -> None:
        name, instance = callables.reference(func)
        if instance is not None:
            raise InvalidFunctionError(
                f"Callback({name!r}): a callback must be a function at the top level of a module, "
                "because only its name is stored."
            )
        self.func = func
        self.name = name
        self.timeout = parse_duration(timeout, name="Callback timeout", minimum=1, forever=False)

    def __repr__(self) -> str:
        return f"Callback({self.name!r})"

    @classmethod
    def of(cls, given: object) -> Callback:
        """Return the callback that ``on_success=`` and the like mean: it or its function."""
        return given if isinstance(given, Callback) else cls(given)  # type: ignore[arg-type]


class Dependency:
    """The jobs that a job waits for.

    Args:
        jobs: One job or its id, or a list of these.
        allow_failure: Whether the job also runs if one of them failed, was stopped or canceled.
        enqueue_at_front: Whether the job then goes before all others of its queue.

    Raises:
        ValueError: The list is empty, or contains something other than jobs and ids.
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
        #: The jobs that were not given as ids.
        self.jobs = [one for one in several if not isinstance(one, str)]
        self.allow_failure = allow_failure
        self.enqueue_at_front = enqueue_at_front

    @classmethod
    def of(cls, depends_on: object) -> Dependency:
        """Return what ``depends_on=`` means: a dependency, a job, an id, or a list of these."""
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
class NextRun:
    """The decision that a job runs again.

    Attributes:
        delay: Seconds from now; 0: at once.
        at_front: Whether it goes before all others of its queue.
        counter: The field of the job that counts such runs.
        change: What is added to that field.
    """

    delay: int
    at_front: bool
    counter: str
    change: int


def after_failure(record: JobRecord, kinds: Sequence[str]) -> NextRun | None:
    """Decide whether a job that failed runs again; None: it does not.

    Args:
        kinds: The paths of the exception's classes; empty if the process died without one.
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
    return NextRun(
        _with_jitter(wait, extras.get("jitter")),
        record.enqueue_at_front_on_retry,
        counter="retries_left",
        change=allowed - 1 - (record.retries_left or 0),
    )


def after_retry_request(
    record: JobRecord, most: int, intervals: Sequence[int], at_front: bool
) -> NextRun | None:
    """Decide whether a job that returned a :class:`Retry` runs again; None: it does not."""
    done = record.number_of_retries or 0
    if done >= most:
        return None
    return NextRun(_nth(intervals, done), at_front, counter="number_of_retries", change=1)


def after_success(record: JobRecord) -> NextRun | None:
    """Decide whether a job that succeeded runs again; None: it does not."""
    allowed = record.repeats_allowed
    if not allowed or allowed < 1:
        return None
    wait = _nth(record.repeat_intervals, record.repeats_done)
    change = allowed - 1 - (record.repeats_left or 0)
    return NextRun(wait, at_front=False, counter="repeats_left", change=change)


def _nth(intervals: Sequence[int], number: int) -> int:
    """Return the wait before a run, counted from 0. The last wait holds for all further runs."""
    if not intervals:
        return 0
    # Counters in Redis may be any number, also a negative one.
    return min(max(0, intervals[min(max(number, 0), len(intervals) - 1)]), LONGEST)


def _with_jitter(wait: int, jitter: object) -> int:
    # The jitter comes from Redis, so it may be any value that Python reads from JSON.
    if not wait or not isinstance(jitter, int | float) or not 0 <= jitter <= 1:
        return wait
    return max(0, round(wait * random.uniform(1 - jitter, 1 + jitter)))


def _names(stored: object) -> Sequence[object] | None:
    return stored if isinstance(stored, list) else None


def _extras(stored: str) -> dict[str, Any]:
    try:
        found = json.loads(stored) if stored else {}
    except ValueError:
        return {}  # another tool has written the field; then only RQ's fields decide
    return found if isinstance(found, dict) else {}
