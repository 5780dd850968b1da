"""``manage.py rqenqueue``: enqueue a call of a function."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...exceptions import RQLiteError
from ...queues.lookup import get_queue


class Command(BaseCommand):
    help = "Enqueue a function, which gets the arguments as text."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("function", help="its dotted path: package.module.function")
        parser.add_argument(
            "arguments",
            nargs="*",
            help="options go before; write -- before arguments that begin with a dash",
        )
        parser.add_argument(
            "--queue", "-q", default="default", metavar="NAME", help="default: default"
        )
        parser.add_argument(
            "--timeout",
            "-t",
            metavar="SECONDS",
            help="how long it may run, in seconds or in a form such as 1h30m",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            # "auto", because COMMIT_MODE may wait for the end of a request, which does not exist.
            queue = get_queue(options["queue"], commit_mode="auto")
            job = queue.enqueue_call(
                options["function"], tuple(options["arguments"]), timeout=options["timeout"]
            )
        except RQLiteError as exc:
            raise CommandError(str(exc)) from exc
        if options["verbosity"]:
            self.stdout.write(f"Job {job.id} created")
