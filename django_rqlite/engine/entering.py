"""How jobs come into a place: new ones, due ones, and those that are brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..exceptions import DuplicateJobError, InvalidJobError
from .arrows import BATCH, Arrows, flat, text
from .scripts import Argument, Call, Script, run_all
from .values import Hold, NewJob, Promoted

_enqueue = Script("enqueue")
_start_in_place = Script("start_in_place")
_schedule = Script("schedule")
_defer = Script("defer")
_promote = Script("promote")
_requeue = Script("requeue")


class Entering(Arrows):
    """How jobs come into a place: new ones, due ones, and those that are brought back."""

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
                *flat(new.fields),
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
        return _entered(new, call.script(self.connection, call.keys, call.arguments))

    def promote(self, queues: Sequence[str]) -> Promoted:
        """scheduled → queued, for jobs that are due, a batch of them."""
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
                *flat(fields),
            ),
        )
        _refuse(verdict, detail, hold.job_id, fields)
        return text(detail)

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
            verdicts.extend(map(text, answer))
        return verdicts


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
            f"Job {new.id!r} can't depend on job {text(detail)!r}, which waits for it, directly "
            "or through others: neither would ever run."
        )
    return text(verdict), text(detail)


def _refuse(verdict: bytes, detail: bytes, job_id: str, fields: Mapping[str, Argument]) -> None:
    """Raise where a script says that a new job must not be."""
    if verdict == b"running":
        raise DuplicateJobError(
            f"Job {job_id!r} is running on worker {text(detail) or '?'} now, so it can't be "
            "enqueued again under the same id. Wait until it has ended, or leave job_id out to "
            "get a new id."
        )
    if verdict == b"exists":
        raise DuplicateJobError(
            f"There is a job {job_id!r} already (it is {text(detail)}), and with unique=True "
            "there may be no other. Delete it first, or leave unique out to replace it."
        )
    if verdict == b"held":
        raise DuplicateJobError(
            f"Job {text(detail)!r} has the unique key {fields['x_unique']!r} and has not ended, "
            "so no other was enqueued with it."
        )
