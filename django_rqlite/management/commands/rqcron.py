"""``manage.py rqcron``: enqueue what recurs, as a file in RQ's format says."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ... import checks
from ...cron import config_file as cron_file
from ...cron.process import CronProcess
from ...exceptions import RQLiteError
from ..logging_setup import be_heard

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Command(BaseCommand):
    help = (
        "Enqueue jobs at the times that a file of cron.register(...) calls says, until Ctrl-C or "
        "SIGTERM. Entries of RQ['CRON'] in the settings need no such process: every worker "
        "evaluates those."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "config_path",
            help="a module (myapp.cron_config) or a file (myapp/cron_config.py)",
        )
        parser.add_argument(
            "--logging-level",
            "-l",
            choices=_LEVELS,
            help="how much is said (default: what LOGGING says of django_rqlite, or else INFO)",
        )

    def check(self, *args: Any, **kwargs: Any) -> None:
        # The entries of the settings are the workers' business.
        with checks.without_cron():
            super().check(*args, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        be_heard(options["logging_level"])
        config_path = options["config_path"]
        try:
            CronProcess(cron_file.load(config_path), config_path).run()
        except RQLiteError as exc:
            raise CommandError(str(exc)) from exc
