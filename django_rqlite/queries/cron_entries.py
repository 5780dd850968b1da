"""Reads the records of cron entries, whatever is stored in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..protocol.cron_records import CronRecord, read_cron
from ..protocol.keys import Keys
from ..protocol.problems import Problem
from .pipeline import Command


def commands(keys: Keys, names: Sequence[str]) -> list[Command]:
    """One command for each entry."""
    return [("HGETALL", keys.cron_entry(name)) for name in names]


def read_each(names: Sequence[str], answers: Sequence[Any]) -> list[CronRecord]:
    """The records in the answers to :func:`commands`."""
    return [read(name, fields) for name, fields in zip(names, answers, strict=True)]


def read(name: str, fields: Any) -> CronRecord:
    """One record. If it is gone or cannot be read, its ``problems`` say so."""
    if fields and not isinstance(fields, Exception):
        return read_cron(name, fields)
    problem = (
        Problem("its key can't be read: %(error)s", error=fields)
        if fields
        else Problem("its record is gone")
    )
    return replace(read_cron(name, {}), problems=(problem,))
