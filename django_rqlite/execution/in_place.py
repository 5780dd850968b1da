"""Runs a job in the process that enqueues it (``ASYNC: False``)."""

from __future__ import annotations

import uuid

import redis

from ..broker.broker import Broker
from ..broker.errors import is_transient
from ..engine.engine import Engine, Hold, NewJob
from ..jobs.job import Job
from ..protocol.records import JobRecord, JobStatus, read_job
from ..signals import job_enqueued, send
from .outcome import Outcome
from .run import perform, time_limit
from .settle import settle, unstorable

#: The worker's name in the job, as in RQ.
WORKER_NAME = "sync"

#: Seconds beyond the job's timeout after which its caller counts as dead.
LEASE_MARGIN = 60

#: Seconds of the lease of a job without a timeout.
_LEASE_WITHOUT_TIMEOUT = 86_400


def run_in_place(job: Job, entry: NewJob, broker: Broker, engine: Engine) -> None:
    """Run the job in this process and store its outcome as a worker would.

    Raises:
        DuplicateJobError: The job is refused. It has not run.
        RedisUnavailableError: The server does not answer.
        RedisRefusedError: The server cannot store the job now.
    """
    hold = Hold(entry.id, entry.queue, uuid.uuid4().hex)
    lease = (time_limit(job.timeout) or _LEASE_WITHOUT_TIMEOUT) + LEASE_MARGIN
    # Read it now: the job may change its own attributes, or make them unserializable.
    record = job.to_record()
    with broker.translate_errors():
        started = engine.start_in_place(
            hold, entry.fields, lease=lease, worker_name=WORKER_NAME, unique=entry.unique
        )
    job._entered(JobStatus.STARTED, started)
    job.started_at, job.worker_name = job.enqueued_at, WORKER_NAME
    send(job_enqueued, job)
    try:
        outcome = perform(job)
        with broker.translate_errors():
            _store(engine, hold, record, outcome)
            stored = engine.job_fields(job.id)
    finally:
        job._unstored = None
    if stored:
        job._set_stored_outcome(read_job(job.id, stored))
    else:  # its result_ttl is 0
        job._ended(JobStatus.FINISHED)


def _store(engine: Engine, hold: Hold, record: JobRecord, outcome: Outcome) -> None:
    try:
        settle(engine, "", hold, record, outcome, WORKER_NAME)
    except redis.ResponseError as exc:
        if is_transient(exc):
            raise
        # Without an outcome, a worker would run the job again when the lease has expired.
        settle(engine, "", hold, record, unstorable(outcome, exc), WORKER_NAME)
