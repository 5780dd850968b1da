"""``manage.py rqresume``: let workers take jobs again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...engine.engine import Engine
from ..suspension_command import add_queue_option, change_each_server


class Command(BaseCommand):
    help = (
        "Let the workers of all configured servers take jobs again, or resume some queues only. "
        "Queues that were paused by name stay paused until they are named here."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_queue_option(parser, "end the pause of these queues")

    def handle(self, *args: Any, **options: Any) -> None:
        change_each_server(self, options["queues"], _resume)


def _resume(engine: Engine, queues: Sequence[str]) -> str:
    address = engine.broker.address
    if queues:
        resumed = engine.resume_queues(queues)
        names = ", ".join(queues)
        return (
            f"Workers take jobs from {names} again ({address})."
            if resumed
            else f"There was no pause of {names} to end ({address})."
        )
    if engine.resume():
        return f"Workers take jobs again ({address})."
    return f"The workers were not suspended ({address})."
