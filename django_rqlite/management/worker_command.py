"""What ``rqworker`` and ``rqworker-pool`` share: the options of a worker, and the worker."""

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
from ..worker.children import database_connections
from ..worker.served_queues import shared_client
from .number_options import non_negative_integer, positive_integer

logger = logging.getLogger("django_rqlite.worker")

_T = TypeVar("_T")


class WorkerCommand(BaseCommand):
    """A command that runs workers."""

    def add_arguments(self, parser: CommandParser) -> None:
        # Django's own option. If it is not given, LOGGING decides.
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
                "the worker's name; default: <host>.<pid>, with a suffix if a live worker of "
                "another container has that name"
            ),
        )
        parser.add_argument(
            "--max-jobs", type=positive_integer, metavar="N", help="end after N jobs"
        )
        parser.add_argument(
            "--max-idle-time",
            type=positive_integer,
            metavar="SECONDS",
            help="end after so long without a job",
        )
        parser.add_argument(
            "--worker-ttl",
            type=positive_integer,
            default=420,
            metavar="SECONDS",
            help="how long the worker stays registered without a heartbeat (default: 420)",
        )
        parser.add_argument(
            "--grace",
            type=non_negative_integer,
            metavar="SECONDS",
            help=(
                "how long running jobs may go on after SIGTERM or SIGINT before they are put back "
                "at the front of their queue (default: as long as their timeouts)"
            ),
        )
        parser.add_argument(
            "--concurrency",
            type=positive_integer,
            default=1,
            metavar="N",
            help="how many jobs run at once, each in its own process (default: 1)",
        )
        parser.add_argument(
            "--max-jobs-per-child",
            type=non_negative_integer,
            default=1,
            metavar="N",
            help="replace a process after N jobs (default: 1; 0: never)",
        )
        parser.add_argument(
            "--max-child-memory",
            type=positive_integer,
            metavar="MIB",
            help="replace a process whose resident memory is larger than this after its job",
        )
        parser.add_argument(
            "--dequeue-strategy",
            "-ds",
            choices=[str(strategy) for strategy in DequeueStrategy],
            help=(
                "the order in which the queues are looked at: as named (default), in turn, or "
                "shuffled"
            ),
        )
        parser.add_argument(
            "--with-scheduler",
            action="store_true",
            help="accepted for django-rq's users: every worker enqueues scheduled jobs",
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

    def close_connections_of_apps(self) -> None:
        """Close the connections to databases that were opened while the project was loaded.

        If the command is called from code, they may be the caller's, and stay open.
        """
        if self._called_from_command_line:  # type: ignore[attr-defined]
            database_connections.close()

    def check(self, *args: Any, **kwargs: Any) -> None:
        # The worker logs an invalid cron entry, and runs jobs all the same.
        with checks.without_cron():
            super().check(*args, **kwargs)


def make_queues(options: dict[str, Any]) -> list[Queue]:
    """Return the queues that the options name. Opens no connection.

    Raises:
        RQLiteError: The options or the settings can't be used.
    """
    queue_class = _class_option(options, "queue_class", Queue)
    job_class = _class_option(options, "job_class", Job)
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


def worker_class(options: dict[str, Any], queues: list[Queue]) -> type[Worker]:
    """Return the worker class that the options name, or else the settings.

    Raises:
        ConfigurationError: It can't be imported, or is not a worker class.
    """
    given = _class_option(options, "worker_class", Worker)
    configured = conf.queue(queues[0].name).worker_class
    return given or resolve_class(configured, Worker, Worker, "WORKER_CLASS")


def _class_option(options: dict[str, Any], name: str, base: type[_T]) -> type[_T] | None:
    """Return the class that an option names; None if the option is not given."""
    given = options[name]
    flag = f"--{name.replace('_', '-')} {given}"
    return resolve_class(translate_path(given), base, base, flag) if given else None


def make_worker(options: dict[str, Any], name: str | None) -> Worker:
    """Return a worker with these options.

    Args:
        name: The worker's name; None: ``<host>.<pid>``.

    Raises:
        RQLiteError: The options or the settings can't be used, or Redis does not answer.
    """
    queues = make_queues(options)
    if options["with_scheduler"]:
        logger.debug("--with-scheduler is not needed: every worker enqueues scheduled jobs.")
    return worker_class(options, queues)(
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
