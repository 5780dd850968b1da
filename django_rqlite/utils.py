"""The functions of ``django_rq.utils``, under the same names.

Nothing in django_rqlite uses this module. A name without a counterpart raises an ``ImportError``
with the advice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connections as databases

from .compat.missing_names import module_getattr
from .exceptions import InvalidJobOperation, RedisUnavailableError
from .jobs.job import Job
from .metrics import statistics
from .protocol.records import JobStatus
from .queues.queue import Queue


def get_statistics(run_maintenance_tasks: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Return the counts of each queue of ``RQ_QUEUES``: see ``django_rqlite.metrics.statistics``.

    Args:
        run_maintenance_tasks: Ignored, because workers do the maintenance.

    Raises:
        RedisUnavailableError: A server does not answer.
    """
    found = statistics.get_statistics()
    for queue in found["queues"]:
        if queue["error"]:
            raise RedisUnavailableError(queue["error"])
    return found


def get_jobs(queue: Queue, job_ids: Iterable[str], registry: object = None) -> list[Job]:
    """Return the jobs with these ids, except those that do not exist. One round trip.

    Args:
        registry: Ignored; workers remove ids whose jobs have expired.
    """
    found = queue.job_class.fetch_many(job_ids, queue.connection, queue.serializer)
    return [job for job in found if job is not None]


def stop_jobs(queue: Queue, job_ids: str | Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell the workers that run these jobs to stop them.

    Returns:
        The ids of the jobs that were running, and the other ids.
    """
    stopped: list[str] = []
    others: list[str] = []
    for job_id in [job_ids] if isinstance(job_ids, str) else job_ids:
        try:
            queue.job_class(job_id, queue.connection, queue.serializer).stop()
        except InvalidJobOperation:
            others.append(job_id)
        else:
            stopped.append(job_id)
    return stopped, others


def requeue_job(queue: Queue, job: Job) -> None:
    """Enqueue a job that has ended, is scheduled or is deferred.

    Raises:
        InvalidJobOperation: The job is queued or running.
        NoSuchJobError: The job does not exist.
    """
    status = job.get_status()
    if status == JobStatus.FINISHED:
        job.refresh()
        queue.enqueue_job(job)
        return
    if status in (JobStatus.SCHEDULED, JobStatus.DEFERRED):
        job.cancel()
    job.requeue()


def reset_db_connections() -> None:
    """Close this process's database connections; the next query opens a new one.

    Workers need no such call: each of their processes has its own connections.
    """
    databases.close_all()


if not TYPE_CHECKING:  # Otherwise type checkers would accept any name.
    __getattr__ = module_getattr(__name__)
