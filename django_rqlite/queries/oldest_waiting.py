"""Since when the next job of each queue has been waiting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..engine.scripts import Script
from ..protocol.keys import Keys
from ..protocol.records import read_job
from .pipeline import items

_OLDEST = Script("oldest")


def command(keys: Keys, queues: Sequence[str]) -> tuple[Any, ...]:
    """What to ask the server. It is one of many in a round trip, so the script is sent whole."""
    lists = [keys.queue(queue) for queue in queues]
    return ("EVAL", _OLDEST.text, len(lists), *lists, keys.prefix)


def read(queues: Sequence[str], answer: Any) -> dict[str, datetime]:
    """What its answer says, by queue; missing where none waits, or it is not known."""
    found = {}
    for queue, since in zip(queues, items(answer), strict=False):
        if since and (moment := read_job("", {b"enqueued_at": since}).enqueued_at):
            found[queue] = moment
    return found
