"""``manage.py rqstats``: show how many jobs each queue and registry has."""

from __future__ import annotations

import argparse
import json
import math
import signal
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...exceptions import RQLiteError
from ...metrics.statistics import get_statistics
from ...protocol.escaping import escape_controls

_COLUMNS = {
    "Queued": "jobs",
    "Active": "started_jobs",
    "Deferred": "deferred_jobs",
    "Scheduled": "scheduled_jobs",
    "Finished": "finished_jobs",
    "Failed": "failed_jobs",
    "Workers": "workers",
}

#: Moves a terminal's cursor to the top and clears everything below it.
_CLEAR = "\x1b[H\x1b[J"


class Command(BaseCommand):
    help = "Show how many jobs of each configured queue are in which state. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", "-j", action="store_true", help="print JSON")
        form.add_argument(
            "--yaml", "-y", action="store_true", help="print YAML (needs the extra 'yaml')"
        )
        parser.add_argument(
            "--interval",
            "-i",
            type=_seconds,
            metavar="SECONDS",
            help="print again after each interval, until Ctrl-C",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        yaml = _yaml() if options["yaml"] else None
        interval = options["interval"]
        # A flag, so that Ctrl-C does not interrupt a command to Redis.
        stop_requested = threading.Event()
        if interval:
            signal.signal(signal.SIGINT, lambda *_: stop_requested.set())
        try:
            queues = self._print(as_json=options["json"], yaml=yaml, again=bool(interval))
            while interval:
                if stop_requested.wait(interval):
                    return
                self._print(as_json=options["json"], yaml=yaml, again=True)
        except RQLiteError as exc:
            raise CommandError(str(exc)) from exc
        # With an interval, a server that is down may come back. Without one, the exit status tells.
        if errors := dict.fromkeys(queue["error"] for queue in queues if queue["error"]):
            raise CommandError("\n".join(errors))

    def _print(self, *, as_json: bool, yaml: Any, again: bool) -> Sequence[dict[str, Any]]:
        statistics = get_statistics()
        if as_json:
            text = json.dumps(statistics)
        elif yaml:
            text = yaml.safe_dump(
                statistics, default_flow_style=False, sort_keys=False, explicit_start=again
            ).rstrip()
        else:
            clear = _CLEAR if again and self.stdout.isatty() else ""
            text = clear + "\n".join(_table(statistics["queues"], with_errors=again))
        self.stdout.write(text)
        self.stdout.flush()
        return statistics["queues"]


def _table(queues: Sequence[dict[str, Any]], *, with_errors: bool) -> list[str]:
    width = max([len("Name"), *(len(queue["name"]) for queue in queues)])
    lines = [_line(width, "Name", _COLUMNS), "-" * len(_line(width, "", _COLUMNS))]
    for queue in queues:
        numbers = ["?" if queue[key] is None else queue[key] for key in _COLUMNS.values()]
        lines.append(_line(width, queue["name"], numbers) + _remark(queue))
    lines += [problem for queue in queues for problem in queue["problems"]]
    if with_errors:
        lines += dict.fromkeys(queue["error"] for queue in queues if queue["error"])
    return [escape_controls(line) for line in lines]


def _line(width: int, name: str, cells: Any) -> str:
    return "  ".join([name.ljust(width), *(f"{cell!s:>10}" for cell in cells)])


def _remark(queue: dict[str, Any]) -> str:
    if queue["suspended"]:
        return "  suspended"
    return "  paused" if queue["paused"] else ""


def _yaml() -> Any:
    try:
        return import_module("yaml")
    except ImportError:
        raise CommandError(
            "--yaml needs the package PyYAML, which is not installed: pip install "
            "'django-rqlite[yaml]'. --json works without it."
        ) from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
