"""The state of one server, as the overview has read it: its queues, and its concerns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from ...broker.servers import Server
from ...protocol.places import Place
from ...queries.leases import MOST, Lease, StartedJob, by_worker, most_of_a_queue
from ...queries.snapshots import Overview, QueueCounts
from ...queries.throughput import percentile_95, total
from ..cron_entries import names_in_settings
from ..links import Links
from ..servers import address_of
from .concern import Concern
from .cron import about_cron
from .dead_workers import RQ_MAX_SILENCE
from .listeners import (
    any_accepts_jobs,
    are_uncertain,
    count_listeners,
    dead_names,
    listeners_of,
)
from .queue_state import QueueState
from .server import about_keys, about_server
from .slots import slots_of, unusually_long
from .workers import about_workers


class ServerState:
    """The state of one server.

    Args:
        running: The jobs that run there, as far as they were read.
        now: When they were read.
    """

    def __init__(
        self,
        server: Server,
        overview: Overview,
        running: Sequence[StartedJob],
        links: Links,
        now: datetime,
    ) -> None:
        self.overview = overview
        self.links = links
        self._server = server
        self._running = running
        self._now = now
        self._needs_worker = {queue.name: queue.is_async for queue in server.queues}
        self._dead = dead_names(overview.workers, now)
        self._held = by_worker(running)
        limit = most_of_a_queue(len(overview.asked) + len(overview.others))
        counted = Counter(lease.queue for lease in overview.leases)
        #: The queues of which not all leases were read.
        self._truncated = {queue for queue, count in counted.items() if count >= limit}
        self._all_read = not self._truncated and len(overview.leases) <= MOST

    def queue(self, counts: QueueCounts) -> QueueState:
        """The state of one of its queues."""
        overview, links, name, now = self.overview, self.links, counts.name, self._now
        minute = int(now.timestamp()) // 60
        # The table shows the last hour, whatever period the charts have.
        runs = total(overview.throughput[name], minute - 59, minute + 1)
        usual = percentile_95(runs.ran)
        workers = overview.workers
        slots = None
        if self._all_read and not are_uncertain(name, workers):
            slots = slots_of(listeners_of(name, workers, now), self._running, now)
        return QueueState(
            counts=counts,
            runs=runs,
            oldest=overview.oldest.get(name),
            listeners=count_listeners(counts, workers, now),
            slots=slots,
            suspended=overview.suspended,
            schedule_delay=overview.schedule_delays[name],
            unusual=unusually_long(
                [each for each in self._running if each.queue == name],
                usual,
                sum(runs.ran.values()),
                now,
            ),
            usual=usual,
            expired=self._expired(name),
            more_expired=name in self._truncated,
            needs_worker=self._needs_worker.get(name, True),
            address=links.queue(name),
            failed_address=links.queue(name, Place.FAILED),
            scheduled_address=links.queue(name, Place.SCHEDULED),
            started_address=links.queue(name, Place.STARTED),
        )

    def _expired(self, queue: str) -> list[Lease]:
        """Leases that expired long ago, except those of dead workers, which are reported anyway."""
        of_dead = [each for name in self._dead for each in self._held.get(name, ())]
        reported = {each.job.id for each in of_dead if each.queue == queue}
        return [
            lease
            for lease in self.overview.leases
            if lease.queue == queue
            and self._now.timestamp() - lease.until > RQ_MAX_SILENCE
            and lease.job_id not in reported
        ]

    def concerns(self, states: Sequence[QueueState]) -> Iterator[Concern]:
        """What needs attention on the server, apart from single queues.

        Args:
            states: The states of all its queues.
        """
        overview, links, now = self.overview, self.links, self._now
        address = "" if self._server.is_only else address_of(self._server)
        held = {name: self._held.get(name, []) for name in self._dead}
        yield from about_workers(overview.workers, held, links, now)
        yield from about_server(states, overview, links, address, now)
        yield from about_keys(overview.wrong_type_keys)
        yield from about_cron(
            overview.cron,
            overview.more_cron,
            names_in_settings(self._server),
            links.schedule(),
            address,
            now,
            has_workers=any_accepts_jobs(overview.workers, now),
        )
