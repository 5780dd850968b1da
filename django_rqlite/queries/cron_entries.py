"""The records of cron entries, for people. Total and bounded, as :mod:`.monitor` is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..protocol.cron_records import CronRecord, read_cron
from ..protocol.keys import Keys
from ..protocol.problems import Problem


def commands(keys: Keys, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """What to ask the server, one for each entry."""
    return [("HGETALL", keys.cron_entry(name)) for name in names]


def read(names: Sequence[str], answers: Sequence[Any]) -> list[CronRecord]:
    """What its answers say; ``problems`` says it where a record is gone or can't be read."""
    return [record(name, fields) for name, fields in zip(names, answers, strict=True)]


def record(name: str, fields: Any) -> CronRecord:
    """One of them."""
    if fields and not isinstance(fields, Exception):
        return read_cron(name, fields)
    problem = (
        Problem("its key can't be read: %(error)s", error=fields)
        if fields
        else Problem("its record is gone")
    )
    return replace(read_cron(name, {}), problems=(problem,))
