"""RQ's registries: the places of a queue other than its list.

Reading a registry never writes.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, cast

import redis

from ..broker.broker import Broker
from ..broker.clients import get_connection
from ..compat.missing_names import module_getattr
from ..engine.engine import Engine
from ..exceptions import InvalidJobOperation, NoSuchJobError
from ..jobs.job import Job
from ..protocol import codec
from ..protocol.places import job_id_of
from ..protocol.serializers import Serializer


class _Queue(Protocol):
    """The attributes of a queue that a registry needs."""

    name: str
    connection: redis.Redis
    job_class: type[Job]
    serializer: Serializer
    _broker: Broker


class BaseRegistry:
    """A sorted set of job ids.

    Args:
        name: The name of the queue.
        connection: ``None``: the client of the queue.
        job_class: ``None``: the queue's.
        queue: The queue, instead of its name, connection and serializer.
        serializer: ``None``: the queue's.
    """

    _place: str

    def __init__(
        self,
        name: str = "default",
        connection: redis.Redis | None = None,
        job_class: type[Job] | None = None,
        queue: _Queue | None = None,
        serializer: object = None,
    ) -> None:
        self.name = queue.name if queue else name
        self.connection = queue.connection if queue else connection or get_connection(name)
        self.job_class = job_class or (queue.job_class if queue else Job)
        self._serializer = queue.serializer if queue else serializer
        self._broker = queue._broker if queue else Broker.of(self.connection)

    @property
    def key(self) -> str:
        """The key of the sorted set."""
        key: str = getattr(self._broker.keys, self._place)(self.name)
        return key

    @property
    def count(self) -> int:
        """How many ids are in it."""
        with self._broker.translate_errors():
            return int(self.connection.zcard(self.key))

    def __len__(self) -> int:
        return self.count

    def __eq__(self, other: object) -> bool:
        """Whether it is the same sorted set on the same server."""
        if type(other) is not type(self) or not isinstance(other, BaseRegistry):
            return NotImplemented
        return self.key == other.key and self._broker.is_same(other._broker)

    def __hash__(self) -> int:
        return hash(self.key)

    def __contains__(self, job: object) -> bool:
        return self._score(_id(job)) is not None

    def get_job_count(self, cleanup: bool = True) -> int:
        """How many ids are in it.

        Args:
            cleanup: Without effect, for RQ's callers; see :meth:`cleanup`.
        """
        return self.count

    def get_job_ids(
        self, start: int = 0, end: int = -1, desc: bool = False, cleanup: bool = True
    ) -> list[str]:
        """Ids of the jobs at these positions in the registry.

        Args:
            start: The first position.
            end: The last position, included; −1 for the end.
            desc: Whether the highest score comes first.
            cleanup: Without effect, for RQ's callers; see :meth:`cleanup`.
        """
        return list(map(self._job_id, self._members(start, end, desc)))

    def _members(self, start: int, end: int, desc: bool) -> list[str]:
        with self._broker.translate_errors():
            members = cast("list[bytes]", self.connection.zrange(self.key, start, end, desc=desc))
        return list(map(codec.text, members))

    def get_expiration_time(self, job: Job | str) -> datetime | None:
        """The score of a job as a time. Its meaning depends on the registry.

        Returns:
            The time; ``None``: the job is kept for ever.

        Raises:
            NoSuchJobError: The job is not in the registry.
        """
        score = self._score(_id(job))
        if score is None:
            raise NoSuchJobError(
                f"Job {_id(job)} is not among the {self._place} jobs of {self.name!r}."
            )
        # Failed jobs that are kept for ever have -1, finished ones +inf, as in RQ.
        if score < 0 or math.isinf(score):
            return None
        try:
            return datetime.fromtimestamp(score, UTC)
        except (ValueError, OverflowError, OSError):
            return datetime.max.replace(tzinfo=UTC)  # beyond the calendar

    def remove(self, job: Job | str, *, delete_job: bool = False) -> None:
        """Delete a job and all its data.

        Args:
            job: The job, or its id.
            delete_job: Must be ``True``. With ``False``, RQ removes the id and leaves the job,
                which is then in no place.

        Raises:
            InvalidJobOperation: ``delete_job`` is ``False``.
        """
        if not delete_job:
            raise InvalidJobOperation(
                f"Job {_id(job)} can't be removed from its registry and be kept: it would be in no "
                "place. Delete it (delete_job=True), cancel it, or requeue it."
            )
        with self._broker.translate_errors():
            Engine(self._broker).delete([_id(job)])

    def cleanup(self, timestamp: float | None = None) -> None:
        """Do nothing. Every worker cleans the registries of its queues."""

    def _score(self, job_id: str) -> float | None:
        with self._broker.translate_errors():
            return self.connection.zscore(self.key, job_id)

    @staticmethod
    def _job_id(member: str) -> str:
        return member


class StartedJobRegistry(BaseRegistry):
    """Jobs that run. The time stored with each is the end of its worker's lease."""

    _place = "started"

    def get_job_and_execution_ids(
        self, start: int = 0, end: int = -1, desc: bool = False, cleanup: bool = True
    ) -> list[tuple[str, str]]:
        """Ids of jobs and of their executions; see :meth:`get_job_ids`.

        The execution's id is ``''`` if it is not stored, as by RQ 0.5.
        """
        members = self._members(start, end, desc)
        pairs = [member.rpartition(":") for member in members]
        return [
            (job_id, execution) if job_id else (execution, "") for job_id, _, execution in pairs
        ]

    def _score(self, job_id: str) -> float | None:
        # A member also names an execution. There are only as many members as running jobs.
        with self._broker.translate_errors():
            members = self.connection.zrange(self.key, 0, -1, withscores=True)
        pairs = cast("list[tuple[bytes, float]]", members)
        scores = [score for member, score in pairs if self._job_id(codec.text(member)) == job_id]
        return max(scores, default=None)

    @staticmethod
    def _job_id(member: str) -> str:
        # A bare id is RQ 0.5's form.
        return job_id_of(member)


