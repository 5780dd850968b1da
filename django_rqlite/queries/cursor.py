"""Going through a place from beginning to end, a stretch at a time, in any number of visits.

Between two visits jobs come and go, also those that were just dealt with. In a sorted set a visit
goes on behind the last member that was seen, whether that is still there or not. A list is
shortened at its beginning by workers and grows at its end, so it goes on behind the last entry that
was seen and left; where that is gone, all that stood before it are gone too, or are seen again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..engine.scripts import Script
from ..protocol.codec import decode
from ..protocol.places import Place, place_key, size_command
from .job_search import Found, JobSearch

_list_after = Script("list_after")
_sorted_set_after = Script("sorted_set_after")


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody came. ``score`` is '' in a list; both are '' at the beginning."""

    score: str = ""
    member: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
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


class PlaceCursor(JobSearch):
    """Reads whole places of one broker."""

    __slots__ = ()

    def count(self, places: Sequence[tuple[str, Place]]) -> int:
        """How many jobs are in these places. One round trip."""
        counted = self._execute([size_command(self.keys, *each) for each in places])
        return sum(count for count in counted if isinstance(count, int))

    def fetch(self, queue: str, place: Place, start: Position, most: int) -> Chunk:
        """The jobs behind ``start``, ``most`` of them. Two round trips.

        Raises:
            redis.RedisError: as the server or the connection says, also where something else stands
                under the key.
        """
        key = place_key(self.keys, queue, place)
        end, behind = start, None
        if place is Place.QUEUED:
            answer = _list_after(self.connection, (key,), (start.member, most))
            behind, members = int(answer[0]), answer[1:]
        else:
            arguments = (start.score, start.member, most)
            answer = _sorted_set_after(self.connection, (key,), arguments)
            members = answer[::2]
            if members:
                end = Position(decode(answer[-1]), decode(members[-1]))
        found = self.summaries(queue, place, [decode(member) for member in members])
        return Chunk(found, behind, start, end)
