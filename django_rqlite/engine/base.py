"""What all parts of the engine share: the broker, its keys, and limits for one script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..broker.broker import Broker
from ..protocol.codec import decode
from .scripts import Argument, Script

#: The maximum number of ids that one script searches for or deletes, so that the server is never
#: busy for long.
BATCH = 250

#: How many long lists one script may search to the end. A search takes the server 10 ms or more if
#: a million ids wait.
SEARCHES = 1


class EngineBase:
    """One broker, with its client, keys and prefix."""

    __slots__ = ("broker", "connection", "keys", "prefix")

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.connection = broker.client
        self.keys = broker.keys
        self.prefix = broker.prefix

    def _in_batches(self, script: Script, job_ids: Sequence[str], *options: Argument) -> list[str]:
        """Run a script on any number of jobs, in batches; return its answer for each id."""
        verdicts: list[str] = []
        for start in range(0, len(job_ids), BATCH):
            batch = job_ids[start : start + BATCH]
            keys = [self.keys.job(job_id) for job_id in batch]
            answer = script(self.connection, keys, (self.prefix, *options, *batch))
            verdicts.extend(map(decode, answer))
        return verdicts


def flat(fields: Mapping[str, Argument]) -> list[Argument]:
    """The fields as HSET takes them: field, value, field, value, …"""
    return [part for pair in fields.items() for part in pair]
