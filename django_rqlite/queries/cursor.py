"""A cursor that reads a place from beginning to end, in chunks.

Between two chunks, jobs come and go, including those that the caller has just changed. In a sorted
set, the next chunk begins after the last member that was read, even if that member is gone. In a
list, workers take entries from the beginning, and new jobs are added to the end. So the next chunk
begins after the last entry that was read and left in place. If that entry is gone, all entries
before it are gone too, or they are read again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..engine.scripts import Script
from ..protocol.codec import decode
from ..protocol.places import Place, place_key, size_command
from .found_jobs import Found
from .job_search import JobSearch

_list_after = Script("list_after")
_sorted_set_after = Script("sorted_set_after")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a chunk ends. ``score`` is '' in a list; both are '' at the beginning."""

    score: str = ""
    member: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next jobs of a place.

    Attributes:
        jobs: empty at the end of the place.
        behind: how many entries of the list come after these; None in a sorted set.
    """

    jobs: Sequence[Found]
    behind: int | None
    _start: Position
    _end: Position

    def next(self, left: Collection[str]) -> Position:
        """Where the next chunk begins.

        Args:
            left: the ids of the jobs that the caller has left in the place.
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
        """Up to ``most`` jobs after ``start``. Two round trips.

        Raises:
            redis.RedisError: the connection broke, or the key has the wrong type.
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
