"""Which workers are there, and take jobs of a queue."""

from __future__ import annotations

from datetime import datetime

from ..protocol.records import WorkerRecord
from ..queries.snapshots import QueueCounts, Workers
from .attention.dead_workers import silent


def lost(workers: Workers, now: datetime) -> set[str]:
    """Names of those that are dead, or probably are."""
    return {*workers.expired, *(each.name for each in workers.found if silent(each, now))}


def listening(queue: str, workers: Workers, now: datetime) -> list[WorkerRecord]:
    """The workers that take jobs of a queue, without those that are dead, or probably are."""
    return [each for each in workers.found if queue in each.queues and takes_jobs(each, now)]


def takes_jobs(worker: WorkerRecord, now: datetime) -> bool:
    """Whether a worker is there, and has not been told to end."""
    return not (worker.death or worker.shutdown_requested_at or silent(worker, now))


def listeners(counts: QueueCounts, workers: Workers, now: datetime) -> int:
    """How many workers listen on a queue, without those that are dead, or probably are."""
    there = listening(counts.name, workers, now)
    # Records divide the names by commas. Where not all were read, the rest counts as alive.
    if unsure(counts.name, workers):
        known = [each for each in workers.found if counts.name in each.queues and not each.death]
        return max(counts.workers - len(known) + len(there), 0)
    return len(there)


def unsure(queue: str, workers: Workers) -> bool:
    """Whether the records do not tell which workers listen on a queue."""
    return bool(workers.more) or "," in queue


def any_at_work(workers: Workers, now: datetime) -> bool:
    """Whether any worker takes jobs, as far as is known."""
    return bool(workers.more) or any(takes_jobs(each, now) for each in workers.found)
