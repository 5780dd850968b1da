"""Keys that hold something other than they should, which only a person can mend.

The scripts leave such a key alone and do what they can without it. This module tells of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from ..engine.scripts import Script
from ..protocol.keys import Keys
from .pipeline import items, name_of
from .places import Place, key_of

_foreign_keys = Script("foreign_keys")


@dataclass(frozen=True, slots=True)
class Misfit:
    """A key with a value of another type than it should have, both as ``TYPE`` says them."""

    key: str
    found: str
    wanted: str

    def __str__(self) -> str:
        # As shared/foreign.lua says it.
        return (
            f"the key {self.key} holds a {self.found}, not a {self.wanted}. Delete or rename it: "
            "until then jobs stay where they are, and what belongs there is left out."
        )


def of_server(keys: Keys) -> dict[str, str]:
    """The type that each key which all queues share should have."""
    return {
        keys.queues: "set",
        keys.workers: "set",
        keys.groups: "set",
        keys.failed_mirror: "list",
        keys.unmirrored: "zset",
        keys.cron_entries: "zset",
        keys.cron_schedulers: "zset",
    }


def of_places(keys: Keys, queues: Iterable[str]) -> dict[str, str]:
    """The type that the key of each place of these queues, and of the set of its workers, should
    have.
    """
    wanted = {}
    for queue in queues:
        for place in Place:
            wanted[key_of(keys, queue, place)] = "list" if place is Place.QUEUED else "zset"
        wanted[keys.queue_workers(queue)] = "set"
    return wanted


def beside_places(keys: Keys, queues: Iterable[str], hour: int) -> dict[str, str]:
    """The type that each other key which belongs to one of these queues should have.

    Args:
        hour: unix seconds // 3600, whose counts to look at.
    """
    wanted = {}
    for queue in queues:
        wanted[keys.intermediate(queue)] = "list"
        wanted[keys.activity(queue, hour)] = "hash"
    return wanted


def ask(connection: redis.Redis, wanted: Mapping[str, str]) -> list[Misfit]:
    """Which of these keys have another type. One round trip."""
    return read(wanted, _foreign_keys(connection, tuple(wanted), tuple(wanted.values())))


def command(wanted: Mapping[str, str]) -> tuple[Any, ...]:
    """The same question as one of many in a round trip, so the script is sent whole."""
    return ("EVAL", _foreign_keys.text, len(wanted), *wanted, *wanted.values())


def read(wanted: Mapping[str, str], answer: Any) -> list[Misfit]:
    """What its answer says."""
    asked = list(wanted.items())
    return [
        Misfit(asked[number - 1][0], name_of(kind), asked[number - 1][1])
        for number, kind in items(answer)
    ]
