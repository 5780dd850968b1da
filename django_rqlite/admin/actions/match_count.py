"""How many jobs an action on all matching jobs would reach, for the question before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ...broker.servers import Server
from ...protocol.places import Place
from ...queries import job_search
from ...queries.cursor import PlaceCursor
from ...queries.job_search import JobSearch
from ..filters import JobFilters
from ..servers import connected
from .batch_state import Stop


@dataclass(slots=True)
class MatchCount:
    """The count so far.

    Attributes:
        total: How many jobs are in the places of the action.
        examined: How many of those were examined: at most as many as a search examines.
        matching: How many of the examined jobs match.
    """

    total: int = 0
    examined: int = 0
    matching: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether all jobs were examined."""
        return self.examined >= self.total

    def add(
        self, server: Server, stops: Sequence[Stop], filters: JobFilters, started_at: float
    ) -> None:
        """Count the jobs at these stops of one server. At most three round trips.

        Args:
            started_at: Unix seconds; jobs that came to their places later are not counted.

        Raises:
            Unavailable: The server does not answer.
        """
        if filters.matches_everything:
            places = [(stop.queue, Place(stop.place)) for stop in stops]
            with connected(server) as broker:
                total = PlaceCursor(broker).count(places)
            self._add(total, total, total)
            return
        queues = list(dict.fromkeys(stop.queue for stop in stops))
        kinds = list(dict.fromkeys(Place(stop.place) for stop in stops))
        most = max(job_search.MOST - self.examined, 0)
        with connected(server) as broker:
            window = JobSearch(broker).window(queues, kinds, most=most)
        matches = filters.filter_at(datetime.fromtimestamp(started_at, UTC)).matches
        self._add(
            sum(each.total for each in window.searched),
            sum(each.read for each in window.searched),
            sum(map(matches, window.jobs)),
        )

    def _add(self, total: int, examined: int, matching: int) -> None:
        self.total += total
        self.examined += examined
        self.matching += matching
