"""How many jobs an action on all that match would reach, for the question before it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import redis

from ...engine.monitor import Place
from ...engine.walking import Position
from ..sources import Source, Trouble
from ..wanted import Wanted
from .batch import STRETCH
from .round import Stop

#: Jobs that are looked at for all servers together at the most, and seconds that this may take.
MOST_LOOKED = 10_000
SECONDS = 1.0


@dataclass(slots=True)
class Matching:
    """What was found.

    Attributes:
        total: jobs that stand where the action looks.
        looked: how many of those were looked at.
        matching: how many of these match.
    """

    total: int = 0
    looked: int = 0
    matching: int = 0

    @property
    def whole(self) -> bool:
        """Whether all were looked at."""
        return self.looked >= self.total


class Counting:
    """Counts, at most so much for one question. Changes nothing.

    Args:
        begun: unix seconds; what came to its place later is not meant.
    """

    def __init__(self, wanted: Wanted, begun: float) -> None:
        self.found = Matching()
        self._filter = wanted.filter_at(datetime.fromtimestamp(begun, UTC))
        self._everything = wanted.takes_everything
        self._until = time.monotonic() + SECONDS

    def add(self, source: Source, stops: Sequence[Stop]) -> None:
        """Count what one source has.

        Raises:
            Trouble: it can't be asked.
        """
        with source.asked():
            total = source.walker.count([(stop.queue, Place(stop.place)) for stop in stops])
        self.found.total += total
        if self._everything:
            self.found.looked += total
            self.found.matching += total
            return
        for stop in stops:
            self._walk(source, stop)

    def _walk(self, source: Source, stop: Stop) -> None:
        position = Position()
        while self.found.looked < MOST_LOOKED and time.monotonic() < self._until:
            try:
                with source.asked():
                    stretch = source.walker.stretch(
                        stop.queue, Place(stop.place), position, STRETCH
                    )
            except Trouble as trouble:
                if not isinstance(trouble.__cause__, redis.ResponseError):
                    raise
                return  # something else stands under the key; the action passes it over, too
            if not stretch.jobs:
                return
            self.found.looked += len(stretch.jobs)
            self.found.matching += sum(map(self._filter.takes, stretch.jobs))
            position = stretch.next({each.id for each in stretch.jobs})
