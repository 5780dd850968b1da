"""``manage.py rqworker-pool``: several workers under one supervisor."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from ...exceptions import RQLiteError
from ...worker.worker_pool import WorkerPool
from ..logging_setup import level_of_verbosity, set_up_logging
from ..number_options import positive_integer
from ..pid_file import PidFile
from ..worker_command import WorkerCommand, make_queues, make_worker, worker_class


class Command(WorkerCommand):
    help = (
        "Run several workers, each like rqworker with the same options, and restart those that "
        "die. SIGTERM and Ctrl-C are passed on to them. The command ends when all have ended."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--num-workers",
            "-n",
            type=positive_integer,
            default=1,
            metavar="N",
            help="how many workers run (default: 1); --name mail names them mail.1, mail.2, ...",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        set_up_logging(level_of_verbosity(options["verbosity"]))
        self.close_connections_of_apps()

        def run(number: int) -> None:
            name = options["name"]
            make_worker(options, f"{name}.{number}" if name else None).work()

        try:
            # Report wrong options here, once, and not in every worker.
            worker_class(options, make_queues(options))
            with PidFile(options["pid"]):
                failures = WorkerPool(
                    options["num_workers"], run, restart=not options["burst"]
                ).work()
        except RQLiteError as exc:
            raise CommandError(str(exc)) from exc
        if failures:
            raise CommandError(f"{failures} of {options['num_workers']} workers have died.")
