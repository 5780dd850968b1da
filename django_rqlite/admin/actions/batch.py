"""One batch of an action on all jobs that match: about two seconds of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import redis

from ...protocol.places import Place
from ...queries.cursor import Position
from ..search_filters import Wanted
from ..sources import Source, Trouble, all_sources
from .job_operations import JobAction, Order, Outcome
from .progress import Round, Stop

#: Jobs that are looked at between two looks at the clock.
STRETCH = 1000

#: Seconds after which a batch ends.
SECONDS = 2.0


class Batch:
    """Goes on with a round.

    Args:
        by: the name of the user who orders it.

    Attributes:
        ids: of the jobs that matched in this batch.
        done: of those to which it was done.
    """

    def __init__(self, going: Round, action: JobAction, by: str) -> None:
        self.ids: list[str] = []
        self.done: list[str] = []
        self._round = going
        self._action = action
        self._by = by
        self._begun = datetime.fromtimestamp(going.begun, UTC)
        self._takes = going.wanted.filter_at(self._begun).takes

    def run(self) -> bool:
        """Do it; whether that was the last batch.

        Raises:
            Trouble: a server can't be asked. What was done before that stays done and counted.
        """
        going, until = self._round, time.monotonic() + SECONDS
        for source, stop in self._ahead():
            if going.stop != stop:
                going.stop, going.position = stop, Position()
            while self._stretch(source, stop):
                if time.monotonic() >= until:
                    return False
        return True

    def _ahead(self) -> Iterator[tuple[Source, Stop]]:
        """The stops that are left, the one that was begun first."""
        going = self._round
        sources = {source.name: source for source in all_sources()}
        found: list[tuple[Source, Stop]] = []
        for name in going.sources:
            source = sources.get(name)
            if source is None or not (going.to == "" or source.has(going.to)):
                continue
            try:
                with source.asked():
                    found += [(source, stop) for stop in stops(source, going.wanted, self._action)]
            except Trouble as trouble:
                if len(going.sources) == 1:
                    raise
                # The other servers can be gone through all the same.
                going.note(str(trouble))
        first = next((i for i, (_source, stop) in enumerate(found) if stop == going.stop), 0)
        return iter(found[first:])

    def _stretch(self, source: Source, stop: Stop) -> bool:
        """Go through the next jobs of a place; whether there may be more."""
        going, place = self._round, Place(stop.place)
        try:
            with source.asked():
                stretch = source.walker.fetch(stop.queue, place, going.position, STRETCH)
                ids = list(dict.fromkeys(each.id for each in stretch.jobs if self._takes(each)))
                outcome = (
                    self._action.act(Order(source, ids, going.to, stretch.behind, self._by))
                    if ids
                    else Outcome()
                )
                if outcome.missing and going.action == "delete" and place is not Place.QUEUED:
                    # What has expired stays in its list until somebody sweeps.
                    source.transitions.trim(stop.queue)
        except Trouble as trouble:
            if not isinstance(trouble.__cause__, redis.ResponseError):
                raise
            # Something else stands under a key: the other places can be gone through all the same.
            going.note(f"{stop.queue}: {trouble}")
            return False
        self.ids += ids
        self.done += outcome.done
        going.count(len(stretch.jobs), outcome)
        left = {each.id for each in stretch.jobs} - set(outcome.done if self._action.leaves else ())
        # What is missing may stand in its list all the same, or not.
        going.position = stretch.next(left.difference(outcome.missing) or left)
        # Behind the end of a list are those that came since; there is no end where there are none.
        return any(each.moment is None or each.moment <= self._begun for each in stretch.jobs)


def stops(source: Source, wanted: Wanted, action: JobAction) -> list[Stop]:
    """Where there may be jobs that match. One round trip at the most."""
    if wanted.queue:
        queues: Sequence[str] = [wanted.queue]
    else:
        queues = source.finder.known([conf.name for conf in source.queues]).names
    places = [place for place in wanted.places if place in action.places]
    return [Stop(source.name, queue, place.value) for queue in queues for place in places]
