"""What ``rqworker`` and ``rqworker-pool`` share: the options of a worker, and making one."""

from __future__ import annotations

import logging
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandParser

from .. import checks, conf
from ..compat.class_paths import translate_path
from ..conf.classes import resolve_class
from ..jobs.job import Job
from ..queues.lookup import get_queue
from ..queues.queue import Queue
from ..worker import DequeueStrategy, Worker
from ..worker.children import database_connections as databases
from ..worker.served_queues import shared_client
from .number_options import not_negative, positive

logger = logging.getLogger("django_rqlite.worker")

_T = TypeVar("_T")


class WorkerCommand(BaseCommand):
    """A command that has workers run."""

    def add_arguments(self, parser: CommandParser) -> None:
        # Django's own option. Without it, what LOGGING says counts.
        parser.set_defaults(verbosity=None)
        parser.add_argument(
            "queues",
            nargs="*",
            help="queues in the order of preference; default: all of RQ_QUEUES, in their order",
        )
        parser.add_argument("--burst", action="store_true", help="end when no job is left")
        parser.add_argument(
            "--name",
            help=(
                "the worker's name; default: <host>.<pid>, and an addition where a live worker of "
                "another container bears that"
            ),
        )
        parser.add_argument("--max-jobs", type=positive, metavar="N", help="end after N jobs")
        parser.add_argument(
            "--max-idle-time",
            type=positive,
            metavar="SECONDS",
            help="end after so long without a job",
        )
        parser.add_argument(
            "--worker-ttl",
            type=positive,
            default=420,
            metavar="SECONDS",
            help="how long the worker stays listed without a heartbeat (default: 420)",
        )
        parser.add_argument(
            "--grace",
            type=not_negative,
            metavar="SECONDS",
            help=(
                "how long running jobs may go on after SIGTERM or SIGINT before they are put back "
                "at the front of their queue (default: as long as their timeouts)"
            ),
        )
        parser.add_argument(
            "--concurrency",
            type=positive,
            default=1,
            metavar="N",
            help="how many jobs run at once, each in its own process (default: 1)",
        )
        parser.add_argument(
            "--max-jobs-per-child",
            type=not_negative,
            default=1,
            metavar="N",
            help="replace a process after N jobs (default: 1; 0: never)",
        )
        parser.add_argument(
            "--max-child-memory",
            type=positive,
            metavar="MIB",
            help="replace a process whose resident memory is larger than this after its job",
        )
        parser.add_argument(
            "--dequeue-strategy",
            "-ds",
            choices=[str(strategy) for strategy in DequeueStrategy],
            help=(
                "which queue is looked at first: always the first named (default), each in turn, "
                "or any"
            ),
        )
        parser.add_argument(
            "--with-scheduler",
            action="store_true",
            help="accepted for django-rq's sake: every worker enqueues scheduled jobs",
        )
        parser.add_argument("--pid", metavar="FILE", help="write the process id into FILE")
        parser.add_argument(
            "--serializer",
            help="'pickle', 'json' or a dotted path, instead of each queue's SERIALIZER",
        )
        parser.add_argument("--queue-class", help="dotted path, instead of QUEUE_CLASS")
        parser.add_argument("--job-class", help="dotted path, instead of JOB_CLASS")
        parser.add_argument(
            "--worker-class",
            help=(
                "dotted path, instead of WORKER_CLASS; RQ's own classes, such as "
                "rq.worker.HerokuWorker, mean those of the same names here"
            ),
        )

    def close_what_apps_opened(self) -> None:
        """Close the connections to databases that were opened while the project was loaded.

        Whoever calls the command from code has connections of its own: these stay open.
        """
        if self._called_from_command_line:  # type: ignore[attr-defined]
            databases.close()

    def check(self, *args: Any, **kwargs: Any) -> None:
        # A cron entry that can't be used is no reason not to run jobs; the worker logs it.
        with checks.without_cron():
            super().check(*args, **kwargs)


def queues_of(options: dict[str, Any]) -> list[Queue]:
    """The queues that the options name. Connects to nothing.

    Raises:
        RQLiteError: the options or the settings can't be used.
    """
    queue_class = _class_given(options, "queue_class", Queue)
    job_class = _class_given(options, "job_class", Job)
    names = list(dict.fromkeys(options["queues"])) or list(conf.queues())
    queues = [
        get_queue(
            name,
            queue_class=queue_class,
            job_class=job_class,
            serializer=options["serializer"],
        )
        for name in names
    ]
    shared_client(queues)
    return queues


def class_of(options: dict[str, Any], queues: list[Queue]) -> type[Worker]:
    """The class of worker that the options, or else the settings, name.

    Raises:
        ConfigurationError: it can't be imported, or is none.
    """
    given = _class_given(options, "worker_class", Worker)
    configured = conf.queue(queues[0].name).worker_class
    return given or resolve_class(configured, Worker, Worker, "WORKER_CLASS")


def _class_given(options: dict[str, Any], name: str, base: type[_T]) -> type[_T] | None:
    """The class that an option names; None where it is not given."""
    given = options[name]
    flag = f"--{name.replace('_', '-')} {given}"
    return resolve_class(translate_path(given), base, base, flag) if given else None


def make_worker(options: dict[str, Any], name: str | None) -> Worker:
    """A worker as the options say.

    Args:
        name: None: ``<host>.<pid>``.

    Raises:
        RQLiteError: the options or the settings can't be used, or Redis does not answer.
    """
    queues = queues_of(options)
    if options["with_scheduler"]:
        logger.debug("--with-scheduler is not needed: every worker enqueues scheduled jobs.")
    return class_of(options, queues)(
        queues,
        name=name,
        burst=options["burst"],
        max_jobs=options["max_jobs"],
        max_idle_time=options["max_idle_time"],
        worker_ttl=options["worker_ttl"],
        grace=options["grace"],
        concurrency=options["concurrency"],
        max_jobs_per_child=options["max_jobs_per_child"],
        max_child_memory=options["max_child_memory"],
        dequeue_strategy=options["dequeue_strategy"],
    )
