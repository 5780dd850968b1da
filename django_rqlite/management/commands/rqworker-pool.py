"""``manage.py rqworker-pool``: several workers under one supervisor."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from ...exceptions import RQLiteError
from ...worker.worker_pool import WorkerPool
from ..logging_setup import be_heard, level_of
from ..number_options import positive
from ..pid_file import PidFile
from ..worker_command import WorkerCommand, class_of, make_worker, queues_of


class Command(WorkerCommand):
    help = (
        "Run several workers, each as rqworker would with the same options, and start those again "
        "that die. SIGTERM and Ctrl-C are passed on to them; when all have ended, so does this."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--num-workers",
            "-n",
            type=positive,
            default=1,
            metavar="N",
            help="how many workers run (default: 1); --name mail names them mail.1, mail.2, ...",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        be_heard(level_of(options["verbosity"]))
        self.close_what_apps_opened()

        def run(number: int) -> None:
            name = options["name"]
            make_worker(options, f"{name}.{number}" if name else None).work()

        try:
            # What is wrong with the options should show here, once, and not in every worker.
            class_of(options, queues_of(options))
            with PidFile(options["pid"]):
                bad_ends = WorkerPool(
                    options["num_workers"], run, restart=not options["burst"]
                ).work()
        except RQLiteError as exc:
            raise CommandError(str(exc)) from exc
        if bad_ends:
            raise CommandError(f"{bad_ends} of {options['num_workers']} workers ended badly.")
