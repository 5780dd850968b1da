"""What the arrows take and give, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .scripts import Argument


class NewJob(NamedTuple):
    """A job that is to enter a queue; see :meth:`Engine.enqueue` and ``defer``."""

    id: str
    queue: str
    fields: Mapping[str, Argument]
    minted: bool
    unique: bool = False
    at_front: bool = False
    ttl: int | None = None
    parents: Sequence[str] = ()
    allow_failure: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """What an execution must show to change its job: the fence's key."""

    job_id: str
    queue: str
    execution: str


@dataclass(frozen=True, slots=True)
class NextClaim:
    """How to claim the next job together with the outcome of the last one.

    Attributes:
        execution: the new execution's id, kept by the caller when a call must be repeated.
        queues: names, in the order of preference.
        lease: seconds.
    """

    execution: str
    queues: Sequence[str]
    lease: int


@dataclass(frozen=True, slots=True)
class Pause:
    """What keeps workers from taking jobs.

    Attributes:
        queue: whose jobs wait; '': all queues' (the workers are suspended).
        ends_in: seconds until it ends by itself; None: never.
    """

    queue: str
    ends_in: float | None


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim.

    Attributes:
        hold: None when nothing was claimed.
        fields: the job's hash, as it was when the claim was made.
        notes: what was dropped from a queue and why, for the log.
        more: nothing was claimed, but not all was looked at: ask again.
        pauses: nothing was claimed, and these kept from it.
    """

    hold: Hold | None = None
    fields: Mapping[bytes, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    more: bool = False
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an outcome, and the next claim if asked.

    Attributes:
        stored: False: the fence refused it.
        repeated: whether it was refused since the very same was stored before: the connection
            broke before the answer.
    """

    stored: bool
    claim: Claim
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Reaped:
    """An execution whose lease had ended.

    Attributes:
        worker: who held it, as far as is known.
        verdict: ``'requeued'``, ``'gone'`` (there was no job), ``'placed'`` (its run had ended, and
            foreign data had kept it from its place) or ``'spent'``: it has lost its worker too
            often; nothing was changed, and the hold still stands to fail it with.
    """

    hold: Hold
    worker: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Promoted:
    """How many scheduled jobs went into their queues.

    Attributes:
        server_time: unix seconds.
        next_due: unix seconds at which the next one is due; None: none is scheduled, or none can
            be moved.
    """

    moved: int
    server_time: float
    next_due: float | None


@dataclass(frozen=True, slots=True)
class Owner:
    """The live worker that bears a name already."""

    hostname: str
    pid: str
    last_heartbeat: str
    #: Which of all workers that ever bore the name; '' for RQ's workers.
    instance: str = ""
    #: See ``worker/process_identity.py``; '' where it could not be told.
    process: str = ""
