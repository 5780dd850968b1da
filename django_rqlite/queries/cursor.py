"""Going through a place from beginning to end, a stretch at a time, in any number of visits.

Between two visits jobs come and go, also those that were just dealt with. In a sorted set a visit
goes on behind the last member that was seen, whether that is still there or not. A list is
shortened at its beginning by workers and grows at its end, so it goes on behind the last entry that
was seen and left; where that is gone, all that stood before it are gone too, or are seen again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..broker.broker import Broker
from ..engine.scripts import Script
from .job_search import Found, JobSearch
from .pipeline import answers, name_of
from .places import Place, size_command
from .queries import Queries

_next_of_list = Script("next_of_list")
_next_of_set = Script("next_of_set")


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody came. ``score`` is '' in a list; both are '' at the beginning."""

    score: str = ""
    member: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The next jobs of a place.

    Attributes:
        jobs: none, if the place has come to its end.
        behind: entries that come after these; None where they are in no list.
    """

    jobs: Sequence[Found]
    behind: int | None
    _start: Position
    _end: Position

    def next(self, left: Collection[str]) -> Position:
        """Where to go on.

        Args:
            left: ids of those jobs that are still where they were, as far as is known.
        """
        if self._end.score:
            return self._end
        stay = [found.id for found in self.jobs if found.id in left]
        return Position("", stay[-1]) if stay else self._start


class PlaceCursor:
    """Goes through places of one connection below one key prefix."""

    __slots__ = ("_connection", "_finder", "_monitor")

    def __init__(self, broker: Broker) -> None:
        self._connection = broker.client
        self._monitor = Queries(broker)
        self._finder = JobSearch(broker)

    def count(self, places: Sequence[tuple[str, Place]]) -> int:
        """How many jobs are in these places. One round trip."""
        keys = self._monitor.keys
        commands = [size_command(keys, queue, place) for queue, place in places]
        counted = answers(self._connection, commands)
        return sum(count for count in counted if isinstance(count, int))

    def stretch(self, queue: str, place: Place, start: Position, most: int) -> Stretch:
        """The jobs behind ``start``, ``most`` of them. Two round trips.

        Raises:
            redis.RedisError: as the server or the connection says, also where something else stands
                under the key.
        """
        key = self._monitor.key(queue, place)
        end, behind = start, None
        if place is Place.QUEUED:
            answer = _next_of_list(self._connection, (key,), (start.member, most))
            behind, members = int(answer[0]), answer[1:]
        else:
            arguments = (start.score, start.member, most)
            answer = _next_of_set(self._connection, (key,), arguments)
            members = answer[::2]
            if members:
                end = Position(name_of(answer[-1]), name_of(members[-1]))
        found = self._finder.summaries(queue, place, [name_of(member) for member in members])
        return Stretch(found, behind, start, end)
