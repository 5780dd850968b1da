"""The arrows of a job's life. One method, one script, one round trip each.

``docs/design.md`` draws the state machine; the header of each file under ``lua/`` says what the
arrow promises. All values are bytes, text or whole seconds: serializing is the caller's work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import redis

from ..exceptions import DuplicateJobError, InvalidJobError
from ..protocol.durations import FOREVER, LONGEST
from ..protocol.keys import Keys
from ..protocol.records import JobStatus
from .scripts import Argument, Call, Script, run_all

_enqueue = Script("enqueue")
_start_in_place = Script("start_in_place")
_schedule = Script("schedule")
_defer = Script("defer")
_cancel = Script("cancel")
_promote = Script("promote")
_claim = Script("claim")
_finish = Script("finish")
_fail = Script("fail")
_again = Script("again")
_release = Script("release")
_reap = Script("reap")
_rescue = Script("rescue")
_requeue = Script("requeue")
_delete = Script("delete")
_empty = Script("empty")
_delete_queue = Script("delete_queue")
_save = Script("save")
_leave_group = Script("leave_group")
_tidy_groups = Script("tidy_groups")
_register_worker = Script("register_worker")
_retire_worker = Script("retire_worker")
_heartbeat = Script("heartbeat")
_trim = Script("trim")

#: Ids that one call of a script which searches or deletes handles at the most, so that the server
#: is never busy with one of them for long.
BATCH = 500

#: Groups that one call looks at by chance.
SOME_GROUPS = 10

#: Seconds that the record of a worker which has ended stays (RQ 2.12: rq/worker/base.py).
DEAD_WORKER_TTL = 60


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is to enter a queue; see :meth:`Transitions.enqueue` and ``defer``."""

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
        verdict: ``'requeued'``, ``'gone'`` (there was no job) or ``'spent'``: it has lost its
            worker too often; nothing was changed, and the hold still stands to fail it with.
    """

    hold: Hold
    worker: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Promoted:
    """How many scheduled jobs went into their queues, and when the next is due (unix seconds)."""

    moved: int
    next_due: float | None


@dataclass(frozen=True, slots=True)
class Owner:
    """The live worker that bears a name already."""

    hostname: str
    pid: str
    last_heartbeat: str


class Transitions:
    """Every change of state on one connection below one key prefix."""

    __slots__ = ("connection", "keys", "prefix")

    def __init__(self, connection: redis.Redis, keys: Keys) -> None:
        self.connection = connection
        self.keys = keys
        self.prefix = keys.prefix

    # Into a queue

    def enqueue(
        self,
        job_id: str,
        queue: str,
        fields: Mapping[str, Argument],
        *,
        minted: bool,
        unique: bool = False,
        at_front: bool = False,
        ttl: int | None = None,
    ) -> str:
        """(new) → queued.

        Args:
            fields: the job's hash, without ``status`` and the times, which the script adds.
            minted: the id was made for this very call, so a job that bears it is this call's own.
            unique: the id is to be the only one.
            ttl: seconds for which the job may wait.

        Returns:
            ``enqueued_at`` as written.

        Raises:
            DuplicateJobError: see there. Nothing was written.
        """
        new = NewJob(job_id, queue, fields, minted, unique, at_front, ttl)
        call = self._enqueueing(new)
        return _entered(new, call.script(self.connection, call.keys, call.arguments))[1]

    def enqueue_many(self, jobs: Sequence[NewJob]) -> list[tuple[str, str] | Exception]:
        """(new) → queued or deferred for any number of jobs, in one round trip.

        Each job is a script of its own: the server attends to others in between, and a job that
        can't be enqueued leaves the rest alone.

        Returns:
            for each job, its status and ``enqueued_at`` as written, or why it was canceled; or what
            :meth:`enqueue` or :meth:`defer` would raise.

        Raises:
            redis.RedisError: the connection broke; some of them may have been enqueued.
        """
        calls = [self._deferring(new) if new.parents else self._enqueueing(new) for new in jobs]
        entered: list[tuple[str, str] | Exception] = []
        for new, answer in zip(jobs, run_all(self.connection, calls), strict=True):
            if isinstance(answer, Exception):
                entered.append(answer)
                continue
            try:
                entered.append(_entered(new, answer))
            except InvalidJobError as exc:
                entered.append(exc)
        return entered

    def _enqueueing(self, new: NewJob) -> Call:
        return Call(
            _enqueue,
            (self.keys.job(new.id), self.keys.queue(new.queue), self.keys.queues),
            (
                self.prefix,
                new.id,
                new.queue,
                "1" if new.at_front else "0",
                "" if new.ttl is None else new.ttl,
                _identity(new.minted, new.unique),
                *_flat(new.fields),
            ),
        )

    def _deferring(
        self, new: NewJob, *, due: float | None = None, delay: float | None = None
    ) -> Call:
        when = "" if delay is None else f"+{delay:.6f}"
        return Call(
            _defer,
            (self.keys.job(new.id), self.keys.queue(new.queue), self.keys.queues),
            (
                *(self.prefix, new.id, new.queue, _identity(new.minted, new.unique)),
                "1" if new.allow_failure else "0",
                when if due is None else f"{due:.6f}",
                len(new.parents),
                *new.parents,
                *_flat(new.fields),
            ),
        )

    def schedule(
        self,
        job_id: str,
        queue: str,
        fields: Mapping[str, Argument],
        *,
        minted: bool,
        unique: bool = False,
        due: float | None = None,
        delay: float | None = None,
    ) -> float:
        """(new) → scheduled.

        Args:
            due: unix seconds; or, instead,
            delay: seconds from now by the server's clock.

        Returns:
            unix seconds at which it is due.

        Raises:
            DuplicateJobError: see there. Nothing was written.
        """
        keys = self.keys
        verdict, detail = _schedule(
            self.connection,
            (keys.job(job_id), keys.scheduled(queue), keys.queues),
            (
                self.prefix,
                job_id,
                queue,
                f"{due:.6f}" if due is not None else f"+{delay:.6f}",
                _identity(minted, unique),
                *_flat(fields),
            ),
        )
        _refuse(verdict, detail, job_id, fields)
        return float(detail)

    def defer(
        self,
        job_id: str,
        queue: str,
        fields: Mapping[str, Argument],
        parents: Sequence[str],
        *,
        minted: bool,
        allow_failure: bool,
        unique: bool = False,
        due: float | None = None,
        delay: float | None = None,
    ) -> tuple[str, str]:
        """(new) → deferred; or → queued, scheduled or canceled, as the parents' states have it.

        Args:
            parents: ids of the jobs it depends on.
            allow_failure: whether a parent that ended badly will do.
            due, delay: when it is due once it waits for no parent, as in :meth:`schedule`.

        Returns:
            the status, and why where it was canceled.

        Raises:
            DuplicateJobError: see there. Nothing was written.
            InvalidJobError: a parent waits for this very job. Nothing was written.
        """
        new = NewJob(
            job_id,
            queue,
            fields,
            minted,
            unique,
            parents=parents,
            allow_failure=allow_failure,
        )
        call = self._deferring(new, due=due, delay=delay)
        return _entered(new, call.script(self.connection, call.keys, call.arguments))

    def cancel(self, job_ids: Sequence[str], *, release_dependents: bool = False) -> list[str]:
        """queued, scheduled or deferred → canceled, for any number of jobs.

        Args:
            release_dependents: whether jobs that wait for them run all the same; else they are
                canceled too.

        Returns:
            ``'canceled'``, ``'missing'``, or the status that keeps a job from being canceled.
        """
        verdicts: list[str] = []
        for start in range(0, len(job_ids), BATCH):
            batch = job_ids[start : start + BATCH]
            answer = _cancel(
                self.connection,
                [self.keys.job(job_id) for job_id in batch],
                (self.prefix, "1" if release_dependents else "0", *batch),
            )
            verdicts.extend(map(_text, answer))
        return verdicts

    def promote(self, queues: Sequence[str]) -> Promoted:
        """scheduled → queued, for jobs that are due, a batch of each queue."""
        keys = [self.keys.scheduled(name) for name in queues]
        moved, due = _promote(self.connection, keys, (self.prefix, BATCH, *queues))
        return Promoted(moved, float(due) if due else None)

    def start_in_place(
        self,
        hold: Hold,
        fields: Mapping[str, Argument],
        *,
        lease: int,
        worker_name: str,
        unique: bool = False,
    ) -> str:
        """(new) → started, for a caller that runs the job itself (``ASYNC`` off).

        Args:
            lease: seconds after which the caller counts as dead.

        Returns:
            ``started_at`` as written.

        Raises:
            DuplicateJobError: see there. Nothing was written.
        """
        keys = self.keys
        verdict, detail = _start_in_place(
            self.connection,
            (keys.job(hold.job_id), keys.queue(hold.queue), keys.queues),
            (
                self.prefix,
                hold.job_id,
                hold.queue,
                hold.execution,
                lease,
                worker_name,
                _identity(minted=False, unique=unique),
                *_flat(fields),
            ),
        )
        _refuse(verdict, detail, hold.job_id, fields)
        return _text(detail)

    def requeue(self, job_ids: Sequence[str], *, at_front: bool = False) -> list[str]:
        """failed, stopped or canceled → queued, for any number of jobs.

        Returns:
            ``'queued'``, ``'not failed'`` or ``'missing'`` for each id.
        """
        verdicts: list[str] = []
        for start in range(0, len(job_ids), BATCH):
            batch = job_ids[start : start + BATCH]
            answer = _requeue(
                self.connection,
                [self.keys.job(job_id) for job_id in batch],
                (self.prefix, "1" if at_front else "0", *batch),
            )
            verdicts.extend(map(_text, answer))
        return verdicts

    # Out of a queue, and the outcome

    def claim(self, worker: str, wanted: NextClaim) -> Claim:
        """queued → started: the next job of the queues, or none.

        Asking again with the same execution gives the same job, so a claim whose answer was lost
        with the connection is simply repeated.
        """
        return self._claim_from(
            _claim(
                self.connection,
                [self.keys.queue(name) for name in wanted.queues],
                (self.prefix, worker, wanted.execution, wanted.lease, *wanted.queues),
            ),
            wanted.execution,
        )

    def finish(
        self,
        worker: str,
        hold: Hold,
        *,
        worker_name: str,
        result_ttl: int,
        result: bytes,
        signature: str,
        encoded_result: bytes,
        then: NextClaim | None = None,
    ) -> Settled:
        """started → finished, and the next claim in the same round trip.

        Args:
            worker: whose record counts the job; ``''`` for none.
            worker_name: what the result says.
            result_ttl: seconds; −1 for ever, 0 keeps nothing.
            result: serialized, with ``encoded_result`` its base64 form; ``b''`` for None.
        """
        outcome = (_ttl(result_ttl, least=0), result, signature, encoded_result)
        return self._settle(_finish, worker, hold, worker_name, outcome, then)

    def fail(
        self,
        worker: str,
        hold: Hold,
        *,
        worker_name: str,
        failure_ttl: int,
        reason: str,
        encoded_reason: bytes,
        headline: str,
        status: str = JobStatus.FAILED,
        then: NextClaim | None = None,
    ) -> Settled:
        """started → failed or stopped, and the next claim in the same round trip.

        Args:
            failure_ttl: seconds; −1 for ever.
            reason: the traceback, or the sentence that says what happened.
            encoded_reason: the same, as RQ's results stream wants it.
            headline: one line that names the error.
            status: ``'failed'``, or ``'stopped'`` for a job that was ended by order.
        """
        kept = _ttl(failure_ttl, least=1)
        outcome = (kept, _encodable(reason), encoded_reason, _encodable(headline), status)
        return self._settle(_fail, worker, hold, worker_name, outcome, then)

    def again(
        self,
        worker: str,
        hold: Hold,
        *,
        worker_name: str,
        delay: int,
        at_front: bool,
        counter: str,
        change: int,
        tally: str,
        kind: str,
        payload_field: str,
        payload: bytes,
        headline: str,
        succeeded: bool,
        signature: str = "",
        then: NextClaim | None = None,
    ) -> Settled:
        """started → queued or scheduled, and the next claim in the same round trip.

        Args:
            delay: seconds; 0: into the queue at once.
            counter, change: the job's field that counts this, and by how much it changes.
            tally: the job's field that counts such runs upwards.
            kind, payload_field, payload: the entry in the results stream.
            signature: of the value in that entry; ``''`` where it has none.
            headline: one line that names the error; ``''`` where there was none.
            succeeded: which of the worker's counters goes up.
        """
        counted = "successful_job_count" if succeeded else "failed_job_count"
        outcome = (
            *(delay, "1" if at_front else "0", counter, change, tally),
            *(kind, payload_field, payload, signature, _encodable(headline), counted),
        )
        return self._settle(_again, worker, hold, worker_name, outcome, then)

    def _settle(
        self,
        script: Script,
        worker: str,
        hold: Hold,
        worker_name: str,
        outcome: Sequence[Argument],
        then: NextClaim | None,
    ) -> Settled:
        queues = then.queues if then else ()
        verdict, claimed = script(
            self.connection,
            (self.keys.job(hold.job_id), *map(self.keys.queue, queues)),
            (
                self.prefix,
                worker,
                hold.job_id,
                hold.queue,
                hold.execution,
                worker_name,
                *outcome,
                then.execution if then else "",
                then.lease if then else 0,
                *queues,
            ),
        )
        claim = self._claim_from(claimed, then.execution) if then else Claim()
        return Settled(verdict == b"stored", claim, repeated=verdict == b"repeated")

    @staticmethod
    def _claim_from(answer: list[Any], execution: str) -> Claim:
        job_id, queue, flat, notes, more, pauses = answer
        texts = tuple(map(_text, notes))
        if job_id is None:
            kept = tuple(Pause(_text(name), None if ms < 0 else ms / 1000) for name, ms in pauses)
            return Claim(notes=texts, more=bool(more), pauses=kept)
        values = iter(flat)
        hold = Hold(_text(job_id), _text(queue), execution)
        return Claim(hold, dict(zip(values, values, strict=True)), texts)

    def release(self, worker: str, hold: Hold) -> bool:
        """started → queued, at the front: a worker gives back what it will not end.

        Returns:
            False when the execution no longer held the job.
        """
        answer = _release(
            self.connection,
            (self.keys.job(hold.job_id), self.keys.queue(hold.queue)),
            (self.prefix, worker, hold.job_id, hold.queue, hold.execution),
        )
        return bool(answer == b"released")

    def reap(self, queue: str, *, most_crashes: int, patience: int) -> list[Reaped]:
        """started → queued at the front, for executions whose lease has ended; a batch of them.

        Args:
            most_crashes: how often a job may lose its worker and be queued again.
            patience: seconds that leases of RQ's own workers may be over.
        """
        found = _reap(
            self.connection,
            (self.keys.started(queue), self.keys.queue(queue)),
            (self.prefix, queue, most_crashes, patience, BATCH),
        )
        return [
            Reaped(Hold(_text(job_id), queue, _text(execution)), _text(worker), _text(verdict))
            for job_id, execution, worker, verdict in found
        ]

    def fields(self, job_id: str) -> Mapping[bytes, bytes]:
        """A job's hash as it stands, for a decision about it; empty where there is none."""
        return cast("Mapping[bytes, bytes]", self.connection.hgetall(self.keys.job(job_id)))

    def rescue(self, queue: str, *, patience: int) -> list[str]:
        """Put back what a worker of RQ 2 took from the queue and never recorded.

        Args:
            patience: seconds after which an id counts as left.

        Returns:
            the ids.
        """
        keys = self.keys
        found = _rescue(
            self.connection,
            (keys.intermediate(queue), keys.queue(queue)),
            (self.prefix, queue, patience, BATCH),
        )
        return list(map(_text, found))

    # Deleting

    def delete(self, job_ids: Sequence[str]) -> int:
        """Any state → (gone), with everything that belongs to the jobs.

        Returns:
            how many of them were there.
        """
        found = 0
        for start in range(0, len(job_ids), BATCH):
            batch = job_ids[start : start + BATCH]
            keys = [self.keys.job(job_id) for job_id in batch]
            found += sum(_delete(self.connection, keys, (self.prefix, *batch)))
        return found

    def empty(self, queue: str) -> int:
        """queued → (gone) for all jobs of a queue; returns how many were deleted."""
        deleted, left = 0, 1
        while left:
            count, left = _empty(
                self.connection, (self.keys.queue(queue),), (self.prefix, queue, BATCH)
            )
            deleted += count
        return deleted

    def delete_queue(self, queue: str) -> int:
        """Take an empty queue out of the set of queues.

        Returns:
            how many jobs wait in it; unless that is 0, nothing was changed.
        """
        keys = (self.keys.queue(queue), self.keys.queues)
        return int(_delete_queue(self.connection, keys, (self.prefix,)))

    def trim(self, queue: str) -> int:
        """Take ids whose jobs have expired out of the queue's registries; returns how many."""
        keys = self.keys
        return int(
            _trim(
                self.connection,
                (keys.finished(queue), keys.failed(queue), keys.canceled(queue)),
                (self.prefix, BATCH),
            )
        )

    # Beside the arrows

    def leave_group(self, group: str, job_ids: Sequence[str]) -> None:
        """Take jobs, which may be gone, out of a group."""
        keys = [self.keys.job(job_id) for job_id in job_ids]
        _leave_group(self.connection, keys, (self.prefix, group, *job_ids))

    def tidy_groups(self, *groups: str) -> int:
        """Take ids whose jobs have expired out of these groups; returns how many.

        Without names, some of the groups are looked at, by chance, and some ids of each.
        """
        ids_of_each = 2**31 - 1 if groups else BATCH
        arguments: list[Argument] = [self.prefix, SOME_GROUPS, ids_of_each, *groups]
        return int(_tidy_groups(self.connection, (self.keys.groups,), arguments))

    def tell_worker(self, worker: str, message: str) -> bool:
        """Publish a command to a worker; whether anyone listened."""
        channel = self.keys.commands_channel(worker)
        return bool(self.connection.publish(channel, message))

    def save(self, job_id: str, fields: Mapping[str, Argument]) -> bool:
        """Store what says nothing of where a job is; False when the job is gone."""
        keys = (self.keys.job(job_id),)
        return bool(_save(self.connection, keys, (self.prefix, *_flat(fields))))

    def register_worker(
        self,
        name: str,
        queues: Sequence[str],
        fields: Mapping[str, Argument],
        *,
        hostname: str,
        pid: int,
        ttl: int,
        silence: int,
        dead_pid: str = "",
    ) -> Owner | None:
        """List a worker, or say who bears its name.

        Args:
            ttl: seconds for which the record stays without a heartbeat.
            silence: seconds without a heartbeat after which one of our records is dead.
            dead_pid: process id of a record on this host that is known to be dead.
        """
        answer = _register_worker(
            self.connection,
            (self.keys.worker(name),),
            (
                self.prefix,
                name,
                ttl,
                hostname,
                pid,
                dead_pid,
                silence,
                len(queues),
                *queues,
                *_flat(fields),
            ),
        )
        return Owner(*map(_text, answer)) if answer else None

    def retire_worker(self, name: str, queues: Sequence[str]) -> None:
        """Unlist a worker that ends."""
        keys = (self.keys.worker(name),)
        _retire_worker(self.connection, keys, (self.prefix, DEAD_WORKER_TTL, *queues))

    def heartbeat(
        self, worker: str, state: str, running: Sequence[Hold], *, ttl: int, lease: int
    ) -> tuple[bool, frozenset[str]]:
        """Renew a worker's record and the leases of what it runs. Times in seconds.

        Returns:
            whether the record was there, and the executions that lost their jobs.
        """
        holds = [part for hold in running for part in (hold.job_id, hold.queue, hold.execution)]
        listed, lost = _heartbeat(
            self.connection,
            (self.keys.worker(worker),),
            (self.prefix, ttl, lease, state, *holds),
        )
        return bool(listed), frozenset(map(_text, lost))


