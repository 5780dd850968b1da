"""The arguments and answers of the engine, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .scripts import Argument


class NewJob(NamedTuple):
    """A job for :meth:`.Engine.enqueue_many`. The arguments of ``enqueue`` and ``defer``."""

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
    """The right of one execution to change its job.

    Every script that ends an execution checks this first. If another execution holds the job, the
    script changes nothing.
    """

    job_id: str
    queue: str
    execution: str


@dataclass(frozen=True, slots=True)
class NextClaim:
    """How a worker claims its next job, alone or together with the outcome of the last one.

    Attributes:
        execution: the id of the new execution. A repeated call must have the same id.
        queues: the names of the queues, in the order of preference.
        lease: seconds for which the claim holds without a heartbeat.
    """

    execution: str
    queues: Sequence[str]
    lease: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that keeps a worker from claiming jobs.

    Attributes:
        queue: the queue that is paused; '': all of them, because the workers are suspended.
        ends_in: seconds until the pause ends by itself; None: it does not end by itself.
    """

    queue: str
    ends_in: float | None


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim.

    Attributes:
        hold: None if nothing was claimed.
        fields: the job's hash at the time of the claim.
        notes: for the log: which ids were dropped from a queue, and why.
        more: whether the caller must ask again: nothing was claimed, but some ids were not checked.
        pauses: if nothing was claimed, the pauses that were in force.
    """

    hold: Hold | None = None
    fields: Mapping[bytes, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    more: bool = False
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """The answer to a call that stores an outcome, with the next claim if one was asked for.

    Attributes:
        stored: whether the outcome was stored. If not, the execution no longer held the job.
        repeated: whether an earlier call had stored it already, whose answer was lost with the
            connection.
    """

    stored: bool
    claim: Claim
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Reaped:
    """An execution whose lease had expired.

    Attributes:
        worker: the name of its worker; '' if unknown.
        verdict: ``'requeued'``; ``'gone'``: the job does not exist or is elsewhere; ``'placed'``:
            the execution had ended, and the job has now moved to its place, whose key had the wrong
            type before; ``'spent'``: the job's workers have died too often. Then nothing has
            changed, and the caller fails the job with ``hold``.
    """

    hold: Hold
    worker: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Promoted:
    """The answer to a promotion.

    Attributes:
        moved: how many scheduled jobs entered their queues.
        server_time: unix seconds.
        next_due: unix seconds at which the next job is due; None: no job is scheduled, or none can
            be moved.
    """

    moved: int
    server_time: float
    next_due: float | None


@dataclass(frozen=True, slots=True)
class Owner:
    """The live worker that already has the name of a new one."""

    hostname: str
    pid: str
    last_heartbeat: str
    #: Identifies it among all workers that ever had the name; '' for RQ's workers.
    instance: str = ""
    #: Identifies its process, see ``process/identity.py``; '' if unknown.
    process: str = ""
