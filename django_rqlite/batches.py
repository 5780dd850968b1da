"""Many jobs into one queue, a thousand in each round trip.

Each of them is a run of the script that enqueues one, sent in a pipeline. A single script for all
would take a third of the time at the server's end (20 ms instead of 60 for a thousand small jobs,
beside 55 to serialize and sign them here), but would keep the server from everybody else meanwhile,
and let one bad job end it halfway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from .commit import push_when_visible
from .connections import translate_errors
from .engine.transitions import NewJob
from .exceptions import DuplicateJobError, InvalidJobError
from .options import JobOptions
from .signals import job_enqueued, tell

if TYPE_CHECKING:
    from .jobs import Job
    from .queues import Queue

#: Jobs in one round trip: enough that the way there and back no longer counts, and little enough
#: that neither side holds much.
BATCH = 1000


@dataclass(frozen=True, slots=True)
class EnqueueData:
    """A call, and what was said about it; see :meth:`Queue.prepare_data`."""

    func: Callable[..., Any] | str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    options: JobOptions


def enqueue_many(
    queue: Queue,
    job_datas: Iterable[EnqueueData],
    group_id: str | None,
    *,
    ignore_duplicates: bool,
) -> list[Job]:
    """See :meth:`Queue.enqueue_many`."""
    source = iter(job_datas)
    enqueued: list[Job] = []
    refused: list[DuplicateJobError] = []
    while datas := list(islice(source, BATCH)):
        made = [_made(queue, data, group_id) for data in datas]
        if queue.is_async:
            batch = _Batch(queue, made)
            try:
                push_when_visible(queue.commit_mode, batch.push)
            except DuplicateJobError:
                refused += batch.refused
            enqueued += batch.jobs
        else:
            for job, options in made:
                try:
                    enqueued.append(queue._submit(job, options.at_front, options.unique))
                except DuplicateJobError as exc:
                    refused.append(exc)
    if refused and not ignore_duplicates:
        raise _summary(refused)
    return enqueued


def _made(queue: Queue, data: EnqueueData, group_id: str | None) -> tuple[Job, JobOptions]:
    if not isinstance(data, EnqueueData):
        raise InvalidJobError(
            f"enqueue_many() needs what Queue.prepare_data(function, ...) makes, not {data!r}."
        )
    job = queue._make(data.func, data.args, data.kwargs, data.options)
    if group_id is not None:
        job.group_id = group_id
    return job, data.options


class _Batch:
    """Jobs that are pushed together.

    Attributes:
        jobs: all of them; once they were pushed, those that were not refused.
        refused: why others were.
    """

    def __init__(self, queue: Queue, made: Sequence[tuple[Job, JobOptions]]) -> None:
        self.jobs = [job for job, _ in made]
        self.refused: list[DuplicateJobError] = []
        self._queue = queue
        # Serialized here, so that what can't be is found before anything is written.
        self._entering = [_entering(queue, job, options) for job, options in made]

    def push(self) -> None:
        """Push all of them, whatever becomes of one.

        Raises:
            DuplicateJobError: some were refused.
            RedisUnavailableError: the server does not answer.
            Exception: some could not be enqueued for another reason: that of the first.
        """
        with translate_errors(self._queue.connection):
            entered = self._queue._transitions.enqueue_many(self._entering)
        jobs, self.jobs = self.jobs, []
        failures = []
        for job, answer in zip(jobs, entered, strict=True):
            if isinstance(answer, DuplicateJobError):
                self.refused.append(answer)
            elif isinstance(answer, Exception):
                failures.append(answer)
            else:
                job._entered(*answer)
                self.jobs.append(job)
                tell(job_enqueued, job)
        if failures:
            raise failures[0]
        if self.refused:
            raise _summary(self.refused)


def _entering(queue: Queue, job: Job, options: JobOptions) -> NewJob:
    return NewJob(
        job.id,
        queue.name,
        job.to_fields(),
        job.minted,
        options.unique,
        options.at_front,
        job.waiting_ttl,
        job.dependency_ids,
        bool(job.allow_dependency_failures),
    )


def _summary(refused: Sequence[DuplicateJobError]) -> DuplicateJobError:
    if len(refused) == 1:
        return refused[0]
    return DuplicateJobError(
        f"{len(refused)} jobs were refused as duplicates, and all others were enqueued. The first "
        f"of them: {refused[0]}"
    )
