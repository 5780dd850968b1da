"""The places of a queue beside its list, by RQ's names. Reading them never writes."""

from __future__ import annotations

from typing import Any, Protocol, cast

import redis

from .connections import get_connection, prefix_of, translate_errors
from .engine.transitions import Transitions
from .exceptions import InvalidJobOperation, NoSuchJobError
from .jobs import Job
from .protocol import codec
from .protocol.keys import Keys
from .protocol.serializers import Serializer


class _Queue(Protocol):
    """What a registry needs to know of its queue."""

    name: str
    connection: redis.Redis
    job_class: type[Job]
    serializer: Serializer


class BaseRegistry:
    """A sorted set of job ids.

    Args:
        name: of the queue.
        connection: None: that of the queue.
        queue: instead of both.
    """

    _place: str

    def __init__(
        self,
        name: str = "default",
        connection: redis.Redis | None = None,
        queue: _Queue | None = None,
        **_: Any,
    ) -> None:
        self.name = queue.name if queue else name
        self.connection = queue.connection if queue else connection or get_connection(name)
        self._job_class = queue.job_class if queue else Job
        self._serializer = queue.serializer if queue else None
        self._keys = Keys(prefix_of(self.connection))

    @property
    def key(self) -> str:
        """The key of the sorted set."""
        key: str = getattr(self._keys, self._place)(self.name)
        return key

    @property
    def count(self) -> int:
        """How many ids are in it."""
        with translate_errors(self.connection):
            return int(self.connection.zcard(self.key))

    def __len__(self) -> int:
        return self.count

    def __contains__(self, job: object) -> bool:
        with translate_errors(self.connection):
            return self.connection.zscore(self.key, _id(job)) is not None

    def get_job_ids(self, start: int = 0, end: int = -1, desc: bool = False) -> list[str]:
        """Ids by their position, both ends included.

        Args:
            desc: highest score first.
        """
        with translate_errors(self.connection):
            members = cast("list[bytes]", self.connection.zrange(self.key, start, end, desc=desc))
        return [self._job_id(codec.text(member)) for member in members]

    @staticmethod
    def _job_id(member: str) -> str:
        return member


class StartedJobRegistry(BaseRegistry):
    """Jobs that run."""

    _place = "started"

    def __contains__(self, job: object) -> bool:
        return _id(job) in self.get_job_ids()  # its members are of executions, not of jobs

    @staticmethod
    def _job_id(member: str) -> str:
        # A bare id is RQ 0.5's form.
        return member.rpartition(":")[0] or member


class FinishedJobRegistry(BaseRegistry):
    """Jobs that ended well and whose results are still kept."""

    _place = "finished"


class FailedJobRegistry(BaseRegistry):
    """Jobs that failed and are still kept."""

    _place = "failed"

    def requeue(self, job_or_id: Job | str, at_front: bool = False) -> Job:
        """Put a failed job back into its queue.

        Raises:
            InvalidJobOperation: it is not in this registry.
            NoSuchJobError: it is gone.
        """
        job_id = _id(job_or_id)
        transitions = Transitions(self.connection, self._keys)
        with translate_errors(self.connection):
            verdict = transitions.requeue([job_id], at_front=at_front)[0]
        if verdict == "missing":
            raise NoSuchJobError(f"Job {job_id} is gone, so it can't be requeued.")
        if verdict != "queued":
            raise InvalidJobOperation(
                f"Job {job_id} is not among the failed jobs of {self.name!r}."
            )
        return self._job_class.fetch(job_id, self.connection, self._serializer)


class DeferredJobRegistry(BaseRegistry):
    """Jobs that wait for other jobs."""

    _place = "deferred"


class ScheduledJobRegistry(BaseRegistry):
    """Jobs that wait for their time."""

    _place = "scheduled"


class CanceledJobRegistry(BaseRegistry):
    """Jobs that were canceled."""

    _place = "canceled"


def _id(job: object) -> str:
    return job.id if isinstance(job, Job) else str(job)
