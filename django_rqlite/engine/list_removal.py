"""Runs scripts on jobs whose ids may be in the middle of a very long list.

Redis finds an id in a list only by looking at one entry after the other. For a few ids, the script
itself searches, one id in each call. For more, this module reads the list in slices: one pass finds
any number of ids, and the server is never busy for long. The script that changes the jobs gets the
positions at which their ids were a moment ago, and checks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Any, cast

from ..protocol.codec import decode
from .base import BATCH, SEARCHES, EngineBase
from .scripts import Argument, Script

#: Up to this many ids, the script searches the list for each. Reading the list costs about as much.
FEW = 10

#: Entries of a list that are read at a time.
SLICE = 5000

#: The maximum number of ids that one call removes from the middle of a list.
HANDFUL = 100

#: The maximum number of slices that are read if the caller knows roughly where the ids are.
NEARBY = 2

#: By how many entries an id may have moved after it was read, because others came or went.
SLACK = 500


def run(
    engine: EngineBase,
    script: Script,
    job_ids: Sequence[str],
    *options: Argument,
    behind: int | None = None,
) -> list[Any]:
    """Run a script on any number of jobs whose ids may be in the middle of a list.

    Args:
        script: one with the arguments and answers of ``delete.lua``.
        options: the arguments of the script before the ids.
        behind: how many entries came after the last of the ids a moment ago, if that is known and
            the other ids were near it. The search begins there.

    Returns:
        the answer for each id.
    """
    return _Removal(engine, script, options, job_ids, behind).run()


class _Removal:
    """One call of :func:`run`. Ids are identified by their index, because an id may occur twice."""

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
        # A single id is searched for at once, which saves a second call.
        searches = SEARCHES if len(self._ids) == 1 else 0
        for numbers in _parts(range(len(self._ids)), BATCH):
            for queue, number in self._call(numbers, searches):
                waiting.setdefault(queue, []).append(number)
        for queue, numbers in waiting.items():
            left, before = numbers, 0
            if self._behind is not None:
                left = self._read_list(queue, left, max(self._behind - SLACK, 0), NEARBY)
            # If others remove entries during a pass, the pass may miss as many ids.
            while len(left) > FEW and len(left) != before:
                before = len(left)
                left = self._read_list(queue, left)
            for number in left:
                self._call([number], SEARCHES)
        return self._answers

    def _call(
        self, numbers: Sequence[int], searches: int, stretch: tuple[str, int, int] = ("", 0, 0)
    ) -> list[tuple[str, int]]:
        """Run the script; return the queue and the index of each id that needs a search."""
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

    def _read_list(
        self, queue: str, numbers: Sequence[int], behind: int = 0, slices: float = inf
    ) -> list[int]:
        """Read a queue's list once, and run the script on the ids that it finds.

        It reads from the end to the beginning. Claims take entries from the beginning, so they do
        not change positions that are counted from the end.

        Args:
            behind: how many entries at the end are skipped.
            slices: how many slices are read at most.

        Returns:
            the indices of the ids that were not found.
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
            # The ids with the most entries behind them go first, so that the others do not move.
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
