"""``manage.py rqworker``: run jobs."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from ... import checks, conf
from ...exceptions import ConfigurationError, RQLiteError
from ...queues import get_queue
from ...worker import Worker

_LEVELS = {0: logging.WARNING, 1: logging.INFO}


class Command(BaseCommand):
    help = (
        "Run jobs from the queues named, or from all configured ones, until Ctrl-C or SIGTERM. "
        "Each job runs in a process of its own."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "queues",
            nargs="*",
            help="queues in the order of preference; default: all of RQ_QUEUES, in their order",
        )
        parser.add_argument("--burst", action="store_true", help="end when no job is left")
        parser.add_argument("--name", help="the worker's name; default: <host>.<pid>")
        parser.add_argument("--max-jobs", type=_positive, metavar="N", help="end after N jobs")
        parser.add_argument(
            "--max-idle-time",
            type=_positive,
            metavar="SECONDS",
            help="end after so long without a job",
        )
        parser.add_argument(
            "--worker-ttl",
            type=_positive,
            default=420,
            metavar="SECONDS",
            help="how long the worker stays listed without a heartbeat (default: 420)",
        )
        parser.add_argument(
            "--grace",
            type=_not_negative,
            metavar="SECONDS",
            help=(
                "how long running jobs may go on after SIGTERM or SIGINT before they are put back "
                "at the front of their queue (default: as long as their timeouts)"
            ),
        )
        parser.add_argument(
            "--concurrency",
            type=_positive,
            default=1,
            metavar="N",
            help="how many jobs run at once, each in its own process (default: 1)",
        )
        parser.add_argument(
            "--max-jobs-per-child",
            type=_not_negative,
            default=1,
            metavar="N",
            help="replace a process after N jobs (default: 1; 0: never)",
        )
        parser.add_argument("--pid", metavar="FILE", help="write the worker's process id into FILE")
        parser.add_argument(
            "--serializer",
            help="'pickle', 'json' or a dotted path, instead of each queue's SERIALIZER",
        )
        parser.add_argument("--queue-class", help="dotted path, instead of QUEUE_CLASS")
        parser.add_argument("--job-class", help="dotted path, instead of JOB_CLASS")
        parser.add_argument("--worker-class", help="dotted path, instead of WORKER_CLASS")

    def check(self, *args: Any, **kwargs: Any) -> None:
        # A cron entry that can't be used is no reason not to run jobs; the worker logs it.
        with checks.without_cron():
            super().check(*args, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        _configure_logging(options["verbosity"])
        try:
            worker = self._worker(options)
            with _PidFile(options["pid"]):
                worker.work()
        except RQLiteError as exc:
            raise CommandError(str(exc)) from exc

    def _worker(self, options: dict[str, Any]) -> Worker:
        names = list(dict.fromkeys(options["queues"])) or list(conf.queues())
        queues = [
            get_queue(
                name,
                queue_class=options["queue_class"],
                job_class=options["job_class"],
                serializer=options["serializer"],
            )
            for name in names
        ]
        worker_class = _worker_class(options["worker_class"] or conf.queue(names[0]).worker_class)
        return worker_class(
            queues,
            name=options["name"],
            burst=options["burst"],
            max_jobs=options["max_jobs"],
            max_idle_time=options["max_idle_time"],
            worker_ttl=options["worker_ttl"],
            grace=options["grace"],
            concurrency=options["concurrency"],
            max_jobs_per_child=options["max_jobs_per_child"],
        )


class _PidFile:
    """The process id in a file, as long as the worker lives."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path).expanduser() if path else None

    def __enter__(self) -> None:
        if self._path is not None:
            try:
                self._path.write_text(f"{os.getpid()}\n")
            except OSError as exc:
                raise CommandError(f"--pid {self._path} can't be written: {exc}") from exc

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _worker_class(given: Any) -> type[Worker]:
    if given is None:
        return Worker
    try:
        found = import_string(given) if isinstance(given, str) else given
    except ImportError as exc:
        raise ConfigurationError(f"WORKER_CLASS: {given!r} can't be imported ({exc}).") from exc
    if not (isinstance(found, type) and issubclass(found, Worker)):
        raise ConfigurationError(
            f"WORKER_CLASS: {given!r} does not inherit from django_rqlite.worker.Worker."
        )
    return found


def _configure_logging(verbosity: int) -> None:
    """Let the worker be heard, whatever LOGGING says of other loggers."""
    logger = logging.getLogger("django_rqlite")
    logger.setLevel(_LEVELS.get(verbosity, logging.DEBUG))
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)


def _positive(text: str) -> int:
    return _at_least(1, text)


def _not_negative(text: str) -> int:
    return _at_least(0, text)


def _at_least(minimum: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = minimum - 1
    if number < minimum:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {minimum}")
    return number
