"""``manage.py rqsuspend``: keep workers from taking jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...engine.engine import Engine
from ...exceptions import InvalidDurationError
from ...queues.suspension import pause_seconds
from ..suspension_command import add_queue_option, change_each_server


class Command(BaseCommand):
    help = (
        "Stop the workers of all configured servers from taking jobs, or from some queues only, "
        "until rqresume or for a time. Running jobs go on, and enqueued jobs wait. RQ's workers "
        "obey it too, except for --queue."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--duration",
            "-d",
            metavar="SECONDS",
            help="resume automatically after this time, in seconds or in a form such as 1h30m",
        )
        add_queue_option(parser, "pause these queues only, instead of suspending all workers")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            seconds = pause_seconds(options["duration"], name="--duration")
        except InvalidDurationError as exc:
            raise CommandError(str(exc)) from exc
        lasts = "until rqresume" if seconds is None else f"for {seconds} seconds"

        def change(engine: Engine, queues: Sequence[str]) -> str:
            address = engine.broker.address
            if queues:
                engine.pause_queues(queues, seconds)
                return f"No worker takes a job from {', '.join(queues)} {lasts} ({address})."
            engine.suspend(seconds)
            return f"No worker takes a job {lasts} ({address})."

        change_each_server(self, options["queues"], change)
