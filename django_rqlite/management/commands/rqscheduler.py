"""``manage.py rqscheduler``: does nothing, so that scripts written for django-rq still run."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ... import conf
from ...exceptions import RQLiteError
from ..number_options import positive_integer


class Command(BaseCommand):
    help = (
        "Not needed: every worker enqueues scheduled jobs when they are due. Accepts the options "
        "of django-rq's rqscheduler, prints this, and ends."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pid", metavar="FILE", help="without effect")
        parser.add_argument(
            "--interval", "-i", type=positive_integer, metavar="SECONDS", help="without effect"
        )
        parser.add_argument("--queue", default="default", metavar="NAME", help="without effect")
        parser.add_argument("ignored", nargs="*", help="without effect")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            conf.queue(options["queue"])
        except RQLiteError as exc:
            raise CommandError(f"--queue: {exc}") from exc
        self.stdout.write(
            "There is nothing to do: every worker (manage.py rqworker) enqueues scheduled jobs "
            "when they are due. Take rqscheduler out of what you start."
        )
