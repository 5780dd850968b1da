"""``manage.py rqworker``: run jobs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from ...exceptions import RQLiteError
from ..logging_setup import be_heard, level_of
from ..pid_file import PidFile
from ..worker_command import WorkerCommand, make_worker


class Command(WorkerCommand):
    help = (
        "Run jobs from the queues named, or from all configured ones, until Ctrl-C or SIGTERM. "
        "Each job runs in a process of its own."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        be_heard(level_of(options["verbosity"]))
        self.close_what_apps_opened()
        try:
            worker = make_worker(options, options["name"])
            with PidFile(options["pid"]):
                worker.work()
        except RQLiteError as exc:
            raise CommandError(str(exc)) from exc
