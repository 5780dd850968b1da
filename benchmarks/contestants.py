"""The job queues that are measured: their requirements and the commands of their workers."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from django_rqlite.protocol.keys import Keys

if TYPE_CHECKING:
    from redis.client import Pipeline

_QUEUE = Keys().queue("default")


class Mode(StrEnum):
    """How workers run jobs: each in a process of its own, or many in one process."""

    FORK = "fork"
    REUSED = "reused"


@dataclass(frozen=True)
class Workers:
    """How to start workers in a mode."""

    #: The arguments of Python, for each process to start.
    commands: tuple[tuple[str, ...], ...]
    #: Expected jobs per second. It only decides how many jobs the first round enqueues.
    guess: float


def _waiting_in_list(pipeline: Pipeline) -> None:
    pipeline.llen(_QUEUE)


@dataclass(frozen=True)
class Contestant:
    """A job queue, its environment and its Django site."""

    name: str
    title: str
    #: The package of ``project/`` with its settings.
    site: str
    workers: Mapping[tuple[Mode, int], Workers]
    #: What pip installs. Empty: the contestant runs in the environment of the benchmark.
    requirements: tuple[str, ...] = ()
    #: Adds the commands to a pipeline. The sum of their answers is the number of unstarted jobs.
    pending: Callable[[Pipeline], object] = _waiting_in_list
    #: The signal on which a worker finishes its running job and ends.
    stop_signal: signal.Signals = signal.SIGTERM
    #: The first entry of ``sys.path``.
    path: str = ""
    #: Environment variables of all its processes.
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def default_mode(self) -> Mode:
        """The mode of its workers without options."""
        return Mode.FORK if self.site in _FORK_BY_DEFAULT else Mode.REUSED


def _ours(count: int, *options: str) -> tuple[tuple[str, ...], ...]:
    command = ("-m", "django", "rqworker", "-v", "0", "--concurrency", str(count))
    return ((*command, *options),)


def _rq(count: int, *options: str) -> tuple[tuple[str, ...], ...]:
    return (("-m", "django", "rqworker", "-v", "0", *options),) * count


def _celery(count: int, *options: str) -> tuple[tuple[str, ...], ...]:
    command = ("-m", "celery", "-A", "with_celery.app", "worker", "--loglevel", "WARNING")
    return ((*command, "--concurrency", str(count), *options),)


def _dramatiq(count: int) -> tuple[tuple[str, ...], ...]:
    command = ("-m", "dramatiq", "with_dramatiq.tasks", "--skip-logging")
    return ((*command, "--processes", str(count), "--threads", "1"),)


def _huey(count: int, *options: str) -> tuple[tuple[str, ...], ...]:
    command = ("-m", "django", "run_huey", "--quiet", "--worker-type", "process")
    return ((*command, "--workers", str(count), *options),)


#: huey replaces a process that has ended at its next health check, by default every ten seconds.
_HUEY_FORK = ("--max-tasks", "1", "--health-check-interval", "0.1")


OURS = Contestant(
    "ours",
    "django_rqlite",
    "with_ours",
    {
        (Mode.FORK, 1): Workers(_ours(1), 400),
        (Mode.FORK, 2): Workers(_ours(2), 500),
        (Mode.REUSED, 1): Workers(_ours(1, "--max-jobs-per-child", "0"), 2000),
        (Mode.REUSED, 2): Workers(_ours(2, "--max-jobs-per-child", "0"), 2500),
    },
)

RQ = Contestant(
    "rq",
    "RQ, django-rq",
    "with_rq",
    {
        (Mode.FORK, 1): Workers(_rq(1), 100),
        (Mode.FORK, 2): Workers(_rq(2), 140),
        (Mode.REUSED, 1): Workers(_rq(1, "--worker-class", "rq.SimpleWorker"), 330),
        (Mode.REUSED, 2): Workers(_rq(2, "--worker-class", "rq.SimpleWorker"), 550),
    },
    ("rq==2.12.*", "django-rq==4.2.*"),
)

CELERY = Contestant(
    "celery",
    "Celery",
    "with_celery",
    {
        (Mode.FORK, 1): Workers(_celery(1, "--max-tasks-per-child", "1"), 1),
        (Mode.FORK, 2): Workers(_celery(2, "--max-tasks-per-child", "1"), 5),
        (Mode.REUSED, 1): Workers(_celery(1), 700),
        (Mode.REUSED, 2): Workers(_celery(2), 800),
    },
    ("celery[redis]==5.*",),
    # It prefetches some messages. These wait in a hash.
    pending=lambda pipe: (pipe.llen("celery"), pipe.hlen("unacked")),
)

DRAMATIQ = Contestant(
    "dramatiq",
    "dramatiq",
    "with_dramatiq",
    # dramatiq cannot run each job in a process of its own.
    {
        (Mode.REUSED, 1): Workers(_dramatiq(1), 3000),
        (Mode.REUSED, 2): Workers(_dramatiq(2), 4000),
    },
    ("dramatiq[redis]==2.*",),
    # All messages that are not acknowledged, since it prefetches some.
    pending=lambda pipe: pipe.hlen("dramatiq:default.msgs"),
    # By default it prefetches two messages and sleeps while it has them, which makes 300 jobs/s.
    environment={"dramatiq_queue_prefetch": "100"},
)

HUEY = Contestant(
    "huey",
    "huey",
    "with_huey",
    {
        (Mode.FORK, 1): Workers(_huey(1, *_HUEY_FORK), 10),
        (Mode.FORK, 2): Workers(_huey(2, *_HUEY_FORK), 10),
        (Mode.REUSED, 1): Workers(_huey(1), 6000),
        (Mode.REUSED, 2): Workers(_huey(2), 6000),
    },
    ("huey==3.*", "redis"),
    pending=lambda pipe: pipe.llen("huey.redis.bench"),
    stop_signal=signal.SIGINT,
)

#: The empty fork loop. It has no queue and no workers, and is measured only with FORK.
BARE = Contestant("bare", "bare fork loop", "with_ours", {})

ALL = (BARE, OURS, RQ, CELERY, DRAMATIQ, HUEY)

_FORK_BY_DEFAULT = ("with_ours", "with_rq")


def beside(name: str, path: str) -> Contestant:
    """django_rqlite in another checkout, to measure the effect of a change."""
    return Contestant(name, f"django_rqlite, {name}", OURS.site, OURS.workers, path=path)
