"""How many jobs an action on all that match would reach, for the question before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ...protocol.places import Place
from ...queries import job_search as finding
from ..search_filters import Wanted
from ..sources import Source
from .progress import Stop


@dataclass(slots=True)
class Matching:
    """What was found.

    Attributes:
        total: jobs that stand where the action looks.
        looked: how many of those were looked at: as many as a search looks at.
        matching: how many of these match.
    """

    total: int = 0
    looked: int = 0
    matching: int = 0

    @property
    def whole(self) -> bool:
        """Whether all were looked at."""
        return self.looked >= self.total

    def add(self, source: Source, stops: Sequence[Stop], wanted: Wanted, begun: float) -> None:
        """Count what stands at these stops of one source. Three round trips at the most.

        Args:
            begun: unix seconds; what came to its place later is not meant.

        Raises:
            Trouble: it can't be asked.
        """
        if wanted.takes_everything:
            places = [(stop.queue, Place(stop.place)) for stop in stops]
            with source.asked():
                total = source.walker.count(places)
            self._count(total, total, total)
            return
        queues = list(dict.fromkeys(stop.queue for stop in stops))
        kinds = list(dict.fromkeys(Place(stop.place) for stop in stops))
        most = max(finding.MOST - self.looked, 0)
        with source.asked():
            window = source.finder.window(queues, kinds, most=most)
        takes = wanted.filter_at(datetime.fromtimestamp(begun, UTC)).takes
        self._count(
            sum(each.total for each in window.searched),
            sum(each.read for each in window.searched),
            sum(map(takes, window.jobs)),
        )

    def _count(self, total: int, looked: int, matching: int) -> None:
        self.total += total
        self.looked += looked
        self.matching += matching