class FinishedJobRegistry(BaseRegistry):
    """Jobs that succeeded and whose results have not expired."""

    _place = "finished"


class _RequeueableJobRegistry(BaseRegistry):
    """Jobs that can be requeued."""

    def requeue(self, job_or_id: Job | str, at_front: bool = False) -> Job:
        """Put a job back into its queue; see :meth:`Job.requeue`.

        Args:
            job_or_id: The job, or its id.
            at_front: Whether the job goes to the front of its queue.

        Raises:
            InvalidJobOperation: The job has not failed and is not canceled.
            NoSuchJobError: There is no such job.
        """
        job = self.job_class(_id(job_or_id), self.connection, self._serializer)
        job.origin = self.name
        job.requeue(at_front)
        job.refresh()
        return job


class FailedJobRegistry(_RequeueableJobRegistry):
    """Jobs that failed and have not expired."""

    _place = "failed"


class DeferredJobRegistry(BaseRegistry):
    """Jobs that wait for other jobs."""

    _place = "deferred"


class ScheduledJobRegistry(BaseRegistry):
    """Jobs that wait until they are due."""

    _place = "scheduled"

    def get_scheduled_time(self, job_or_id: Job | str) -> datetime:
        """When a job is due.

        Raises:
            NoSuchJobError: The job is not scheduled (any more).
        """
        due = self.get_expiration_time(job_or_id)
        return datetime.max.replace(tzinfo=UTC) if due is None else due


class CanceledJobRegistry(_RequeueableJobRegistry):
    """Jobs that were canceled."""

    _place = "canceled"


def clean_registries(queue: object, exception_handlers: object = None) -> None:
    """Do nothing. Every worker cleans the registries of its queues.

    Args:
        queue: Without effect, for RQ's callers.
        exception_handlers: Without effect, for RQ's callers.
    """


def _id(job: object) -> str:
    return job.id if isinstance(job, Job) else str(job)


if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = module_getattr(__name__)
