"""How many jobs are in each place of queues, and how many workers listen to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..protocol.keys import Keys
from ..protocol.places import Place, size_command
from ..protocol.problems import Problem
from .pipeline import Command
from .snapshots import QueueCounts


def commands(keys: Keys, queues: Sequence[str]) -> list[Command]:
    """The commands for these queues."""
    asked: list[Command] = []
    for queue in queues:
        asked.extend(size_command(keys, queue, place) for place in Place)
        asked.append(("SCARD", keys.queue_workers(queue)))
        asked.append(("SISMEMBER", keys.queues, keys.queue(queue)))
        asked.append(("EXISTS", keys.paused(queue)))
    return asked


def read(queues: Sequence[str], answers: Sequence[Any]) -> list[QueueCounts]:
    """The counts of each queue, in the answers to :func:`commands`."""
    labels = [
        *(Problem(place.value) for place in Place),
        *(Problem("workers"), Problem("name in the set of queues"), Problem("pause")),
    ]
    found = []
    for number, queue in enumerate(queues):
        numbers = answers[number * len(labels) : (number + 1) * len(labels)]
        problems = tuple(
            Problem("The key of its %(what)s can't be read: %(error)s", what=label, error=answer)
            for label, answer in zip(labels, numbers, strict=True)
            if isinstance(answer, Exception)
        )
        *counts, workers, listed, paused = (
            0 if isinstance(answer, Exception) else int(answer) for answer in numbers
        )
        places = dict(zip(Place, counts, strict=True))
        found.append(QueueCounts(queue, places, workers, problems, bool(listed), bool(paused)))
    return found
