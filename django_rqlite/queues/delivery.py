"""Delivers jobs to their places.

A queue first makes a job with its options, record and signature. Then it passes the job to its
*delivery*, which it has chosen in ``__init__``. There are three:

- :class:`RedisDelivery` writes to Redis at once;
- :class:`InPlaceDelivery` runs the job in the caller's process (``ASYNC: False``);
- :class:`~.commit.AfterCommitDelivery` passes the job to one of these two when the open
  transactions have committed or the request has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import redis

from ..broker.broker import Broker
from ..engine.engine import Engine, NewJob
from ..engine.enqueue import PendingEnqueue
from ..exceptions import DuplicateJobError
from ..execution.in_place import run_in_place
from ..jobs.job import Job
from ..protocol.records import JobStatus
from ..signals import job_enqueued, send


class PreparedJob(NamedTuple):
    """A job that is ready to be delivered.

    Attributes:
        job: The job.
        entry: The values with which it enters its queue. Its hash is serialized during the call
            that enqueues, so that this call raises errors about the job.
        due: When it is due, in Unix seconds; ``None``: see ``delay``.
        delay: Seconds from its delivery until it is due; ``None``: it is due at once.
    """

    job: Job
    entry: NewJob
    due: float | None = None
    delay: float | None = None


class Delivered(NamedTuple):
    """The result of a delivery of many jobs.

    Attributes:
        jobs: Those that were delivered, in their order.
        refused: One error for each of the others.
    """

    jobs: list[Job]
    refused: list[DuplicateJobError]

    def result(self) -> Delivered:
        """This object. It is its own :class:`Receipt` if there is nothing to wait for."""
        return self


class Receipt(Protocol):
    """The pending result of a delivery."""

    def result(self) -> Delivered:
        """Wait until the jobs have been delivered.

        Raises:
            RedisUnavailableError: The server does not answer.
            Exception: Some jobs could not be enqueued for another reason. This is the first such
                error.
        """


class Delivery(Protocol):
    """Delivers jobs to their places."""

    def deliver(self, prepared: PreparedJob) -> None:
        """Deliver one job.

        Raises:
            DuplicateJobError: The job is refused.
            PayloadTooLargeError: The server does not accept so many bytes.
            RedisUnavailableError: The server does not answer.
            RedisRefusedError: The server cannot store the job now.
        """

    def deliver_many(self, batch: Sequence[PreparedJob]) -> Receipt:
        """Begin to deliver jobs, none of which is scheduled. The caller can continue meanwhile.

        Returns:
            A receipt. Its ``result()`` must be called, because it returns a connection to the pool.
        """


class RedisDelivery:
    """Delivers to Redis at once, each job with one script in one round trip."""

    def __init__(self, broker: Broker, engine: Engine) -> None:
        self._broker = broker
        self._engine = engine

    def deliver(self, prepared: PreparedJob) -> None:
        """See :meth:`Delivery.deliver`."""
        job, entry, due, delay = prepared
        # Use job.minted and not the entry's: the same job may have been delivered before.
        status: str
        try:
            if entry.parents:
                status, detail = self._engine.defer(
                    entry.id,
                    entry.queue,
                    entry.fields,
                    entry.parents,
                    minted=job.minted,
                    unique=entry.unique,
                    allow_failure=entry.allow_failure,
                    due=due,
                    delay=delay,
                )
            elif due is not None or delay is not None:
                self._engine.schedule(
                    entry.id,
                    entry.queue,
                    entry.fields,
                    minted=job.minted,
                    unique=entry.unique,
                    due=due,
                    delay=delay,
                )
                status, detail = JobStatus.SCHEDULED, ""
            else:
                detail = self._engine.enqueue(
                    entry.id,
                    entry.queue,
                    entry.fields,
                    minted=job.minted,
                    unique=entry.unique,
                    at_front=entry.at_front,
                    ttl=entry.ttl,
                )
                status = JobStatus.QUEUED
        except redis.RedisError:
            # Enter the block only here, because it would take time for every job.
            with self._broker.translate_errors():
                raise
        job._entered(status, detail)
        if job_enqueued.receivers:
            send(job_enqueued, job)

    def deliver_many(self, batch: Sequence[PreparedJob]) -> Receipt:
        """See :meth:`Delivery.deliver_many`. All jobs travel in one round trip."""
        with self._broker.translate_errors():
            pending = self._engine.enqueue_many([prepared.entry for prepared in batch])
        return _RedisReceipt(self._broker, batch, pending)


class _RedisReceipt:
    """The receipt for jobs that were sent to the server."""

    def __init__(
        self, broker: Broker, batch: Sequence[PreparedJob], pending: PendingEnqueue
    ) -> None:
        self._broker = broker
        self._batch = batch
        self._pending = pending

    def result(self) -> Delivered:
        """See :meth:`Receipt.result`."""
        with self._broker.translate_errors():
            outcomes = self._pending.outcomes()
        jobs: list[Job] = []
        refused: list[DuplicateJobError] = []
        failures: list[Exception] = []
        for (job, _, _, _), outcome in zip(self._batch, outcomes, strict=True):
            if isinstance(outcome, tuple):
                job._entered(*outcome)
                jobs.append(job)
                if job_enqueued.receivers:
                    send(job_enqueued, job)
            elif isinstance(outcome, DuplicateJobError):
                refused.append(outcome)
            else:
                failures.append(outcome)
        if failures:
            with self._broker.translate_errors():
                raise failures[0]
        return Delivered(jobs, refused)


class InPlaceDelivery:
    """Runs jobs in the caller's process and stores their outcomes, as a worker would.

    A job that is scheduled, or that waits for other jobs, goes to Redis. Workers run it.
    """

    def __init__(self, broker: Broker, engine: Engine) -> None:
        self._broker = broker
        self._engine = engine
        self._to_redis = RedisDelivery(broker, engine)

    def deliver(self, prepared: PreparedJob) -> None:
        """See :meth:`Delivery.deliver`. An exception of the job's function is an outcome."""
        job, entry, due, delay = prepared
        if (
            due is not None
            or delay is not None
            or (entry.parents and not job.dependencies_are_met())
        ):
            self._to_redis.deliver(prepared)
        else:
            run_in_place(job, entry, self._broker, self._engine)

    def deliver_many(self, batch: Sequence[PreparedJob]) -> Receipt:
        """See :meth:`Delivery.deliver_many`. The jobs run one after the other."""
        delivered = Delivered([], [])
        for prepared in batch:
            try:
                self.deliver(prepared)
            except DuplicateJobError as exc:
                delivered.refused.append(exc)
            else:
                delivered.jobs.append(prepared.job)
        return delivered


def summary(refused: Sequence[DuplicateJobError]) -> DuplicateJobError:
    """One error for all refused jobs of a call. There must be at least one."""
    if len(refused) == 1:
        return refused[0]
    return DuplicateJobError(
        f"{len(refused)} jobs were refused as duplicates, and all others were enqueued. The first "
        f"refusal: {refused[0]}"
    )