def _ttl(seconds: int, *, least: int) -> int:
    """What Redis takes: other tools may have written anything into the job."""
    return FOREVER if seconds < 0 else min(max(seconds, least), LONGEST)


def _flat(fields: Mapping[str, Argument]) -> list[Argument]:
    return [part for pair in fields.items() for part in pair]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _encodable(text: str) -> bytes:
    """Tracebacks may quote lone surrogates, which UTF-8 has no bytes for."""
    return text.encode("utf-8", "replace")


def _identity(minted: bool, unique: bool) -> str:
    """What the scripts are told about a new job's id."""
    if minted:
        return "1"
    return "only" if unique else "0"


def _entered(new: NewJob, answer: tuple[bytes, bytes]) -> tuple[str, str]:
    """The answer of enqueue.lua or defer.lua, or the error that it stands for."""
    verdict, detail = answer
    _refuse(verdict, detail, new.id, new.fields)
    if verdict == b"cycle":
        raise InvalidJobError(
            f"Job {new.id!r} can't depend on job {_text(detail)!r}, which waits for it, directly "
            "or through others: neither would ever run."
        )
    return _text(verdict), _text(detail)


def _refuse(verdict: bytes, detail: bytes, job_id: str, fields: Mapping[str, Argument]) -> None:
    """Raise where a script says that a new job must not be."""
    if verdict == b"running":
        raise DuplicateJobError(
            f"Job {job_id!r} is running on worker {_text(detail) or '?'} now, so it can't be "
            "enqueued again under the same id. Wait until it has ended, or leave job_id out to "
            "get a new id."
        )
    if verdict == b"exists":
        raise DuplicateJobError(
            f"There is a job {job_id!r} already (it is {_text(detail)}), and with unique=True "
            "there may be no other. Delete it first, or leave unique out to replace it."
        )
    if verdict == b"held":
        raise DuplicateJobError(
            f"Job {_text(detail)!r} has the unique key {fields['x_unique']!r} and has not ended, "
            "so no other was enqueued with it."
        )
