"""The query behind the admin's first page: everything about one server, in two round trips."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine import wrong_type_keys
from ..protocol.codec import decode
from . import (
    cron_entries,
    leases,
    limits,
    oldest_waiting,
    queue_counts,
    schedule_delay,
    throughput,
)
from .base import QueriesBase
from .pipeline import NamedCommands, members
from .queues import queue_names
from .snapshots import Overview
from .workers import read_workers, worker_commands, worker_names


class OverviewQueries(QueriesBase):
    """The query behind the admin's first page."""

    __slots__ = ()

    def overview(self, queues: Sequence[str], hours: Sequence[int], now: float) -> Overview:
        """The state of these queues, of all others that the server knows, and of its workers.

        Two round trips.

        Args:
            hours: the hours whose runs are read for ``queues``, as unix seconds // 3600.
            now: the current time in unix seconds.
        """
        keys = self.keys
        first = NamedCommands()
        first.add("queues", [("SMEMBERS", keys.queues)])
        first.add("workers", [("SMEMBERS", keys.workers), ("EXISTS", keys.suspended)])
        newest = ("ZREVRANGE", keys.cron_entries, 0, limits.MOST_FOUND - 1)
        first.add("cron", [newest, ("ZCARD", keys.cron_entries)])
        # The counts report keys of places, so these are left out here.
        types = wrong_type_keys.types_of_shared_keys(keys)
        types |= wrong_type_keys.types_beside_places(keys, queues, int(now // 3600))
        first.add("wrong types", [wrong_type_keys.command(types)])
        self._add(first, queues, hours, now)
        found = first.execute(self.connection)

        others = [name for name in queue_names(keys, found["queues"][0]) if name not in queues]
        read = others[: limits.MOST_FOUND]
        everywhere = [*queues, *read]
        listed, suspended = found["workers"]
        names = worker_names(keys, listed)
        newest_entries, entry_count = found["cron"]
        entries = [decode(name) for name in members(newest_entries)]
        last_hour = throughput.hours_until(now, 60)
        second = NamedCommands()
        self._add(second, read, last_hour, now)
        second.add("leases", leases.commands(keys, everywhere))
        second.add("workers", worker_commands(keys, names))
        second.add("cron", cron_entries.commands(keys, entries))
        rest = second.execute(self.connection)

        return Overview(
            asked=queue_counts.read(queues, found["counts"]),
            others=queue_counts.read(read, rest["counts"]),
            more=len(others) - len(read),
            oldest={
                **oldest_waiting.read(queues, found["oldest"][0]),
                **oldest_waiting.read(read, rest["oldest"][0]),
            },
            throughput={
                **throughput.read_each(queues, hours, found["throughput"]),
                **throughput.read_each(read, last_hour, rest["throughput"]),
            },
            schedule_delays={
                **schedule_delay.read(queues, found["schedule delays"]),
                **schedule_delay.read(read, rest["schedule delays"]),
            },
            workers=read_workers(names, rest["workers"], suspended),
            leases=leases.read_each(everywhere, rest["leases"]),
            cron=cron_entries.read_each(entries, rest["cron"]),
            more_cron=max(entry_count - len(entries), 0) if isinstance(entry_count, int) else 0,
            wrong_type_keys=wrong_type_keys.read(types, found["wrong types"][0]),
        )

    def _add(
        self, commands: NamedCommands, queues: Sequence[str], hours: Sequence[int], now: float
    ) -> None:
        """Add what :meth:`overview` asks about each queue."""
        keys = self.keys
        commands.add("oldest", [oldest_waiting.command(keys, queues)])
        commands.add("schedule delays", schedule_delay.commands(keys, queues, now))
        commands.add("throughput", throughput.commands(keys, queues, hours))
        commands.add("counts", queue_counts.commands(keys, queues))
