"""Makes the job of an instruction, with the classes and the client of its queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis

from ... import conf
from ...broker.clients import connection_for
from ...jobs.job import Job
from ...queues.queue import Queue
from .messages import Instruction


@dataclass(frozen=True, slots=True)
class JobFactory:
    """Makes the jobs of one queue.

    Attributes:
        connection: The queue's client; None if it is the one that the settings name.
        log_lines: The maximum number of log lines of a job that are stored: ``RQ["JOB_LOGS"]``.
    """

    job_class: type[Job]
    serializer: Any
    connection: redis.Redis | None = None
    log_lines: int = 0

    def job(self, instruction: Instruction) -> Job:
        """Return the job of an instruction."""
        job = self.job_class.from_state(
            instruction.job_id,
            instruction.state,
            self.serializer,
            verified=instruction.verified,
        )
        if self.connection is not None:
            job._connection = self.connection
        return job


def factory_of(queue: Queue) -> JobFactory:
    """Return the factory for the jobs of a queue."""
    configured = conf.queues().get(queue.name)
    is_usual = configured is not None and connection_for(configured) is queue.connection
    return JobFactory(
        queue.job_class,
        queue.serializer,
        None if is_usual else queue.connection,
        conf.job_logs(),
    )
