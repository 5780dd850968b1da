"""A queue of jobs: enqueue, read, pause, empty, delete."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import total_ordering
from typing import Any, ClassVar, Self, cast

import redis
from django.db import connections

from .. import conf
from ..broker.broker import Broker
from ..broker.clients import connection_for, get_connection
from ..conf.classes import resolve_class
from ..engine.engine import Engine, NewJob
from ..exceptions import (
    ConfigurationError,
    InvalidJobError,
    InvalidJobOperation,
    InvalidQueueError,
)
from ..jobs.job import Job
from ..jobs.options import (
    ENQUEUE_KEYWORDS,
    NOTHING_SAID,
    JobOptions,
    checked,
    refuse_pipeline,
    split,
)
from ..protocol import codec
from ..protocol.durations import LONGEST, parse_duration
from ..protocol.records import DEFAULT_TIMEOUT
from ..protocol.serializers import Serializer, resolve
from ..queries.queries import Queries
from . import dependency_check
from .bulk import EnqueueData, deliver_in_batches
from .commit import AFTER_REQUEST, AT_ONCE, ON_COMMIT, AfterCommitDelivery
from .delivery import Delivery, InPlaceDelivery, PreparedJob, RedisDelivery
from .registries import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from .suspension import pause_seconds

# enqueue_at() has an argument of that name, as in RQ.
_Datetime = datetime


@total_ordering
class Queue:
    """A queue of jobs on one Redis server. Durations are in whole seconds.

    Args:
        name: The name, as in ``RQ_QUEUES``.
        connection: The client of its server; ``None``: the one that ``RQ_QUEUES`` describes.
        default_timeout: The default of ``job_timeout``: seconds, or a form such as ``'1h30m'``;
            ``None``: three minutes.
        is_async: Whether workers run the jobs. If not, the caller runs each at once.
        job_class: The class of its jobs, or its dotted path; ``None``: :attr:`default_job_class`.
        serializer: An object with ``dumps`` and ``loads``, or its dotted path; ``None``: pickle.
        commit_mode: When jobs become visible: a value of ``COMMIT_MODE``; ``None``: the setting.
        autocommit: Deprecated: ``True`` means the mode ``auto``, ``False`` ``request_finished``.
        default_result_ttl: The default of ``result_ttl``; ``None``: the worker's default.

    Attributes:
        name: The name, as in ``RQ_QUEUES``.
        connection: The client of its server.
        job_class: The class of the jobs that :meth:`enqueue` makes.
        serializer: Serializes calls and return values.

    Raises:
        ConfigurationError: An argument cannot be used.
        UnknownQueueError: ``RQ_QUEUES`` has no such queue, and no connection is given.
    """

    #: The default of :attr:`job_class`.
    default_job_class: type[Job] = Job

    #: The steps of enqueueing that a subclass overrides. They are called as RQ calls them.
    _overridden: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        steps = ("create_job", "enqueue_job")
        cls._overridden = frozenset(
            name for name in steps if getattr(cls, name) is not getattr(Queue, name)
        )

    def __init__(
        self,
        name: str = "default",
        connection: redis.Redis | None = None,
        default_timeout: int | str | None = None,
        is_async: bool = True,
        job_class: type[Job] | str | None = None,
        serializer: object = None,
        *,
        commit_mode: str | None = None,
        autocommit: bool | None = None,
        default_result_ttl: int | None = None,
    ) -> None:
        if autocommit is not None:
            warnings.warn(
                "The argument autocommit is deprecated; use commit_mode.",
                DeprecationWarning,
                stacklevel=2,
            )
            commit_mode = commit_mode or (AT_ONCE if autocommit else AFTER_REQUEST)
        if commit_mode is not None and commit_mode not in conf.COMMIT_MODES:
            raise ConfigurationError(
                f"commit_mode {commit_mode!r} is not one of {', '.join(conf.COMMIT_MODES)}."
            )
        if problem := conf.queue_name_problem(name):
            raise ConfigurationError(
                f"{name!r} can't be the name of a queue: it {problem}. Choose another name."
            )
        self.name = name
        self.connection = connection if connection is not None else connection_for(conf.queue(name))
        self.job_class = resolve_class(job_class, self.default_job_class, Job, "JOB_CLASS")
        self.serializer: Serializer = resolve(
            serializer, setting=f"RQ_QUEUES[{name!r}]['SERIALIZER']"
        )
        self._is_async = is_async
        self._commit_mode = commit_mode or conf.commit_mode()
        timeout = (
            parse_duration(default_timeout, name="default_timeout", minimum=1) or DEFAULT_TIMEOUT
        )
        #: Defaults of options.
        self._defaults = {"timeout": timeout, "result_ttl": default_result_ttl}
        self._broker = Broker.of(self.connection)
        self._engine = Engine(self._broker)
        kind = RedisDelivery if is_async else InPlaceDelivery
        self._immediate: Delivery = kind(self._broker, self._engine)
        self._delivery: Delivery = self._immediate
        if self._commit_mode != AT_ONCE:
            self._delivery = AfterCommitDelivery(self._immediate, self._commit_mode, self._broker)

    @property
    def is_async(self) -> bool:
        """Whether workers run the jobs. If not, the caller runs each at once."""
        return self._is_async

    @property
    def commit_mode(self) -> str:
        """When jobs become visible: a value of ``COMMIT_MODE``."""
        return self._commit_mode

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __len__(self) -> int:
        return self.count

    def __bool__(self) -> bool:
        return True  # an empty queue is a queue

    # As in RQ, two queues are equal if their names are.

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, Queue) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self.name < other.name if isinstance(other, Queue) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    # Enqueueing

    def enqueue(self, f: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Job:
        """Make a job of a call and put it into this queue, in one round trip.

        Inside an open database transaction, the job becomes visible when that commits. It has its
        id at once.

        Args:
            f: A function at the top level of a module, a bound method, a callable instance, or a
                dotted path.
            *args, **kwargs: For the function, except these keywords, which are options:
                ``job_timeout``, ``result_ttl``, ``failure_ttl``, ``ttl`` (seconds, or forms such
                as ``'1h30m'``; −1 for ever), ``job_id``, ``description``, ``at_front``, ``meta``,
                ``depends_on`` (a job, an id, a :class:`Dependency`, or a list of these),
                ``retry`` (a :class:`Retry`), ``repeat`` (a :class:`Repeat`), ``unique`` (True:
                refuse it while there is any job with this ``job_id``), ``unique_key`` and
                ``unique_for`` (text, and a duration: refuse it while another job with the same key
                waits or runs, but at most for this time).
                If ``args=(…)`` or ``kwargs={…}`` is given, only these go to the function.

        Raises:
            InvalidJobError: The call cannot become a job; see the subclasses. Nothing was written.
            DuplicateJobError: A job with this ``job_id`` runs now, or ``unique`` or ``unique_key``
                forbids it. If this is found after a commit, it is logged, and the job is dropped.
            PayloadTooLargeError: The server does not accept so many bytes. Nothing was written,
                unless the message says that only time was lacking.
            RedisUnavailableError: The server does not answer.
            RedisRefusedError: The server cannot store the job now, for example because its memory
                is full.
        """
        if ENQUEUE_KEYWORDS.isdisjoint(kwargs):  # most calls have no options
            return self._submit(self._make(f, args, kwargs, NOTHING_SAID), NOTHING_SAID)
        options, call_args, call_kwargs = split(args, kwargs)
        return self._submit(self._make(f, call_args, call_kwargs, options), options)

    def enqueue_call(
        self,
        func: Callable[..., Any] | str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Job:
        """The same as :meth:`enqueue`, with the call separate from the options.

        Args:
            func: See :meth:`enqueue`.
            args: Positional arguments of the function.
            kwargs: Keyword arguments of the function.
            **options: As for :meth:`enqueue`, with ``timeout`` instead of ``job_timeout``.
        """
        checked_options = checked(**options)
        job = self._make(func, args or (), kwargs or {}, checked_options)
        return self._submit(job, checked_options)

    def original_enqueue_call(self, *args: Any, **kwargs: Any) -> Job:
        """The :meth:`enqueue_call` of this class, even if a subclass overrides it."""
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
            status: Without effect, for RQ's callers.
        """
        return self._create(func, args or (), kwargs or {}, checked(**options))

    def enqueue_job(
        self, job: Job, pipeline: None = None, at_front: bool = False, unique: bool = False
    ) -> Job:
        """Put a job made with :meth:`create_job` or :meth:`Job.create` into this queue.

        Args:
            job: The job.
            pipeline: Must be ``None``; for RQ's signature.
            at_front: Whether the job goes to the front.
            unique: Whether to refuse the job while there is any job with its id.

        Raises:
            InvalidJobError: A pipeline was given, or see :meth:`enqueue`.
            DuplicateJobError: See :meth:`enqueue`.
        """
        refuse_pipeline(pipeline, "enqueue_job()", InvalidJobError)
        job.origin = self.name
        self._fill_defaults(job)
        return self._deliver(
            PreparedJob(job, self._entry(job, unique and not job.minted, at_front))
        )

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
            **options: As for :meth:`enqueue_call`, like the other arguments.

        Raises:
            InvalidJobError: An option cannot be used; see the subclasses.
        """
        if timeout is result_ttl is ttl is failure_ttl is description is None and not options:
            checked_options = NOTHING_SAID
        else:
            checked_options = checked(
                timeout=timeout,
                result_ttl=result_ttl,
                ttl=ttl,
                failure_ttl=failure_ttl,
                description=description,
                **options,
            )
        return EnqueueData(func, args or (), kwargs or {}, checked_options)

    def enqueue_many(
        self,
        job_datas: Iterable[EnqueueData],
        pipeline: None = None,
        group_id: str | None = None,
        *,
        ignore_duplicates: bool = False,
    ) -> list[Job]:
        """Enqueue many jobs, in one round trip for each thousand.

        A batch of a thousand is written only if all of its calls can become jobs. The jobs enter
        the queue in order, a hundred at a time. If the connection breaks in the middle, jobs that
        were enqueued before stay. A job that is refused does not affect the others. Inside a
        transaction, all become visible when it commits.

        Args:
            job_datas: An iterable of values that :meth:`prepare_data` returns. It is read in
                batches, each while the server works on the one before. So outside of transactions,
                at most two batches of a generator are in memory. The returned list has all jobs:
                for a very large number, call this several times.
            pipeline: Must be ``None``; for RQ's signature.
            group_id: The name of the group that the jobs join; see :class:`Group`.
            ignore_duplicates: Whether to leave out the jobs that ``unique`` or ``unique_key``
                forbids.

        Returns:
            The jobs that were enqueued, or will be when the transaction commits.

        Raises:
            InvalidJobError: A call cannot become a job; see the subclasses.
            DuplicateJobError: Some jobs were refused as duplicates, and ``ignore_duplicates`` is
                ``False``. All others have been enqueued.
            PayloadTooLargeError: The server does not accept one of the jobs. Those before it in its
                batch may have been enqueued.
            RedisUnavailableError: The server does not answer.
            RedisRefusedError: The server cannot store the jobs now.
        """
        refuse_pipeline(pipeline, "enqueue_many()", InvalidJobError)
        jobs = self._prepare(job_datas, group_id)
        return deliver_in_batches(self._delivery, jobs, ignore_duplicates=ignore_duplicates)

    def enqueue_at(
        self, datetime: datetime, f: Callable[..., Any] | str, *args: Any, **kwargs: Any
    ) -> Job:
        """Enqueue a job at a time; otherwise as :meth:`enqueue`.

        Args:
            datetime: The time. A naive one is in this process's local time, as in RQ, whatever
                ``USE_TZ`` is. A time in the past means at once.

        Raises:
            InvalidJobError: As for :meth:`enqueue`; or the time is not a datetime, or too late to
                be stored.
        """
        if not isinstance(datetime, _Datetime):
            raise InvalidJobError(
                f"enqueue_at() needs a datetime first, not {datetime!r}. For a time from now, use "
                "enqueue_in(timedelta(...), ...)."
            )
        return self._enqueue_at(f, args, kwargs, due=_timestamp(datetime))

    def enqueue_in(
        self, time_delta: timedelta, func: Callable[..., Any] | str, *args: Any, **kwargs: Any
    ) -> Job:
        """Enqueue a job after a time; otherwise as :meth:`enqueue`.

        Args:
            time_delta: How long after the job has become visible, by the clock of the Redis server.

        Raises:
            InvalidJobError: As for :meth:`enqueue`; or the time is not a timedelta, or longer than
                a hundred years.
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
        return self._enqueue_at(func, args, kwargs, delay=delay)

    # A job is made, prepared and delivered

    def _enqueue_at(
        self,
        func: Callable[..., Any] | str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        due: float | None = None,
        delay: float | None = None,
    ) -> Job:
        options, call_args, call_kwargs = split(args, kwargs)
        job = self._make(func, call_args, call_kwargs, options)
        entry = self._entry(job, options.unique, options.at_front)
        if options.at_front:  # for the script that enqueues it when it is due
            entry = entry._replace(fields={**entry.fields, "enqueue_at_front": 1})
        return self._deliver(PreparedJob(job, entry, due, delay))

    def _make(
        self,
        func: Callable[..., Any] | str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: JobOptions,
    ) -> Job:
        """Make a job, with the subclass's ``create_job`` if it has one."""
        if "create_job" in self._overridden:
            job = self.create_job(func=func, args=args, kwargs=kwargs, **options.said())
        else:
            job = self._create(func, args, kwargs, options)
        if options.at_front and job.dependency_ids:
            job.enqueue_at_front = True  # for the script that enqueues it after its parents
        return job

    def _create(
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
            job = self._create_with_job_class(func, args, kwargs, options)
            self._fill_defaults(job)
            return job
        return self.job_class._prepared(
            func,
            args,
            kwargs,
            options,
            self.name,
            self.connection,
            self.serializer,
            self._defaults,
        )

    def _create_with_job_class(
        self,
        func: Callable[..., Any] | str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: JobOptions,
    ) -> Job:
        """Make a job with the ``create`` of the project's job class, called as RQ calls it."""
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
        for name, value in self._defaults.items():
            if getattr(job, name) is None:
                setattr(job, name, value)

    def _submit(self, job: Job, options: JobOptions) -> Job:
        """Enqueue a job, with the subclass's ``enqueue_job`` if it has one."""
        if "enqueue_job" in self._overridden:
            if not options.unique:  # RQ's enqueue_job() has no such argument
                return self.enqueue_job(job, at_front=options.at_front)
            return self.enqueue_job(job, at_front=options.at_front, unique=True)
        return self._deliver(PreparedJob(job, self._entry(job, options.unique, options.at_front)))

    def _prepare(
        self, job_datas: Iterable[EnqueueData], group_id: str | None
    ) -> Iterator[PreparedJob]:
        """Make and check the jobs of :meth:`enqueue_many` one by one."""
        for data in job_datas:
            if not isinstance(data, EnqueueData):
                raise InvalidJobError(
                    "enqueue_many() needs what Queue.prepare_data(function, ...) makes, not "
                    f"{data!r}."
                )
            func, args, kwargs, options = data
            job = self._make(func, args, kwargs, options)
            if group_id is not None:
                job.group_id = group_id
            if job._parents:
                dependency_check.check(job, self._broker, self._commit_mode)
            yield PreparedJob(job, self._entry(job, options.unique, options.at_front))

    def _entry(self, job: Job, unique: bool, at_front: bool) -> NewJob:
        """The values of a job that the engine needs.

        Raises:
            InvalidJobError: The job cannot be serialized.
        """
        fields = job.to_fields()
        record = job._record
        return NewJob(
            job.id,
            self.name,
            fields,
            job.minted,
            unique,
            at_front,
            job.waiting_ttl,
            record.dependency_ids,
            bool(record.allow_dependency_failures),
        )

    def _deliver(self, prepared: PreparedJob) -> Job:
        job = prepared.job
        if job._parents:
            dependency_check.check(job, self._broker, self._commit_mode)
        if self._commit_mode == ON_COMMIT and not _is_in_transaction():
            self._immediate.deliver(prepared)
        else:
            self._delivery.deliver(prepared)
        return job

    # Finding queues

    @classmethod
    def all(
        cls,
        connection: redis.Redis | None = None,
        job_class: type[Job] | str | None = None,
        serializer: object = None,
    ) -> list[Self]:
        """All queues to which a job was ever enqueued, sorted by name.

        Their configuration in ``RQ_QUEUES`` is not used, unlike in :func:`get_queue`.

        Args:
            connection: ``None``: the client of the queue ``default``.
            job_class: See :class:`Queue`.
            serializer: See :class:`Queue`.

        Raises:
            RedisUnavailableError: The server does not answer.
        """
        connection = connection if connection is not None else get_connection()
        broker = Broker.of(connection)
        with broker.translate_errors():
            names = Queries(broker).queues()
        return [
            cls(name, connection, job_class=job_class, serializer=serializer)
            for name in names
            if not conf.queue_name_problem(name)
        ]

    @classmethod
    def from_queue_key(
        cls,
        queue_key: str,
        connection: redis.Redis | None = None,
        job_class: type[Job] | str | None = None,
        serializer: object = None,
    ) -> Self:
        """The queue whose list has this key.

        Args:
            queue_key: The full key.
            connection: ``None``: the client of the queue ``default``.
            job_class: See :class:`Queue`.
            serializer: See :class:`Queue`.

        Raises:
            InvalidQueueError: It is not the key of a queue.
        """
        connection = connection if connection is not None else get_connection()
        keys = Broker.of(connection).keys
        name = keys.queue_name(queue_key)
        if name == queue_key or conf.queue_name_problem(name):
            raise InvalidQueueError(
                f"{queue_key!r} is not the key of a queue. Such keys begin with {keys.queue('')!r}."
            )
        return cls(name, connection, job_class=job_class, serializer=serializer)

    # Reading

    @property
    def key(self) -> str:
        """The key of its list."""
        return self._broker.keys.queue(self.name)

    @property
    def count(self) -> int:
        """How many jobs wait."""
        with self._broker.translate_errors():
            return self.connection.llen(self.key)

    def is_empty(self) -> bool:
        """Whether no job waits."""
        return self.count == 0

    def get_job_ids(self, offset: int = 0, length: int = -1) -> list[str]:
        """Ids of jobs that wait, the next one first.

        Args:
            offset: How many to skip.
            length: The most ids to return; −1 for all.
        """
        last = offset + length - 1 if length >= 0 else -1
        with self._broker.translate_errors():
            members = cast("list[bytes]", self.connection.lrange(self.key, offset, last))
        return [codec.text(member) for member in members] if length else []

    @property
    def job_ids(self) -> list[str]:
        """Ids of all jobs that wait, the next one first."""
        return self.get_job_ids()

    def get_jobs(self, offset: int = 0, length: int = -1) -> list[Job]:
        """Jobs that wait, the next one first, in two round trips; see :meth:`get_job_ids`."""
        ids = self.get_job_ids(offset, length)
        found = self.job_class.fetch_many(ids, self.connection, self.serializer)
        return [job for job in found if job is not None]

    @property
    def jobs(self) -> list[Job]:
        """All jobs that wait, the next one first."""
        return self.get_jobs()

    def fetch_job(self, job_id: str) -> Job | None:
        """The job with this id, in any state; ``None`` if it does not belong to this queue."""
        job = self.job_class.fetch_many([job_id], self.connection, self.serializer)[0]
        return job if job is not None and job.origin == self.name else None

    def get_job_position(self, job_or_id: Job | str) -> int | None:
        """How many jobs run before this one; ``None`` if it does not wait in this queue."""
        job_id = job_or_id.id if isinstance(job_or_id, Job) else job_or_id
        with self._broker.translate_errors():
            return cast("int | None", self.connection.lpos(self.key, job_id))

    @property
    def started_job_registry(self) -> StartedJobRegistry:
        """Jobs that run."""
        return StartedJobRegistry(queue=self)

    @property
    def finished_job_registry(self) -> FinishedJobRegistry:
        """Jobs that succeeded."""
        return FinishedJobRegistry(queue=self)

    @property
    def failed_job_registry(self) -> FailedJobRegistry:
        """Jobs that failed."""
        return FailedJobRegistry(queue=self)

    @property
    def deferred_job_registry(self) -> DeferredJobRegistry:
        """Jobs that wait for other jobs."""
        return DeferredJobRegistry(queue=self)

    @property
    def scheduled_job_registry(self) -> ScheduledJobRegistry:
        """Jobs that wait until they are due."""
        return ScheduledJobRegistry(queue=self)

    @property
    def canceled_job_registry(self) -> CanceledJobRegistry:
        """Jobs that were canceled."""
        return CanceledJobRegistry(queue=self)

    # Pausing

    def pause(self, ttl: int | str | None = None) -> None:
        """Keep workers from taking jobs of this queue. Running jobs continue.

        RQ's own workers ignore it.

        Args:
            ttl: How long: seconds, or a form such as ``'1h30m'``; ``None``: until :meth:`resume`.

        Raises:
            InvalidDurationError: ``ttl`` is not a duration, or is less than a second.
            RedisUnavailableError: The server does not answer.
        """
        seconds = pause_seconds(ttl)
        with self._broker.translate_errors():
            self._engine.pause_queues([self.name], seconds)

    def resume(self) -> bool:
        """Let workers take jobs of this queue again.

        Returns:
            Whether the queue was paused.
        """
        with self._broker.translate_errors():
            return bool(self._engine.resume_queues([self.name]))

    @property
    def is_paused(self) -> bool:
        """Whether the queue is paused. See also :func:`~.suspension.is_suspended`."""
        with self._broker.translate_errors():
            return self._engine.is_paused(self.name)

    # Deleting

    def empty(self) -> int:
        """Delete all waiting jobs. Jobs that run or have ended stay.

        Returns:
            How many were deleted.
        """
        with self._broker.translate_errors():
            return self._engine.empty(self.name)

    def delete(self, delete_jobs: bool = True) -> None:
        """Remove the queue from the set of queues. The next enqueue brings it back.

        Args:
            delete_jobs: Whether to delete the waiting jobs first.

        Raises:
            InvalidJobOperation: Jobs wait in the queue, and ``delete_jobs`` is ``False``.
        """
        if delete_jobs:
            self.empty()
        with self._broker.translate_errors():
            waiting = self._engine.delete_queue(self.name)
        if waiting:
            raise InvalidJobOperation(
                f"Queue {self.name!r} was not deleted: {waiting} jobs wait in it and would be "
                "lost. Let them run, or delete them too with delete_jobs=True."
            )


def _is_in_transaction() -> bool:
    """Whether a transaction is open on any database."""
    initialized = connections.all(initialized_only=True)
    return any(connection.in_atomic_block for connection in initialized)


#: From this time on, a stored time may not be readable.
_TOO_LATE = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def _timestamp(given: datetime) -> float:
    """Unix seconds; 0 for times before 1970.

    Raises:
        InvalidJobError: There is no such time, or it is too late to be stored.
    """
    try:
        seconds = given.timestamp()
    except (ValueError, OverflowError, OSError) as exc:
        raise InvalidJobError(
            f"enqueue_at() was given {given!r}, which is not a time in the local time zone "
            f"({exc}). Give a time between 1970 and 9998."
        ) from exc
    if seconds >= _TOO_LATE:
        raise InvalidJobError(
            f"enqueue_at() was given {given!r}. The latest time that can be stored is the end of "
            "the year 9998."
        )
    return max(0.0, seconds)
