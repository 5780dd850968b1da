"""Queues as the settings configure them, and the calls that put jobs into them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import redis

from ..broker.errors import is_transient, translate_errors
from ..engine.engine import Hold
from ..engine.scripts import Argument
from ..exceptions import InvalidJobError
from ..execution.run import perform, time_limit
from ..execution.settle import settle, unstorable
from ..jobs.job import Job
from ..jobs.options import NOTHING_SAID, JobOptions, checked, refuse_pipeline, split
from ..protocol.durations import LONGEST
from ..protocol.records import JobStatus, read_job
from ..signals import job_enqueued, send
from . import dependency_check
from .bulk import EnqueueData, enqueue_many
from .commit import push_when_visible
from .stored_queue import StoredQueue

# enqueue_at() has an argument of that name, as in RQ.
_Datetime = datetime

#: What a job that was run in place shows as its worker (RQ's word for it).
IN_PLACE = "sync"

#: Seconds that a job run in place may overstay its timeout before its caller counts as dead.
IN_PLACE_SLACK = 60


class Queue(StoredQueue):
    """A queue of jobs on one Redis connection. Durations are in whole seconds.

    Attributes:
        name: as in ``RQ_QUEUES``.
        connection: the client of its server.
        is_async: whether a worker runs the jobs (True), or the caller, at once.
        job_class: what :meth:`enqueue` makes.
    """

    #: Which of the steps of enqueueing a subclass has of its own. They are called as RQ calls them.
    _overridden: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        steps = ("create_job", "enqueue_job")
        cls._overridden = frozenset(
            name for name in steps if getattr(cls, name) is not getattr(Queue, name)
        )

    def enqueue(self, f: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Job:
        """Make a job of a call and put it into this queue, in one round trip.

        Inside an open database transaction the job becomes visible when that commits; it has its
        id at once.

        Args:
            f: a function at the top of a module, a bound method, a callable instance, or a
                dotted path.
            *args, **kwargs: for the function, except these keywords, which are RQ's options:
                ``job_timeout``, ``result_ttl``, ``failure_ttl``, ``ttl`` (seconds, or forms such
                as ``'1h30m'``; −1 for ever), ``job_id``, ``description``, ``at_front``, ``meta``,
                ``depends_on`` (a job, an id, a :class:`Dependency`, or a list of these),
                ``retry`` (a :class:`Retry`), ``repeat`` (a :class:`Repeat`), ``unique`` (True:
                refuse it while there is any job with this ``job_id``), ``unique_key`` and
                ``unique_for`` (text, and a duration: refuse it while another job with the same key
                waits or runs, for so long at the most).
                With ``args=(…)`` and ``kwargs={…}`` these alone go to the function.

        Raises:
            InvalidJobError: it can't become a job; see the subclasses. Nothing was written.
            DuplicateJobError: a job with this ``job_id`` runs now, or ``unique`` or ``unique_key``
                forbids it. Found when a transaction commits, this is logged instead, and the job
                dropped.
            PayloadTooLargeError: the server does not take so many bytes. Nothing was written,
                unless all that it lacked was time, as the text then says.
            RedisUnavailableError: the server does not answer.
            RedisRefusedError: it answers that it can't: its memory is full, say.
        """
        options, call_args, call_kwargs = split(args, kwargs)
        return self._enqueue_made(self._made(f, call_args, call_kwargs, options), options)

    def enqueue_call(
        self,
        func: Callable[..., Any] | str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Job:
        """The same as :meth:`enqueue`, with the call apart from the options.

        Args:
            **options: as for :meth:`enqueue`, with ``timeout`` instead of ``job_timeout``.
        """
        settled = checked(**options)
        return self._enqueue_made(self._made(func, args or (), kwargs or {}, settled), settled)

    def original_enqueue_call(self, *args: Any, **kwargs: Any) -> Job:
        """:meth:`enqueue_call` as it is without being overridden (django-rq's name for it)."""
        return Queue.enqueue_call(self, *args, **kwargs)

    def create_job(
        self,
        func: Callable[..., Any] | str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        status: object = None,
        **options: Any,
    ) -> Job:
        """A job for this queue that is not in it yet; options as for :meth:`enqueue_call`.

        Args:
            status: accepted for RQ's sake: a job that is in no queue is ``created``.
        """
        return self._make(func, args or (), kwargs or {}, checked(**options))

    def enqueue_job(
        self, job: Job, pipeline: None = None, at_front: bool = False, unique: bool = False
    ) -> Job:
        """Put a job made with :meth:`create_job` or :meth:`Job.create` into this queue.

        Args:
            pipeline: None; for RQ's signature.

        Raises:
            InvalidJobError: a pipeline was given, or see :meth:`enqueue`.
            DuplicateJobError: see :meth:`enqueue`.
        """
        refuse_pipeline(pipeline, "enqueue_job()", InvalidJobError)
        job.origin = self.name
        self._fill_defaults(job)
        return self._submit(job, at_front, unique and not job.minted)

    @staticmethod
    def prepare_data(
        func: Callable[..., Any] | str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        timeout: int | str | None = None,
        result_ttl: int | str | None = None,
        ttl: int | str | None = None,
        failure_ttl: int | str | None = None,
        description: str | None = None,
        **options: Any,
    ) -> EnqueueData:
        """One call for :meth:`enqueue_many`.

        Args:
            **options: as for :meth:`enqueue_call`.

        Raises:
            InvalidJobError: an option makes no sense; see the subclasses.
        """
        if timeout is result_ttl is ttl is failure_ttl is description is None and not options:
            settled = NOTHING_SAID
        else:
            settled = checked(
                timeout=timeout,
                result_ttl=result_ttl,
                ttl=ttl,
                failure_ttl=failure_ttl,
                description=description,
                **options,
            )
        return EnqueueData(func, args or (), kwargs or {}, settled)

    def enqueue_many(
        self,
        job_datas: Iterable[EnqueueData],
        pipeline: None = None,
        group_id: str | None = None,
        *,
        ignore_duplicates: bool = False,
    ) -> list[Job]:
        """Enqueue many jobs, in one round trip for each thousand.

        Nothing of a batch of a thousand is written unless all of it can become jobs. They enter the
        queue a hundred at a time, in their order: if the server goes away in the middle, those
        before stay, and a job that is refused leaves the others alone. Inside a transaction, all
        become visible when that commits.

        Args:
            job_datas: any iterable of what :meth:`prepare_data` makes. It is read a batch at a
                time, while the server works on the one before, so that a generator never has more
                than these two in memory, outside of transactions; the jobs in the list that is
                returned are, so call this several times for a very large number.
            pipeline: None; for RQ's signature.
            group_id: the name of the group that they join; see :class:`Group`.
            ignore_duplicates: leave out what ``unique`` or ``unique_key`` forbids.

        Returns:
            the jobs that were enqueued, or will be when the transaction commits.

        Raises:
            InvalidJobError: one of them can't become a job; see the subclasses.
            DuplicateJobError: some of them were refused as duplicates, and were not to be ignored.
                All others have been enqueued.
            PayloadTooLargeError: the server does not take one of them. Those before it in its batch
                may have been enqueued.
            RedisUnavailableError: the server does not answer.
            RedisRefusedError: it answers that it can't: its memory is full, say.
        """
        refuse_pipeline(pipeline, "enqueue_many()", InvalidJobError)
        return enqueue_many(self, job_datas, group_id, ignore_duplicates=ignore_duplicates)

    def enqueue_at(
        self, datetime: datetime, f: Callable[..., Any] | str, *args: Any, **kwargs: Any
    ) -> Job:
        """Have a job go into this queue at a time; otherwise as :meth:`enqueue`.

        Args:
            datetime: when; a naive one is in this process's local time, as in RQ, whatever
                ``USE_TZ`` says. One in the past means at once.

        Raises:
            InvalidJobError: as :meth:`enqueue`, and for what is no time, or none that can be kept.
        """
        if not isinstance(datetime, _Datetime):
            raise InvalidJobError(
                f"enqueue_at() needs a datetime first, not {datetime!r}. For a time from now, use "
                "enqueue_in(timedelta(...), ...)."
            )
        return self._schedule(f, args, kwargs, due=_moment(datetime))

    def enqueue_in(
        self, time_delta: timedelta, func: Callable[..., Any] | str, *args: Any, **kwargs: Any
    ) -> Job:
        """Have a job go into this queue after a time; otherwise as :meth:`enqueue`.

        Counted from the moment it becomes visible, by the clock of the Redis server.

        Raises:
            InvalidJobError: as :meth:`enqueue`, and for a time that is none.
        """
        if not isinstance(time_delta, timedelta):
            raise InvalidJobError(
                f"enqueue_in() needs a timedelta first, not {time_delta!r}. For a point in time, "
                "use enqueue_at(datetime, ...)."
            )
        delay = max(0.0, time_delta.total_seconds())
        if delay > LONGEST:
            raise InvalidJobError(
                f"enqueue_in() was given {time_delta!r}, but the most is a hundred years "
                f"({LONGEST} s)."
            )
        return self._schedule(func, args, kwargs, delay=delay)

    def _schedule(
        self,
        func: Callable[..., Any] | str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        due: float | None = None,
        delay: float | None = None,
    ) -> Job:
        options, call_args, call_kwargs = split(args, kwargs)
        job = self._made(func, call_args, call_kwargs, options)
        fields = job.to_fields()
        if options.at_front:
            fields["enqueue_at_front"] = 1  # read when it is due

        def push() -> None:
            if job.dependency_ids:
                self._defer(job, fields, options.unique, due=due, delay=delay)
                return
            with translate_errors(self.connection):
                self._engine.schedule(
                    job.id,
                    self.name,
                    fields,
                    minted=job.minted,
                    unique=options.unique,
                    due=due,
                    delay=delay,
                )
            job._entered(JobStatus.SCHEDULED, "")
            send(job_enqueued, job)

        self._push_when_visible(job, push)
        return job

    def _made(
        self,
        func: Callable[..., Any] | str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: JobOptions,
    ) -> Job:
        if "create_job" in self._overridden:
            job = self.create_job(func=func, args=args, kwargs=kwargs, **options.said())
        else:
            job = self._make(func, args, kwargs, options)
        if options.at_front and job.dependency_ids:
            job.enqueue_at_front = True  # read when its parents have ended
        return job

    def _enqueue_made(self, job: Job, options: JobOptions) -> Job:
        if "enqueue_job" in self._overridden:
            if not options.unique:  # which older overrides do not know
                return self.enqueue_job(job, at_front=options.at_front)
            return self.enqueue_job(job, at_front=options.at_front, unique=True)
        return self._submit(job, options.at_front, options.unique)

    def _make(
        self,
        func: Callable[..., Any] | str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: JobOptions,
    ) -> Job:
        if not isinstance(args, (tuple, list)):
            raise InvalidJobError(f"args must be a tuple or a list, not {type(args).__name__}.")
        if type(kwargs) is not dict and not isinstance(kwargs, Mapping):
            raise InvalidJobError(f"kwargs must be a dictionary, not {type(kwargs).__name__}.")
        if self.job_class.overrides_create:
            job = self._created(func, args, kwargs, options)
        else:
            job = self.job_class._prepared(
                func, args, kwargs, options, self.name, self.connection, self.serializer
            )
        self._fill_defaults(job)
        return job

    def _created(
        self,
        func: Callable[..., Any] | str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: JobOptions,
    ) -> Job:
        """A job from the project's own ``Job.create``, called as RQ calls it."""
        said = options.said()
        repeat = said.pop("repeat")
        job = self.job_class.create(
            func,
            args=args,
            kwargs=kwargs,
            connection=self.connection,
            origin=self.name,
            serializer=self.serializer,
            id=said.pop("job_id"),
            **said,
        )
        if repeat is not None:
            job._repeat_as(repeat)
        return job

    def _fill_defaults(self, job: Job) -> None:
        if job.timeout is None:
            job.timeout = self._default_timeout
        if job.result_ttl is None:
            job.result_ttl = self._default_result_ttl

    def _submit(self, job: Job, at_front: bool, unique: bool) -> Job:
        # Everything that can be wrong with the call is found before the transaction goes on.
        fields = job.to_fields()
        self._push_when_visible(job, lambda: self._push(job, fields, at_front, unique))
        return job

    def _push(self, job: Job, fields: Mapping[str, Argument], at_front: bool, unique: bool) -> None:
        if job.dependency_ids and (self.is_async or not job.dependencies_are_met()):
            self._defer(job, fields, unique)
            return
        if not self.is_async:
            self._run_in_place(job, fields, unique)
            return
        with translate_errors(self.connection):
            enqueued = self._engine.enqueue(
                job.id,
                self.name,
                fields,
                minted=job.minted,
                unique=unique,
                at_front=at_front,
                ttl=job.waiting_ttl,
            )
        job._entered(JobStatus.QUEUED, enqueued)
        send(job_enqueued, job)

    def _defer(
        self,
        job: Job,
        fields: Mapping[str, Argument],
        unique: bool,
        *,
        due: float | None = None,
        delay: float | None = None,
    ) -> None:
        with translate_errors(self.connection):
            status, reason = self._engine.defer(
                job.id,
                self.name,
                fields,
                job.dependency_ids,
                minted=job.minted,
                unique=unique,
                allow_failure=bool(job.allow_dependency_failures),
                due=due,
                delay=delay,
            )
        job._entered(status, reason)
        send(job_enqueued, job)

    def _push_when_visible(self, job: Job, push: Callable[[], None]) -> None:
        if job._parents:
            dependency_check.check(job, self.connection, self.commit_mode)

        def push_at_last() -> None:
            if job._pending is not None:
                dependency_check.check_again(job, self.connection)
                job._pending = None
            push()

        if not push_when_visible(self.commit_mode, push_at_last, [job]):
            job._pending = push_at_last

    def _run_in_place(self, job: Job, fields: Mapping[str, Argument], unique: bool) -> None:
        """Run the job in this process and store its outcome as a worker would."""
        hold = Hold(job.id, self.name, uuid.uuid4().hex)
        lease = (time_limit(job.timeout) or 86_400) + IN_PLACE_SLACK
        # Taken before the job can change what its outcome is decided by, or make it unserializable.
        record = job.to_record()
        with translate_errors(self.connection):
            started = self._engine.start_in_place(
                hold, fields, lease=lease, worker_name=IN_PLACE, unique=unique
            )
        job._entered(JobStatus.STARTED, started)
        job.started_at, job.worker_name = job.enqueued_at, IN_PLACE
        send(job_enqueued, job)
        try:
            outcome = perform(job)
            with translate_errors(self.connection):
                try:
                    settle(self._engine, "", hold, record, outcome, IN_PLACE)
                except redis.ResponseError as exc:
                    if is_transient(exc):
                        raise
                    # Else a worker would run it again once the lease has ended.
                    refused = unstorable(outcome, exc)
                    settle(self._engine, "", hold, record, refused, IN_PLACE)
                stored = self._engine.job_fields(job.id)
        finally:
            job._unstored = None
        if stored:
            job._stands_as(read_job(job.id, stored))
        else:  # it was to be kept for 0 seconds
            job._ended(JobStatus.FINISHED)


#: From here on, times can't be trusted to be read back as they were written.
_TOO_LATE = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def _moment(given: datetime) -> float:
    """Unix seconds; 0 for what was before 1970.

    Raises:
        InvalidJobError: there is no such moment, or it is too far off.
    """
    try:
        seconds = given.timestamp()
    except (ValueError, OverflowError, OSError) as exc:
        raise InvalidJobError(
            f"enqueue_at() was given {given!r}, which is no moment in the local time zone ({exc}). "
            "Give a time between 1970 and 9998."
        ) from exc
    if seconds >= _TOO_LATE:
        raise InvalidJobError(
            f"enqueue_at() was given {given!r}. The latest time that can be kept is the end of the "
            "year 9998."
        )
    return max(0.0, seconds)
