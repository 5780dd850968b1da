"""What the read model answers: of queues, of jobs and of workers."""

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
    """How many ids are in each place of a queue, and how many workers listen to it."""

    name: str
    places: Mapping[Place, int]
    workers: int
    #: Keys that hold something other than they should, in sentences.
    problems: tuple[str, ...] = ()
    #: Whether the set of queues has it: anything was ever enqueued to it.
    listed: bool = False
    #: Whether workers take nothing from it.
    paused: bool = False


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """What ``rqstats`` tells of a queue."""

    counts: QueueCounts
    #: When the job that is next was enqueued; None: none waits, or it does not say.
    oldest: datetime | None
    #: Process id of the worker of RQ that schedules for it; None: there is none, or it is unknown.
    scheduler_pid: int | None


@dataclass(frozen=True, slots=True)
class ServerStatistics:
    """What ``rqstats`` tells of one server."""

    #: In the order asked for.
    queues: Sequence[QueueStatistics]
    #: Whether workers take no jobs at all.
    suspended: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The queues of one server, and who works for them."""

    #: Those asked for, in the order asked for.
    asked: Sequence[QueueCounts]
    #: Those which the server knows beside them, by name.
    others: Sequence[QueueCounts]
    #: How many more it knows, which were not read.
    more: int
    #: When the next job of each queue was enqueued, by name; missing where none waits, or it is not
    #: known.
    oldest: Mapping[str, datetime]
    #: What ran in each queue, by name: within the hours asked for in those asked for, and within
    #: the last hour in the others.
    throughput: Mapping[str, Throughput]
    #: Whether scheduled jobs are queued in time, by name.
    schedule_delays: Mapping[str, ScheduleDelay]
    workers: Workers
    #: Of each queue those that end first.
    leases: Sequence[Lease]
    cron: Sequence[CronRecord]
    #: How many more cron entries there are, which were not read.
    more_cron: int
    #: Keys that hold something other than they should, but for those that ``problems`` tell of.
    wrong_type_keys: Sequence[WrongTypeKey] = ()

    @property
    def suspended(self) -> bool:
        """Whether workers take no jobs at all."""
        return self.workers.suspended


@dataclass(frozen=True, slots=True)
class Parents:
    """The jobs that a deferred one waits for."""

    #: Some of them, by id: summaries, or None where they are gone.
    some: Sequence[tuple[str, JobRecord | None]]
    #: How many there are.
    count: int


NO_PARENTS = Parents((), 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One id of a place; ``job`` is None where the id has no hash (it expired, or was deleted)."""

    id: str
    #: A summary: ``data`` is empty, ``meta``, ``result`` and ``exc_info`` are missing.
    job: JobRecord | None
    #: The sorted set's score, as unix seconds: what it means depends on the place. None: a list.
    score: float | None
    #: The outcome of the job's last execution; only for failed jobs without ``error``.
    last: ResultRecord | None = None
    #: What a deferred job waits for.
    parents: Parents = NO_PARENTS


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a place."""

    total: int
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything kept about one job."""

    job: JobRecord
    #: Newest first.
    results: Sequence[ResultRecord]
    #: Seconds until the hash expires; None: never.
    expires_in: int | None
    #: What it logged, as far as that is kept; oldest line first.
    log: Sequence[str] = ()
    #: Ids of jobs that wait for it, no more than :data:`.monitor.DEPENDENTS_SHOWN`; and how many
    #: there are.
    dependents: Sequence[str] = ()
    dependent_count: int = 0
    #: Unix seconds at which a scheduled job is due; None: it is not scheduled.
    due: float | None = None
    #: Summaries of jobs that it waits for, or that wait for it, by id; those without a hash are
    #: missing.
    relatives: Mapping[str, JobRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExpiredWorker:
    """A worker that is listed, but whose record has expired."""

    name: str


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers of one server."""

    #: By name.
    found: Sequence[WorkerRecord]
    #: Names without a record: it expired, so the worker ended without taking its leave.
    expired: Sequence[str]
    #: How many more there are, which were not read.
    more: int
    #: Whether none of them takes a job.
    suspended: bool
    #: Of each queue the leases that end first; none where nobody asked for them.
    leases: Sequence[Lease] = ()
