"""``manage.py rqworker``: run jobs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from ...exceptions import RQLiteError
from ..logging_setup import level_of_verbosity, set_up_logging
from ..pid_file import PidFile
from ..worker_command import WorkerCommand, make_worker


class Command(WorkerCommand):
    help = (
        "Run jobs from the queues named, or from all configured ones, until Ctrl-C or SIGTERM. "
        "Each job runs in a process of its own."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        set_up_logging(level_of_verbosity(options["verbosity"]))
        self.close_connections_of_apps()
        try:
            worker = make_worker(options, options["name"])
            with PidFile(options["pid"]):
                worker.work()
        except RQLiteError as exc:
            raise CommandError(str(exc)) from exc
