"""Fills Redis with jobs, workers and the counts of a day, for the admin to show.

Queued jobs are enqueued. A few jobs have failed in a worker. The other failed jobs are copies of
these, made inside the server, with their own ids, queues and times.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any, cast

#: Jobs in one call of enqueue_many(): a list of all would be a gigabyte.
_SLICE = 10_000

#: Jobs that one call of the script copies.
_TOGETHER = 500

#: Seconds over which the failures are spread evenly.
_DAY = 86_400

#: Buckets of the counts, as powers of two seconds: runs took 1/8 to 4 s, waits up to 128 s.
_RAN, _WAITED = range(-3, 3), range(8)

#: TTL of the workers' records in seconds. They send no heartbeats.
_LISTED = 86_400

# KEYS: the registry, the mirror of failed jobs, the pattern's hash and outcomes, its registry,
#       then of each copy the hash and the outcomes.
# ARGV: the pattern's id, the queue, then of each copy its id, seconds since it failed, and times.
_COPY = """
local latest = tonumber(redis.call('ZSCORE', KEYS[5], ARGV[1]))
for number = 0, (#KEYS - 5) / 2 - 1 do
  local job, outcomes = KEYS[6 + 2 * number], KEYS[7 + 2 * number]
  local id, age, began, ended = unpack(ARGV, 3 + 4 * number, 6 + 4 * number)
  redis.call('COPY', KEYS[3], job)
  redis.call('COPY', KEYS[4], outcomes)
  redis.call('HSET', job, 'origin', ARGV[2], 'created_at', began, 'enqueued_at', began,
    'started_at', began, 'ended_at', ended)
  redis.call('ZADD', KEYS[1], latest - age, id)
  redis.call('RPUSH', KEYS[2], id)
end
"""


class AdminData:
    """The data on one server. It needs ``django.setup()``."""

    def __init__(self) -> None:
        from django_rqlite import conf, get_queue
        from django_rqlite.broker.servers import servers_of
        from django_rqlite.engine.engine import Engine
        from django_rqlite.queries.queries import Queries
        from noop import jobs

        (server,) = servers_of(conf.queues().values())
        broker = server.broker
        self.engine = Engine(broker)
        self.queries = Queries(broker)
        self.queues = server.queue_names
        self._jobs = jobs
        self._get_queue = get_queue
        self._redis, self._keys = broker.client, broker.keys

    def enqueue_patterns(self) -> int:
        """Enqueue some jobs that will fail in the first queue. Returns their number."""
        queue = self._get_queue(self.queues[0])
        queue.enqueue(self._jobs.fail)
        queue.enqueue(self._jobs.noop, "what it does not take")
        queue.enqueue(self._jobs.report_latency, "no number")
        return 3

    def fill(self, queued: int, failed: int, *, busy: bool) -> None:
        """Fill all queues.

        Args:
            queued: The number of queued jobs in all queues together.
            failed: The number of failed jobs, with the patterns, which must have failed by now.
            busy: Whether to write counts of runs for each minute of the last day.
        """
        first = self.queues[0]
        patterns = self.failed_ids(first, 0, 100)
        if not patterns or len(patterns) > failed:
            raise ValueError(f"{len(patterns)} patterns for {failed} failed jobs")
        for number, name in enumerate(self.queues):
            self._enqueue(name, _share(queued, number, len(self.queues)))
            there = len(patterns) if name == first else 0
            self._copy(patterns, name, _share(failed, number, len(self.queues)) - there)
            if busy:
                self._count_runs(name)
            self.engine.register_worker(
                f"host-{number}.4711",
                self.queues,
                {"queues": ",".join(self.queues), "version": "django_rqlite"},
                hostname=f"host-{number}",
                pid=4711,
                ttl=_LISTED,
                silence=_LISTED,
            )

    def queued_id(self, queue: str, position: int) -> str:
        """The id of the queued job at a position."""
        (found,) = cast(
            "list[bytes]", self._redis.lrange(self._keys.queue(queue), position, position)
        )
        return found.decode()

    def failed_ids(self, queue: str, position: int, count: int) -> list[str]:
        """The ids of the jobs that failed last, from a position on."""
        key, last = self._keys.failed(queue), position + count - 1
        found = cast("list[bytes]", self._redis.zrevrange(key, position, last))
        return [each.decode() for each in found]

    def counts(self) -> Mapping[str, int]:
        """The numbers of queued and failed jobs in all queues together."""
        found = self.queries.counts(self.queues)
        return {
            place: sum(each.places[kind] for each in found)
            for place in ("queued", "failed")
            for kind in found[0].places
            if kind == place
        }

    def _enqueue(self, name: str, count: int) -> None:
        queue, jobs = self._get_queue(name), self._jobs
        calls = [queue.prepare_data(jobs.noop), queue.prepare_data(jobs.report_latency, [1])]
        for start in range(0, count, _SLICE):
            end = min(start + _SLICE, count)
            queue.enqueue_many(calls[number % len(calls)] for number in range(start, end))

    def _copy(self, patterns: Sequence[str], name: str, count: int) -> None:
        keys, now = self._keys, time.time()
        script = self._redis.register_script(_COPY)
        # Patterns alternate, so that each part that a page reads has all of them.
        for first, part in product(range(len(patterns)), _parts(count)):
            pattern, part = patterns[first], part[first :: len(patterns)]
            ids = [str(uuid.uuid4()) for _ in part]
            named = [name for id_ in ids for name in (keys.job(id_), keys.results(id_))]
            times: list[Any] = []
            for id_, place in zip(ids, part, strict=True):
                age = int(_DAY * place / count)
                times += [id_, age, _stamp(now - age - 1), _stamp(now - age)]
            script(
                [
                    *(keys.failed(name), keys.failed_mirror, keys.job(pattern)),
                    *(keys.results(pattern), keys.failed(self.queues[0]), *named),
                ],
                [pattern, name, *times],
            )

    def _count_runs(self, name: str) -> None:
        counted = [
            *("done", "failed"),
            *(f"r{bucket}" for bucket in _RAN),
            *(f"w{bucket}" for bucket in _WAITED),
        ]
        fields: dict[Any, Any] = {f"{m}:{what}": 7 for m in range(60) for what in counted}
        hour = int(time.time()) // 3600
        for before in range(_DAY // 3600 + 1):
            key = self._keys.activity(name, hour - before)
            self._redis.hset(key, mapping=fields)
            self._redis.expire(key, _DAY)


def _parts(count: int) -> Iterator[range]:
    for start in range(0, count, _TOGETHER):
        yield range(start, min(start + _TOGETHER, count))


def _share(count: int, number: int, of: int) -> int:
    return count * (number + 1) // of - count * number // of


def _stamp(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
