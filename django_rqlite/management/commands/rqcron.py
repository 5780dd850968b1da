"""``manage.py rqcron``: enqueue the jobs of a file of cron entries in RQ's format."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ... import checks
from ...cron.config_file import load
from ...cron.process import CronProcess
from ...exceptions import RQLiteError
from ..logging_setup import set_up_logging

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Command(BaseCommand):
    help = (
        "Enqueue jobs at the times that the cron.register(...) calls of a file give, until Ctrl-C "
        "or SIGTERM. Entries of RQ['CRON'] in the settings need no such process: every worker "
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
            help="the lowest level to log (default: as in LOGGING for django_rqlite, or else INFO)",
        )

    def check(self, *args: Any, **kwargs: Any) -> None:
        # Workers evaluate the entries of the settings.
        with checks.without_cron():
            super().check(*args, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        set_up_logging(options["logging_level"])
        config_path = options["config_path"]
        try:
            CronProcess(load(config_path), config_path).run()
        except RQLiteError as exc:
            raise CommandError(str(exc)) from exc
