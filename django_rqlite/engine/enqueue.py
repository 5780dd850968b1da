"""Scripts that give a new job its first place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain

from ..exceptions import DuplicateJobError, InvalidJobError
from ..protocol.codec import decode
from ..protocol.keys import Keys
from .base import EngineBase, flat
from .enqueue_slices import slices
from .scripts import Argument, Script, ScriptCall, ScriptPipeline
from .values import Hold, NewJob

_enqueue = Script("enqueue", often=True)
_enqueue_many = Script("enqueue_many")
_start_in_place = Script("start_in_place")
_schedule = Script("schedule")
_defer = Script("defer")


class EnqueueScripts(EngineBase):
    """Scripts that give a new job its first place."""

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
            fields: the job's hash without ``status`` and the times, which the script adds.
            minted: whether the id was made for this call. A job with this id then comes from an
                earlier try of this call.
            unique: whether the call is refused if there is a job with this id.
            ttl: seconds for which the job may wait.

        Returns:
            when the job was enqueued, in unix microseconds.

        Raises:
            DuplicateJobError: another job with the same id or unique key forbids it. Nothing was
                written.
        """
        job_key, queue_key, queues_key = _key_parts(self.prefix)
        answer = _enqueue(
            self.connection,
            (job_key + job_id, queue_key + queue, queues_key),
            (
                *(self.prefix, job_id, queue, "1" if at_front else "0", "" if ttl is None else ttl),
                _identity(minted, unique) if not minted or _has_key_or_group(fields) else "new",
                *chain.from_iterable(fields.items()),
            ),
        )
        return _read_answer(job_id, fields, answer)[1]

    def enqueue_many(self, jobs: Sequence[NewJob]) -> PendingEnqueue:
        """(new) → queued or deferred, for any number of jobs, in one round trip.

        A script takes one slice of the jobs (``enqueue_slices.py``), so that the server can serve
        others in between. A job that may be refused has a script of its own, so that a refusal does
        not affect the others.

        Returns:
            an object that reads the answers later. The caller can do something else meanwhile.

        Raises:
            redis.RedisError: the connection broke. Some of the jobs may have been enqueued.
        """
        return PendingEnqueue(self, jobs)

    def _slice_call(self, jobs: Sequence[NewJob]) -> ScriptCall:
        """The call for a slice of jobs."""
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

    def _single_call(self, new: NewJob) -> ScriptCall:
        """The call for a single job."""
        if new.parents:
            return self._defer_call(new)
        return ScriptCall(
            _enqueue,
            (self.keys.job(new.id), self.keys.queue(new.queue), self.keys.queues),
            (
                *(self.prefix, new.id, new.queue, "1" if new.at_front else "0"),
                *("" if new.ttl is None else new.ttl, _identity(new.minted, new.unique)),
                *flat(new.fields),
            ),
        )

    def _defer_call(
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
            fields, minted, unique: as for :meth:`enqueue`.
            due: when the job is due, in unix seconds; or, instead,
            delay: in how many seconds it is due, by the server's clock.

        Returns:
            when the job is due, in unix seconds.

        Raises:
            DuplicateJobError: another job with the same id or unique key forbids it. Nothing was
                written.
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
        _raise_refusal(verdict, detail, job_id, fields)
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
        """(new) → deferred; or → queued, scheduled or canceled, if the parents have ended.

        Args:
            fields, minted, unique: as for :meth:`enqueue`.
            parents: the ids of the jobs that it depends on.
            allow_failure: whether it also runs after a parent that did not finish.
            due, delay: when it is due after its parents have ended, as for :meth:`schedule`.

        Returns:
            the status; and for a canceled job the reason.

        Raises:
            DuplicateJobError: another job with the same id or unique key forbids it. Nothing was
                written.
            InvalidJobError: a parent waits for this job. Nothing was written.
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
        call = self._defer_call(new, due=due, delay=delay)
        return _read_answer(job_id, fields, call.script(self.connection, call.keys, call.arguments))

    def start_in_place(
        self,
        hold: Hold,
        fields: Mapping[str, Argument],
        *,
        lease: int,
        worker_name: str,
        unique: bool = False,
    ) -> str:
        """(new) → started, for a caller that runs the job itself (``ASYNC: False``).

        Args:
            fields, unique: as for :meth:`enqueue`.
            lease: seconds after which the caller counts as dead.

        Returns:
            when the job was started, in unix microseconds.

        Raises:
            DuplicateJobError: another job with the same id or unique key forbids it. Nothing was
                written.
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
        _raise_refusal(verdict, detail, hold.job_id, fields)
        return decode(detail)


class PendingEnqueue:
    """Jobs that were sent to the server; see :meth:`EnqueueScripts.enqueue_many`.

    The caller must call :meth:`outcomes`, which gives the connection back to its pool.
    """

    def __init__(self, engine: EnqueueScripts, jobs: Sequence[NewJob]) -> None:
        self._slices = list(slices(jobs))
        self._pipeline = ScriptPipeline(
            engine.connection,
            [
                engine._slice_call(part) if isinstance(part, list) else engine._single_call(part)
                for part in self._slices
            ],
        )

    def outcomes(self) -> list[tuple[str, str] | Exception]:
        """The result for each job.

        Returns:
            for each job its status, with the time in unix microseconds or the reason why it was
            canceled; or the exception that ``enqueue`` or ``defer`` would raise.

        Raises:
            redis.RedisError: the connection broke. Some of the jobs may have been enqueued.
        """
        found: list[tuple[str, str] | Exception] = []
        for part, answer in zip(self._slices, self._pipeline.answers(), strict=True):
            if isinstance(part, list):
                one = answer if isinstance(answer, Exception) else ("queued", decode(answer))
                found += [one] * len(part)
            elif isinstance(answer, Exception):
                found.append(answer)
            else:
                try:
                    found.append(_read_answer(part.id, part.fields, answer))
                except InvalidJobError as exc:
                    found.append(exc)
        return found


@lru_cache(maxsize=64)
def _key_parts(prefix: str) -> tuple[str, str, str]:
    """The key of a job and that of a queue, both without its name, and the key of all queues."""
    keys = Keys(prefix)
    return keys.job(""), keys.queue(""), keys.queues


def _has_key_or_group(fields: Mapping[str, Argument]) -> bool:
    return "x_unique" in fields or "group_id" in fields


def _identity(minted: bool, unique: bool) -> str:
    """How the scripts treat an older job with the same id; see ``enqueue.lua``."""
    if minted:
        return "1"
    return "only" if unique else "0"


def _read_answer(
    job_id: str, fields: Mapping[str, Argument], answer: bytes | tuple[bytes, bytes]
) -> tuple[str, str]:
    """The status and the detail in an answer of enqueue.lua or defer.lua. Raises for a refusal."""
    if isinstance(answer, bytes):
        return "queued", decode(answer)
    verdict, detail = answer
    _raise_refusal(verdict, detail, job_id, fields)
    if verdict == b"cycle":
        raise InvalidJobError(
            f"Job {job_id!r} can't depend on job {decode(detail)!r}, which waits for it, directly "
            "or through others: neither would ever run."
        )
    return decode(verdict), decode(detail)


def _raise_refusal(
    verdict: bytes, detail: bytes, job_id: str, fields: Mapping[str, Argument]
) -> None:
    """Raise if a script refused a new job."""
    if verdict == b"running":
        raise DuplicateJobError(
            f"Job {job_id!r} is running on worker {decode(detail) or '?'} now, so it can't be "
            "enqueued again under the same id. Wait until it has ended, or leave job_id out to "
            "get a new id."
        )
    if verdict == b"exists":
        raise DuplicateJobError(
            f"There is a job {job_id!r} already (it is {decode(detail)}), and unique=True does not "
            "allow another. Delete it first, or leave unique out to replace it."
        )
    if verdict == b"held":
        raise DuplicateJobError(
            f"Job {decode(detail)!r} has the unique key {fields['x_unique']!r} and has not ended, "
            "so no other job was enqueued with this key."
        )
