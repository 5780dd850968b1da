"""What a worker tells a child to do."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

from ..engine.transitions import Hold
from ..execution import Failed, Stopped
from ..protocol.records import JobRecord
from .frames import pack


@dataclass(frozen=True, slots=True)
class Run:
    """Run a job, and report how it went."""

    hold: Hold
    record: JobRecord


@dataclass(frozen=True, slots=True)
class CallBack:
    """Call what a job names, in place of its own process, which has died; and end."""

    queue: str
    record: JobRecord
    outcome: Stopped | Failed


Order = Run | CallBack


def pack_order(order: Order) -> bytes:
    """The order as a message.

    A child trusts its worker, whose memory it was made of, so it may unpickle what that sends. Not
    the other way round: a job may write anything into its pipe.
    """
    return pack([pickle.dumps(order, pickle.HIGHEST_PROTOCOL)])


def unpack_order(parts: list[bytes]) -> Order:
    """The reverse of :func:`pack_order`."""
    order: Order = pickle.loads(parts[0])
    return order
