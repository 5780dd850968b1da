"""The places of a queue beside its list, by RQ's names. Reading them never writes."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, cast

import redis

from ..broker.broker import Broker
from ..broker.clients import get_connection
from ..broker.errors import translate_errors
from ..compat.missing_names import module_getattr
from ..engine.engine import Engine
from ..exceptions import InvalidJobOperation, NoSuchJobError
from ..jobs.job import Job
from ..protocol import codec
from ..protocol.places import job_id_of
from ..protocol.serializers import Serializer


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
        job_class: None: the queue's.
        queue: instead of name, connection and serializer.
        serializer: None: the queue's.
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
        self._broker = Broker.of(self.connection)

    @property
    def key(self) -> str:
        """The key of the sorted set."""
        key: str = getattr(self._broker.keys, self._place)(self.name)
        return key

    @property
    def count(self) -> int:
        """How many ids are in it."""
        with translate_errors(self.connection):
            return int(self.connection.zcard(self.key))

    def __len__(self) -> int:
        return self.count

    def __eq__(self, other: object) -> bool:
        """Whether it is the same sorted set on the same server."""
        if type(other) is not type(self) or not isinstance(other, BaseRegistry):
            return NotImplemented
        return self.key == other.key and Broker.of(self.connection).is_same(
            Broker.of(other.connection)
        )

    def __hash__(self) -> int:
        return hash(self.key)

    def __contains__(self, job: object) -> bool:
        return self._score(_id(job)) is not None

    def get_job_count(self, cleanup: bool = True) -> int:
        """How many ids are in it.

        Args:
            cleanup: accepted for RQ's sake; see :meth:`cleanup`.
        """
        return self.count

    def get_job_ids(
        self, start: int = 0, end: int = -1, desc: bool = False, cleanup: bool = True
    ) -> list[str]:
        """Ids by their position, both ends included.

        Args:
            desc: highest score first.
            cleanup: accepted for RQ's sake; see :meth:`cleanup`.
        """
        return list(map(self._job_id, self._members(start, end, desc)))

    def _members(self, start: int, end: int, desc: bool) -> list[str]:
        with translate_errors(self.connection):
            members = cast("list[bytes]", self.connection.zrange(self.key, start, end, desc=desc))
        return list(map(codec.text, members))

    def get_expiration_time(self, job: Job | str) -> datetime | None:
        """The time that is kept with a job; what it means depends on the registry. None: for ever.

        Raises:
            NoSuchJobError: the job is not in it.
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
            return datetime.max.replace(tzinfo=UTC)  # later than the calendar ends

    def remove(self, job: Job | str, *, delete_job: bool = False) -> None:
        """Delete a job; everything that is kept of it goes too.

        Args:
            delete_job: must be true. RQ can take an id out of its registry and leave the job, which
                is then nowhere.

        Raises:
            InvalidJobOperation: it was not to be deleted.
        """
        if not delete_job:
            raise InvalidJobOperation(
                f"Job {_id(job)} can't be taken out of a registry and be kept: it would be "
                "nowhere. Delete it (delete_job=True), cancel it, or requeue it."
            )
        with translate_errors(self.connection):
            Engine(self._broker).delete([_id(job)])

    def cleanup(self, timestamp: float | None = None) -> None:
        """Do nothing, and need not be called: every worker tidies its queues' registries."""

    def _score(self, job_id: str) -> float | None:
        with translate_errors(self.connection):
            return self.connection.zscore(self.key, job_id)

    @staticmethod
    def _job_id(member: str) -> str:
        return member


class StartedJobRegistry(BaseRegistry):
    """Jobs that run; the time kept with each is the end of its worker's lease."""

    _place = "started"

    def get_job_and_execution_ids(
        self, start: int = 0, end: int = -1, desc: bool = False, cleanup: bool = True
    ) -> list[tuple[str, str]]:
        """Ids of jobs and of their executions; see :meth:`get_job_ids`.

        The execution's is ``''`` where it is not recorded, as by RQ 0.5.
        """
        members = self._members(start, end, desc)
        pairs = [member.rpartition(":") for member in members]
        return [
            (job_id, execution) if job_id else (execution, "") for job_id, _, execution in pairs
        ]

    def _score(self, job_id: str) -> float | None:
        # Its members are of executions, not of jobs. There are as many as workers run at once.
        with translate_errors(self.connection):
            members = self.connection.zrange(self.key, 0, -1, withscores=True)
        pairs = cast("list[tuple[bytes, float]]", members)
        scores = [score for member, score in pairs if self._job_id(codec.text(member)) == job_id]
        return max(scores, default=None)

    @staticmethod
    def _job_id(member: str) -> str:
        # A bare id is RQ 0.5's form.
        return job_id_of(member)


class FinishedJobRegistry(BaseRegistry):
    """Jobs that ended well and whose results are still kept."""

    _place = "finished"


class _Revivable(BaseRegistry):
    """Jobs that can be put back into their queue."""

    def requeue(self, job_or_id: Job | str, at_front: bool = False) -> Job:
        """Put a job back into its queue.

        Raises:
            InvalidJobOperation: it is not in this registry.
            NoSuchJobError: it is gone.
        """
        job_id = _id(job_or_id)
        transitions = Engine(self._broker)
        with translate_errors(self.connection):
            verdict = transitions.requeue([job_id], at_front=at_front)[0]
        if verdict == "missing":
            raise NoSuchJobError(f"Job {job_id} is gone, so it can't be requeued.")
        if verdict != "queued":
            raise InvalidJobOperation(
                f"Job {job_id} is not among the {self._place} jobs of {self.name!r}."
            )
        return self.job_class.fetch(job_id, self.connection, self._serializer)


class FailedJobRegistry(_Revivable):
    """Jobs that failed and are still kept."""

    _place = "failed"


class DeferredJobRegistry(BaseRegistry):
    """Jobs that wait for other jobs."""

    _place = "deferred"


class ScheduledJobRegistry(BaseRegistry):
    """Jobs that wait for their time."""

    _place = "scheduled"

    def get_scheduled_time(self, job_or_id: Job | str) -> datetime:
        """When a job is due.

        Raises:
            NoSuchJobError: it is not (or no longer) scheduled.
        """
        due = self.get_expiration_time(job_or_id)
        return datetime.max.replace(tzinfo=UTC) if due is None else due


class CanceledJobRegistry(_Revivable):
    """Jobs that were canceled."""

    _place = "canceled"


def clean_registries(queue: object, exception_handlers: object = None) -> None:
    """Do nothing, and need not be called: every worker tidies its queues' registries.

    Args:
        queue, exception_handlers: without effect, for RQ's callers.
    """


def _id(job: object) -> str:
    return job.id if isinstance(job, Job) else str(job)


if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = module_getattr(__name__)
