"""Which workers are alive and take jobs from a queue."""

from __future__ import annotations

from datetime import datetime

from ...protocol.stored_worker import WorkerRecord
from ...queries.snapshots import QueueCounts, Workers
from .dead_workers import is_silent


def dead_names(workers: Workers, now: datetime) -> set[str]:
    """The names of workers that are dead, or probably are."""
    return {*workers.expired, *(each.name for each in workers.found if is_silent(each, now))}


def accepts_jobs(worker: WorkerRecord, now: datetime) -> bool:
    """Whether a worker is alive and no shutdown was requested."""
    return not (worker.death or worker.shutdown_requested_at or is_silent(worker, now))


def any_accepts_jobs(workers: Workers, now: datetime) -> bool:
    """Whether any worker accepts jobs. If not all workers were read, this is assumed."""
    return bool(workers.more) or any(accepts_jobs(each, now) for each in workers.found)


def listeners_of(queue: str, workers: Workers, now: datetime) -> list[WorkerRecord]:
    """The workers that take jobs from a queue."""
    return [each for each in workers.found if queue in each.queues and accepts_jobs(each, now)]


def count_listeners(counts: QueueCounts, workers: Workers, now: datetime) -> int:
    """How many workers take jobs from a queue. Those that were not read count as alive."""
    listeners = listeners_of(counts.name, workers, now)
    if are_uncertain(counts.name, workers):
        known = [each for each in workers.found if counts.name in each.queues and not each.death]
        return max(counts.workers - len(known) + len(listeners), 0)
    return len(listeners)


def are_uncertain(queue: str, workers: Workers) -> bool:
    """Whether the records do not tell which workers listen on a queue.

    Not all records were read, or the name has a comma, which separates names in the records.
    """
    return bool(workers.more) or "," in queue
