"""How new jobs come into a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..exceptions import DuplicateJobError, InvalidJobError
from ..protocol.codec import decode
from .base import EngineBase, flat
from .enqueue_slices import parted
from .scripts import Argument, Script, ScriptCall, ScriptPipeline
from .values import Hold, NewJob

_enqueue = Script("enqueue", often=True)
_enqueue_many = Script("enqueue_many")
_start_in_place = Script("start_in_place")
_schedule = Script("schedule")
_defer = Script("defer")


class EnqueueScripts(EngineBase):
    """How new jobs come into a place."""

    __slots__ = ()

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
            when, in unix microseconds.

        Raises:
            DuplicateJobError: see there. Nothing was written.
        """
        keys = self.keys
        answer = _enqueue(
            self.connection,
            (keys.job(job_id), keys.queue(queue), keys.queues),
            (
                *(self.prefix, job_id, queue, "1" if at_front else "0", "" if ttl is None else ttl),
                _identity(minted, unique) if not minted or _is_tied(fields) else "new",
                *flat(fields),
            ),
        )
        return _entered(job_id, fields, answer)[1]

    def enqueue_many(self, jobs: Sequence[NewJob]) -> PendingEnqueue:
        """(new) → queued or deferred for any number of jobs, in one round trip.

        A script takes no more than a slice of them (``slices.py``), so that the server attends to
        others in between. A job that may have to be refused has a script of its own, so that it
        leaves the rest alone.

        Returns:
            what tells how each went, once they have run; meanwhile the caller can go on.

        Raises:
            redis.RedisError: the connection broke; some of them may have been enqueued.
        """
        return PendingEnqueue(self, jobs)

    def _slice(self, jobs: Sequence[NewJob]) -> ScriptCall:
        """Jobs that are alike, in one script."""
        first = jobs[0]
        arguments: list[Argument] = [
            *(self.prefix, first.queue, "1" if first.at_front else "0"),
            *("" if first.ttl is None else first.ttl, first.fields.get("group_id", "")),
        ]
        for new in jobs:
            fields = new.fields
            arguments += (new.id, 2 * len(fields))
            for pair in fields.items():
                arguments += pair
        return ScriptCall(
            _enqueue_many, (self.keys.queue(first.queue), self.keys.queues), arguments
        )

    def _alone(self, new: NewJob) -> ScriptCall:
        """A job in a script of its own."""
        if new.parents:
            return self._deferring(new)
        return ScriptCall(
            _enqueue,
            (self.keys.job(new.id), self.keys.queue(new.queue), self.keys.queues),
            (
                *(self.prefix, new.id, new.queue, "1" if new.at_front else "0"),
                *("" if new.ttl is None else new.ttl, _identity(new.minted, new.unique)),
                *flat(new.fields),
            ),
        )

    def _deferring(
        self, new: NewJob, *, due: float | None = None, delay: float | None = None
    ) -> ScriptCall:
        when = "" if delay is None else f"+{delay:.6f}"
        return ScriptCall(
            _defer,
            (self.keys.job(new.id), self.keys.queue(new.queue), self.keys.queues),
            (
                *(self.prefix, new.id, new.queue, _identity(new.minted, new.unique)),
                "1" if new.allow_failure else "0",
                when if due is None else f"{due:.6f}",
                len(new.parents),
                *new.parents,
                *flat(new.fields),
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
                *flat(fields),
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
        return _entered(job_id, fields, call.script(self.connection, call.keys, call.arguments))

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
            when, in unix microseconds.

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
                *flat(fields),
            ),
        )
        _refuse(verdict, detail, hold.job_id, fields)
        return decode(detail)


class PendingEnqueue:
    """Jobs on their way into a queue; see :meth:`EnqueueScripts.enqueue_many`.

    Whoever made this must ask for the outcomes, or else a connection is lost to its pool.
    """

    def __init__(self, engine: EnqueueScripts, jobs: Sequence[NewJob]) -> None:
        self._parts = list(parted(jobs))
        self._running = ScriptPipeline(
            engine.connection,
            [
                engine._slice(part) if isinstance(part, list) else engine._alone(part)
                for part in self._parts
            ],
        )

    def outcomes(self) -> list[tuple[str, str] | Exception]:
        """For each job, its status and when, in unix microseconds, or why it was canceled; or what
        :meth:`EnqueueScripts.enqueue` or :meth:`EnqueueScripts.defer` would raise.

        Raises:
            redis.RedisError: the connection broke; some of them may have been enqueued.
        """
        found: list[tuple[str, str] | Exception] = []
        for part, answer in zip(self._parts, self._running.answers(), strict=True):
            if isinstance(part, list):
                one = answer if isinstance(answer, Exception) else ("queued", decode(answer))
                found += [one] * len(part)
            elif isinstance(answer, Exception):
                found.append(answer)
            else:
                try:
                    found.append(_entered(part.id, part.fields, answer))
                except InvalidJobError as exc:
                    found.append(exc)
        return found


def _is_tied(fields: Mapping[str, Argument]) -> bool:
    return "x_unique" in fields or "group_id" in fields


def _identity(minted: bool, unique: bool) -> str:
    """What the scripts are told about a new job's id."""
    if minted:
        return "1"
    return "only" if unique else "0"


def _entered(
    job_id: str, fields: Mapping[str, Argument], answer: bytes | tuple[bytes, bytes]
) -> tuple[str, str]:
    """The answer of enqueue.lua or defer.lua, or the error that it stands for."""
    if isinstance(answer, bytes):
        return "queued", decode(answer)
    verdict, detail = answer
    _refuse(verdict, detail, job_id, fields)
    if verdict == b"cycle":
        raise InvalidJobError(
            f"Job {job_id!r} can't depend on job {decode(detail)!r}, which waits for it, directly "
            "or through others: neither would ever run."
        )
    return decode(verdict), decode(detail)


def _refuse(verdict: bytes, detail: bytes, job_id: str, fields: Mapping[str, Argument]) -> None:
    """Raise where a script says that a new job must not be."""
    if verdict == b"running":
        raise DuplicateJobError(
            f"Job {job_id!r} is running on worker {decode(detail) or '?'} now, so it can't be "
            "enqueued again under the same id. Wait until it has ended, or leave job_id out to "
            "get a new id."
        )
    if verdict == b"exists":
        raise DuplicateJobError(
            f"There is a job {job_id!r} already (it is {decode(detail)}), and with unique=True "
            "there may be no other. Delete it first, or leave unique out to replace it."
        )
    if verdict == b"held":
        raise DuplicateJobError(
            f"Job {decode(detail)!r} has the unique key {fields['x_unique']!r} and has not ended, "
            "so no other was enqueued with it."
        )
