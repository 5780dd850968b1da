"""Changing jobs wherever they are, also in the middle of a queue in which a million others wait.

Redis finds an id in a list only by looking at one entry after the other. A few ids are searched
for by the script itself, one in each call. For more, the list is read here, a slice at a time, so
that one pass serves any number of ids, and the server is never busy with it for long. The script
that changes the jobs is told where they stood a moment ago, and looks again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Any, cast

from ..protocol.codec import decode
from .base import BATCH, SEARCHES, EngineBase
from .scripts import Argument, Script

#: Ids for which the list is searched again and again; reading it costs about as much.
FEW = 10

#: Entries of a list that are read at a time.
SLICE = 5000

#: Ids that one call takes out of the middle of a list at the most.
HANDFUL = 100

#: Slices that are read of the list where it is known at about which place the ids stood.
NEARBY = 2

#: Entries by which an id may have moved since it was read, since others came or went.
SLACK = 500


def take_out(
    engine: EngineBase,
    script: Script,
    job_ids: Sequence[str],
    *options: Argument,
    behind: int | None = None,
) -> list[Any]:
    """Run a script on any number of jobs that may have to leave the middle of a list.

    Args:
        script: takes and answers what ``delete.lua`` does.
        options: what it takes before the ids.
        behind: entries that stood after the last of the ids a moment ago, where that is known and
            the others stood near it: they are looked for there first.

    Returns:
        its answer for each id.
    """
    return _TakingOut(engine, script, options, job_ids, behind).run()


class _TakingOut:
    def __init__(
        self,
        engine: EngineBase,
        script: Script,
        options: Sequence[Argument],
        job_ids: Sequence[str],
        behind: int | None,
    ) -> None:
        self._engine = engine
        self._script = script
        self._options = options
        self._ids = job_ids
        self._behind = behind
        self._answers: list[Any] = [None] * len(job_ids)

    def run(self) -> list[Any]:
        waiting: dict[str, list[int]] = {}
        # What is alone need not be sent twice.
        searches = SEARCHES if len(self._ids) == 1 else 0
        for numbers in _parts(range(len(self._ids)), BATCH):
            for queue, number in self._call(numbers, searches):
                waiting.setdefault(queue, []).append(number)
        for queue, numbers in waiting.items():
            left, before = numbers, 0
            if self._behind is not None:
                left = self._pass(queue, left, max(self._behind - SLACK, 0), NEARBY)
            # What others took from the list meanwhile hides as much from a pass.
            while len(left) > FEW and len(left) != before:
                before = len(left)
                left = self._pass(queue, left)
            for number in left:
                self._call([number], SEARCHES)
        return self._answers

    def _call(
        self, numbers: Sequence[int], searches: int, stretch: tuple[str, int, int] = ("", 0, 0)
    ) -> list[tuple[str, int]]:
        """Note the answers; return queue and number of each id that must be searched for."""
        engine, ids = self._engine, [self._ids[number] for number in numbers]
        answers = self._script(
            engine.connection,
            [engine.keys.job(job_id) for job_id in ids],
            (engine.prefix, searches, *stretch, *self._options, *ids),
        )
        left = []
        for number, answer in zip(numbers, answers, strict=True):
            if isinstance(answer, list):
                left.append((decode(answer[0]), number))
            else:
                self._answers[number] = answer
        return left

    def _pass(
        self, queue: str, numbers: Sequence[int], behind: int = 0, slices: float = inf
    ) -> list[int]:
        """Read a queue's list once for these ids; return the numbers of those not found.

        From its end to its beginning: claims, which take the first, then shift nothing.

        Args:
            behind: entries at its end that are not read.
            slices: that are read at the most.
        """
        sought = {self._ids[number]: number for number in numbers}
        left = set(numbers)
        key = self._engine.keys.queue(queue)
        while sought and slices:
            slices -= 1
            entries = cast(
                "list[bytes]",
                self._engine.connection.lrange(key, -behind - SLICE, -behind - 1),
            )
            if not entries:
                break
            last = behind + len(entries) - 1
            places = [
                (last - index, sought.pop(job_id))
                for index, job_id in enumerate(map(decode, entries))
                if job_id in sought
            ]
            taken = 0
            # Those that have most entries behind them first, so that no other moves.
            for part in _parts(places, HANDFUL):
                there = [number for _place, number in part]
                least = max(part[-1][0] - SLACK, 0)
                stretch = (queue, least, part[0][0] - least + SLACK + 1)
                missed = {number for _queue, number in self._call(there, 0, stretch)}
                left -= set(there) - missed
                taken += len(part) - len(missed)
            behind += len(entries) - taken
        return sorted(left)


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
