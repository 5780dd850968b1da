"""What all parts of the engine share: the broker, its keys, and limits for one script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..broker.broker import Broker
from ..protocol.codec import decode
from .scripts import Argument, Script

#: Ids that one script handles at most where it searches or deletes, so that it never keeps the
#: server busy for long.
BATCH = 250

#: Long lists that one script may search to the end. A search takes the server 10 ms or more where a
#: million ids wait.
SEARCHES = 1


class EngineBase:
    """The keys of one broker, and the client that speaks to it."""

    __slots__ = ("broker", "connection", "keys", "prefix")

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.connection = broker.client
        self.keys = broker.keys
        self.prefix = broker.prefix

    def _in_batches(self, script: Script, job_ids: Sequence[str], *options: Argument) -> list[str]:
        """Run a script on any number of jobs, a batch at a time; return its answer for each id."""
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
