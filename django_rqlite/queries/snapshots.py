"""The answers of the queries, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..engine.wrong_type_keys import WrongTypeKey
from ..protocol.cron_records import CronRecord
from ..protocol.places import Place
from ..protocol.records import JobRecord
from ..protocol.stored_result import ResultRecord
from ..protocol.stored_worker import WorkerRecord
from .leases import Lease
from .schedule_delay import ScheduleDelay
from .throughput import Throughput


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many jobs are in each place of a queue, and how many workers listen to it."""

    name: str
    places: Mapping[Place, int]
    workers: int
    #: Keys of the wrong type, in sentences.
    problems: tuple[str, ...] = ()
    #: Whether it is in the set of queues, which means that a job was once enqueued to it.
    listed: bool = False
    #: Whether it is paused.
    paused: bool = False


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """What ``rqstats`` and the metrics say about a queue."""

    counts: QueueCounts
    #: When its next job was enqueued; None: no job waits, or the time is unknown.
    oldest: datetime | None
    #: The process id of the scheduler of RQ that serves it; None: no scheduler serves it, or the id
    #: is unknown.
    scheduler_pid: int | None


@dataclass(frozen=True, slots=True)
class ServerStatistics:
    """What ``rqstats`` and the metrics say about one server."""

    #: In the order in which they were asked for.
    queues: Sequence[QueueStatistics]
    #: Whether the workers are suspended.
    suspended: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of one server: its queues, workers and cron entries."""

    #: The queues that were asked for, in that order.
    asked: Sequence[QueueCounts]
    #: Other queues that the server knows, by name.
    others: Sequence[QueueCounts]
    #: How many more queues the server knows. They were not read.
    more: int
    #: When the next job of each queue was enqueued, by name. Queues for which this is unknown are
    #: missing.
    oldest: Mapping[str, datetime]
    #: The runs of each queue, by name: in the hours that were asked for, and for other queues in
    #: the last hour.
    throughput: Mapping[str, Throughput]
    #: Whether scheduled jobs are late, by the name of the queue.
    schedule_delays: Mapping[str, ScheduleDelay]
    workers: Workers
    #: The leases of each queue that expire first.
    leases: Sequence[Lease]
    cron: Sequence[CronRecord]
    #: How many more cron entries the server knows. They were not read.
    more_cron: int
    #: Keys of the wrong type, apart from those in the ``problems`` of queues.
    wrong_type_keys: Sequence[WrongTypeKey] = ()

    @property
    def suspended(self) -> bool:
        """Whether the workers are suspended."""
        return self.workers.suspended


@dataclass(frozen=True, slots=True)
class Parents:
    """The jobs that a deferred job waits for."""

    #: Some of them: ids with summaries. None if a job is gone.
    some: Sequence[tuple[str, JobRecord | None]]
    #: How many there are in total.
    count: int


NO_PARENTS = Parents((), 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One id in a place, with its job."""

    id: str
    #: A summary: ``data`` is empty; ``meta``, ``result`` and ``exc_info`` are missing. None if the
    #: job is gone.
    job: JobRecord | None
    #: The score in the sorted set, in unix seconds. Its meaning depends on the place. None in a
    #: list.
    score: float | None
    #: The last outcome of a failed job without ``error``.
    last: ResultRecord | None = None
    #: The jobs that a deferred job waits for.
    parents: Parents = NO_PARENTS


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a place."""

    total: int
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything that is stored about one job."""

    job: JobRecord
    #: Newest first.
    results: Sequence[ResultRecord]
    #: Seconds until the hash expires; None: never.
    expires_in: int | None
    #: The lines that it logged, oldest first.
    log: Sequence[str] = ()
    #: Ids of its dependents, up to :data:`.limits.DEPENDENTS_SHOWN`; and how many there are.
    dependents: Sequence[str] = ()
    dependent_count: int = 0
    #: Unix seconds at which a scheduled job is due; None: it is not scheduled.
    due: float | None = None
    #: Summaries of its dependencies and dependents, by id. Jobs that are gone are missing.
    relatives: Mapping[str, JobRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExpiredWorker:
    """A registered worker whose record has expired."""

    name: str


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers of one server."""

    #: By name.
    found: Sequence[WorkerRecord]
    #: The names of workers whose records have expired: they ended without unregistering.
    expired: Sequence[str]
    #: How many more workers there are. They were not read.
    more: int
    #: Whether they are suspended.
    suspended: bool
    #: The leases of each queue that expire first; empty if they were not asked for.
    leases: Sequence[Lease] = ()
