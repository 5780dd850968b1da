"""Finds keys of the layout that hold a value of the wrong type.

Only a person can repair this. The scripts leave such a key alone and do what they can without it.
The log and the admin name the keys that this module finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from ..protocol.codec import decode
from ..protocol.keys import Keys
from ..protocol.places import Place, place_key
from .scripts import Script

_wrong_type_keys = Script("wrong_type_keys")


@dataclass(frozen=True, slots=True)
class WrongTypeKey:
    """A key with a value of the wrong type. Types have the names that Redis' ``TYPE`` returns."""

    key: str
    found: str
    wanted: str

    def __str__(self) -> str:
        # lua/shared/wrong_type.lua has the same sentence.
        return (
            f"the key {self.key} holds a {self.found}, not a {self.wanted}. Delete or rename it: "
            "until then jobs stay where they are, and what belongs there is left out."
        )


def types_of_shared_keys(keys: Keys) -> dict[str, str]:
    """The type that each key shared by all queues should have."""
    return {
        keys.queues: "set",
        keys.workers: "set",
        keys.groups: "set",
        keys.failed_mirror: "list",
        keys.unmirrored: "zset",
        keys.cron_entries: "zset",
        keys.cron_schedulers: "zset",
    }


def types_of_places(keys: Keys, queues: Iterable[str]) -> dict[str, str]:
    """The type that each place of these queues, and the set of their workers, should have."""
    types = {}
    for queue in queues:
        for place in Place:
            types[place_key(keys, queue, place)] = "list" if place is Place.QUEUED else "zset"
        types[keys.queue_workers(queue)] = "set"
    return types


def types_beside_places(keys: Keys, queues: Iterable[str], hour: int) -> dict[str, str]:
    """The type that each other key of these queues should have.

    Args:
        hour: the hour whose counts are checked, as unix seconds // 3600.
    """
    types = {}
    for queue in queues:
        types[keys.intermediate(queue)] = "list"
        types[keys.activity(queue, hour)] = "hash"
    return types


def find(connection: redis.Redis, types: Mapping[str, str]) -> list[WrongTypeKey]:
    """The keys whose type differs from that in ``types``. One round trip."""
    return read(types, _wrong_type_keys(connection, tuple(types), tuple(types.values())))


def command(types: Mapping[str, str]) -> tuple[Any, ...]:
    """The command that :func:`find` runs, for a pipeline. It carries the script's text."""
    return ("EVAL", _wrong_type_keys.text, len(types), *types, *types.values())


def read(types: Mapping[str, str], answer: Any) -> list[WrongTypeKey]:
    """The keys in the answer to :func:`command`; none if the answer is an error."""
    keys = list(types.items())
    return [
        WrongTypeKey(keys[number - 1][0], decode(kind), keys[number - 1][1])
        for number, kind in (answer if isinstance(answer, list) else ())
    ]
