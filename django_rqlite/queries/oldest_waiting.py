"""When the next job of each queue was enqueued."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..engine.scripts import Script
from ..protocol.keys import Keys
from ..protocol.records import read_job
from .pipeline import Command, members

_OLDEST_WAITING = Script("oldest_waiting")


def command(keys: Keys, queues: Sequence[str]) -> Command:
    """The command for all queues. It has the script's text, because it is part of a pipeline."""
    lists = [keys.queue(queue) for queue in queues]
    return ("EVAL", _OLDEST_WAITING.text, len(lists), *lists, keys.prefix)


def read(queues: Sequence[str], answer: Any) -> dict[str, datetime]:
    """When the next job of each queue was enqueued. A queue is missing if that is unknown."""
    found = {}
    for queue, since in zip(queues, members(answer), strict=False):
        if since and (moment := read_job("", {b"enqueued_at": since}).enqueued_at):
            found[queue] = moment
    return found
