"""A job, as the code that enqueues it and the code that it runs see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import redis

from .. import conf
from ..broker.broker import Broker
from ..broker.clients import get_connection
from ..broker.errors import translate_errors
from ..compat.missing_names import module_getattr
from ..conf.classes import resolve_class
from ..engine.engine import Engine
from ..engine.scripts import Argument
from ..exceptions import InvalidJobOperation, NoSuchJobError
from ..protocol import codec
from ..protocol.keys import Keys
from ..protocol.records import JobStatus, ResultType, read_job, read_result
from ..protocol.signing import FIELDS
from .job_data import JobData
from .options import checked, refuse_pipeline
from .results import Result

_current: ContextVar[Job | None] = ContextVar("django_rqlite_current_job", default=None)


class running:
    """Make a job the current one of this thread, for a block."""

    __slots__ = ("_job", "_token")

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> None:
        self._token = _current.set(self._job)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def get_current_job(connection: object = None, job_class: object = None) -> Job | None:
    """The job that runs in this thread, or None outside of a job.

    Args:
        connection, job_class: without effect, for RQ's callers.
    """
    return _current.get()


def get_job_class(job_class: type[Job] | str | None = None) -> type[Job]:
    """The class that is given, or that ``RQ["JOB_CLASS"]`` names.

    Raises:
        ConfigurationError: it can't be imported, or does not inherit from :class:`Job`.
    """
    return resolve_class(job_class or conf.default_class("JOB_CLASS"), Job, Job, "JOB_CLASS")


class Job(JobData):
    """One call of one function, now or later, wherever it is in its life.

    As in RQ, the ``is_…`` properties ask Redis; other attributes are what was last read or
    written, until :meth:`refresh`. They are listed at :class:`JobData`.
    """

    #: Whether a subclass has a :meth:`create` of its own, which queues then call as RQ's do.
    overrides_create: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.overrides_create = cls.create.__func__ is not Job.create.__func__  # type: ignore[attr-defined]

    # Making and finding

    @classmethod
    def create(
        cls,
        func: Callable[..., Any] | str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        connection: redis.Redis | None = None,
        *,
        origin: str = "",
        serializer: object = None,
        id: str | None = None,
        status: object = None,
        **options: Any,
    ) -> Self:
        """A job that is not in any queue yet; see :meth:`Queue.enqueue_job`.

        Args:
            status: accepted for RQ's sake: a job that is in no queue is ``created``.
            **options: as for :meth:`Queue.enqueue_call`.

        Raises:
            InvalidJobError: it can't become a job; see the subclasses.
        """
        settled = checked(job_id=id, **options)
        return cls._prepared(func, args, kwargs or {}, settled, origin, connection, serializer)

    @classmethod
    def fetch(
        cls,
        id: str,
        connection: redis.Redis | None = None,
        serializer: object = None,
    ) -> Self:
        """The job with this id.

        Args:
            connection: None: that of the queue ``default``.

        Raises:
            NoSuchJobError: there is none.
            RedisUnavailableError: the server does not answer.
        """
        job = cls(id, connection, serializer)
        job.refresh()
        return job

    @classmethod
    def fetch_many(
        cls,
        job_ids: Iterable[str],
        connection: redis.Redis | None = None,
        serializer: object = None,
    ) -> list[Self | None]:
        """The jobs with these ids, in one round trip; None where there is none."""
        connection = connection or get_connection()
        ids = list(job_ids)
        keys = Broker.of(connection).keys
        with translate_errors(connection), connection.pipeline(transaction=False) as pipeline:
            for job_id in ids:
                pipeline.hgetall(keys.job(job_id))
            answers = pipeline.execute()
        return [
            cls.from_record(read_job(job_id, fields), connection, serializer) if fields else None
            for job_id, fields in zip(ids, answers, strict=True)
        ]

    @classmethod
    def exists(cls, job_id: str, connection: redis.Redis | None = None) -> bool:
        """Whether there is a job with this id."""
        connection = connection or get_connection()
        with translate_errors(connection):
            return bool(connection.exists(Broker.of(connection).keys.job(job_id)))

    def refresh(self) -> None:
        """Read everything again.

        Raises:
            NoSuchJobError: it is gone.
        """
        fields = self._ask(lambda link, keys: link.hgetall(keys.job(self.id)))
        if not fields:
            raise NoSuchJobError(
                f"There is no job {self.id!r}. It was deleted, its TTL ended, or the transaction "
                "that enqueued it has not committed."
            )
        self._take(read_job(self.id, fields))

    # Meta

    def get_meta(self, refresh: bool = True) -> dict[str, Any]:
        """The notes, read again from Redis unless told otherwise."""
        if refresh:
            stored = self._ask(
                lambda link, keys: link.hmget(keys.job(self.id), "meta", FIELDS["meta"])
            )
            self._meta_stored = stored[0]
            self._signatures["meta"] = None if stored[1] is None else codec.text(stored[1])
            self._meta = None
        return self.meta

    def save_meta(self) -> None:
        """Store the notes as they are now.

        Raises:
            UnserializableError: they can't be.
            NoSuchJobError: the job is gone.
        """
        self._save(self._meta_fields())

    def set_progress(self, done: float, total: float = 1) -> None:
        """Tell people how far the job is: the admin shows it as a bar.

        It is kept as ``meta["progress"]``, a fraction of 1, and stored at once with all of the
        notes: one round trip.

        Args:
            done, total: in whatever is counted; alone, ``done`` is the fraction itself.

        Raises:
            ValueError: ``total`` is not above 0, or ``done`` is not within 0 and ``total``.
            UnserializableError: the notes can't be stored.
            NoSuchJobError: the job is gone.
        """
        if not total > 0 or not 0 <= done <= total:
            raise ValueError(
                f"set_progress({done!r}, {total!r}): give how much is done, from 0 up to the "
                "total, and a total above 0."
            )
        self.meta["progress"] = float(done / total)
        self.save_meta()

    def _keep_log(self, lines: Sequence[bytes], most: int) -> None:
        """Append to the lines that people see beside the job; without effect where it is gone."""
        transitions = self._engine
        with translate_errors(transitions.connection):
            transitions.append_log(self.id, lines, most)

    def save(
        self, pipeline: None = None, include_meta: bool = True, include_result: bool = True
    ) -> None:
        """Store the description, the timeout, how long it is kept, and the notes, as they are now.

        Nothing else of a job can be changed so: where it is, is the engine's. What is None stays
        as it was stored. A run that has begun keeps to what it began with.

        Args:
            pipeline: None; for RQ's signature.
            include_meta: whether to store the notes, too.
            include_result: accepted for RQ's sake: results are the workers' to store.

        Raises:
            InvalidJobOperation: a pipeline was given.
            UnserializableError: the notes can't be.
            NoSuchJobError: there is no such job, or it is gone; :meth:`Queue.enqueue_job` enqueues
                one.
        """
        refuse_pipeline(pipeline, "save()", InvalidJobOperation)
        fields = self._meta_fields() if include_meta and self._meta is not None else {}
        self._speak(fields)
        self._save(fields)

    def _save(self, fields: Mapping[str, Argument]) -> None:
        transitions = self._engine
        with translate_errors(transitions.connection):
            if not transitions.save(self.id, fields):
                raise NoSuchJobError(f"Job {self.id} is gone, so nothing of it can be saved.")
        if "meta" in fields:
            self._meta_stored = cast("bytes", fields["meta"])
            self._signatures["meta"] = str(fields[FIELDS["meta"]])

    # State

    def get_status(self, refresh: bool = True) -> JobStatus | str:
        """Where the job is in its life.

        Returns:
            a :class:`JobStatus`; what another tool wrote instead, as it is; ``created`` for a
            job whose transaction has not committed. The job that a callback or a signal is given
            says what it has come to, although that is stored only afterwards.

        Raises:
            NoSuchJobError: it is gone.
        """
        if refresh and self._unstored is None:
            stored = self._ask(lambda link, keys: link.hget(keys.job(self.id), "status"))
            if stored is not None:
                self._status = codec.text(stored)
            elif self._status != JobStatus.CREATED:
                raise NoSuchJobError(
                    f"Job {self.id} is gone: it was deleted, or its TTL has ended."
                )
        try:
            return JobStatus(self._status)
        except ValueError:
            return self._status

    def get_position(self) -> int | None:
        """How many jobs of its queue run before it; None where it does not wait there."""
        found = self._ask(lambda link, keys: link.lpos(keys.queue(self.origin), self.id))
        return cast("int | None", found)

    @property
    def is_queued(self) -> bool:
        return self.get_status() == JobStatus.QUEUED

    @property
    def is_started(self) -> bool:
        return self.get_status() == JobStatus.STARTED

    @property
    def is_finished(self) -> bool:
        return self.get_status() == JobStatus.FINISHED

    @property
    def is_failed(self) -> bool:
        return self.get_status() == JobStatus.FAILED

    @property
    def is_deferred(self) -> bool:
        return self.get_status() == JobStatus.DEFERRED

    @property
    def is_scheduled(self) -> bool:
        return self.get_status() == JobStatus.SCHEDULED

    @property
    def is_stopped(self) -> bool:
        return self.get_status() == JobStatus.STOPPED

    @property
    def is_canceled(self) -> bool:
        return self.get_status() == JobStatus.CANCELED

    # Outcome

    def return_value(self, refresh: bool = False) -> Any:
        """What the function returned; None while it has not, or when it returned None.

        Where that could not be kept, a text that says so; :attr:`Result.not_kept` tells why.

        Args:
            refresh: read it from Redis also in a callback, which is called before it is stored.
                Elsewhere it is always read from there.

        Raises:
            SignatureError: the value is not signed as it should be.
            DeserializationError: the serializer can't read it.
        """
        if self._unstored is not None and not refresh:
            return self._unstored[0] if self._unstored else None
        hashed, entries = self._ask(self._read_outcome)
        stored, signature = hashed
        if entries:
            latest = read_result(self.id, *entries[0])
            if latest.type != ResultType.SUCCESSFUL:
                return None
            payload, signed = latest.return_value, latest.signature
        else:
            payload = stored  # RQ 0.5 keeps no stream
            signed = None if signature is None else codec.text(signature)
        return None if payload is None else self._load_result(payload, signed)

    def _load_result(self, payload: bytes, signature: str | None) -> Any:
        self._signatures["result"] = signature
        return self._loads("result", payload)

    @property
    def result(self) -> Any:
        """The same as :meth:`return_value`, by its older name."""
        return self.return_value()

    def results(self) -> list[Result]:
        """How its executions went, newest first; about the last ten are kept."""
        return Result.all(self)

    def latest_result(self, timeout: float = 0) -> Result | None:
        """How its newest execution went; None where nothing is known.

        Args:
            timeout: seconds to wait while the outcome is still to come: the job waits or runs,
                also again. Redis tells when it is there, so this asks no more than once. It returns
                at once for a job that has ended, been deleted or succeeded before (a repeated
                one). A job that keeps no result (``result_ttl=0``), or is deleted or canceled
                meanwhile, lets the time pass.

        Inside the transaction that enqueues the job, waiting is in vain.
        """
        return Result.fetch_latest(self, timeout=timeout)

    def _read_outcome(self, link: redis.Redis, keys: Keys) -> Any:
        with link.pipeline(transaction=False) as pipeline:
            pipeline.hmget(keys.job(self.id), "result", FIELDS["result"])
            pipeline.xrevrange(keys.results(self.id), count=1)
            return pipeline.execute()

    @property
    def exc_info(self) -> str | None:
        """The traceback, or the reason, of the last failure; None where it did not fail."""
        if not self._exc_info:
            _, entries = self._ask(self._read_outcome)
            if entries:
                self._exc_info = read_result(self.id, *entries[0]).exc_string
        return self._exc_info or None

    # EngineBase

    def requeue(self, at_front: bool = False) -> Self:
        """Put a failed, stopped or canceled job back into its queue.

        Jobs that were canceled because of it wait for it again.

        Raises:
            InvalidJobOperation: it is not among those (any more).
            NoSuchJobError: it is gone.
        """
        transitions = self._engine
        with translate_errors(transitions.connection):
            verdict = transitions.requeue([self.id], at_front=at_front)[0]
        if verdict == "missing":
            raise NoSuchJobError(f"Job {self.id} is gone, so it can't be requeued.")
        if verdict != "queued":
            raise InvalidJobOperation(
                f"Job {self.id} is not among the failed or canceled jobs of queue {self.origin!r}, "
                "so it can't be requeued. Someone may have done so already."
            )
        self._status = JobStatus.QUEUED
        return self

    def cancel(
        self,
        pipeline: None = None,
        enqueue_dependents: bool = False,
        remove_from_dependencies: bool = False,
    ) -> None:
        """Keep a job from running; one that runs is stopped by its worker.

        Args:
            pipeline: None; for RQ's signature.
            enqueue_dependents: whether jobs that wait for it run all the same; else they are
                canceled too.
            remove_from_dependencies: accepted for RQ's sake: a job that is canceled never waits
                for others any more.

        Raises:
            InvalidJobOperation: it has ended, or was canceled, already; or a pipeline was given.
            NoSuchJobError: it is gone.
        """
        refuse_pipeline(pipeline, "cancel()", InvalidJobOperation)
        transitions = self._engine
        with translate_errors(transitions.connection):
            (verdict,) = transitions.cancel([self.id], release_dependents=enqueue_dependents)
            if verdict == JobStatus.STARTED:
                self._stop(transitions)
                return
        if verdict == "missing":
            raise NoSuchJobError(f"Job {self.id} is gone, so it can't be canceled.")
        if verdict != JobStatus.CANCELED:
            ended = JobStatus.CANCELED if verdict == "already" else verdict
            raise InvalidJobOperation(f"Job {self.id} is {ended} already; nothing to cancel.")
        self._status = JobStatus.CANCELED

    def stop(self) -> None:
        """Have the worker that runs the job stop it. It ends as ``stopped`` and is not retried.

        Raises:
            InvalidJobOperation: it does not run.
            NoSuchJobError: it is gone.
        """
        self.refresh()
        if self._status != JobStatus.STARTED or not self.worker_name:
            raise InvalidJobOperation(
                f"Job {self.id} is {self._status}, so there is nothing to stop. To keep a job that "
                "waits from running, cancel or delete it."
            )
        with translate_errors(self.connection):
            self._stop(self._engine)

    def _stop(self, transitions: Engine) -> None:
        worker = self._ask(lambda link, keys: link.hget(keys.job(self.id), "worker_name"))
        if not transitions.send_command(codec.text(worker or b""), "stop-job", job_id=self.id):
            raise InvalidJobOperation(
                f"Job {self.id} runs on worker {codec.text(worker or b'?')}, which does not "
                "listen. If that worker is dead, its lease will end and the job be queued again."
            )

    # Those it waits for, and those that wait for it

    def fetch_dependencies(self) -> list[Self]:
        """The jobs it was enqueued to wait for, those that are still there."""
        found = self.fetch_many(self.dependency_ids, self.connection, self._serializer)
        return [job for job in found if job is not None]

    def dependencies_are_met(self) -> bool:
        """Whether the jobs it waits for have ended as they should; those that are gone count."""
        ended = {JobStatus.FINISHED}
        if self.allow_dependency_failures:
            ended |= {JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED}
        return all(parent._status in ended for parent in self.fetch_dependencies())

    @property
    def dependency(self) -> Self | None:
        """The first job it was enqueued to wait for; None where there is none, or it is gone."""
        found = self.fetch_dependencies()
        return found[0] if found else None

    @property
    def dependent_ids(self) -> list[str]:
        """Ids of the jobs that wait for this one."""
        members = self._ask(lambda link, keys: link.smembers(keys.dependents(self.id)))
        return sorted(map(codec.text, members))

    def delete(
        self,
        pipeline: None = None,
        remove_from_queue: bool = True,
        delete_dependents: bool = False,
    ) -> None:
        """Remove the job and everything kept of it. Deleting what is gone does nothing.

        A run that goes on loses its hold: its outcome will be dropped.

        Args:
            pipeline: None; for RQ's signature.
            remove_from_queue: accepted for RQ's sake: an id never stays in a queue without its job.
            delete_dependents: whether to delete the jobs that wait for it too; else they are
                canceled, as are those that wait for the deleted ones.

        Raises:
            InvalidJobOperation: a pipeline was given.
        """
        refuse_pipeline(pipeline, "delete()", InvalidJobOperation)
        transitions = self._engine
        dependents = self.dependent_ids if delete_dependents else []
        with translate_errors(transitions.connection):
            transitions.delete([self.id, *dependents])

    def delete_dependents(self, pipeline: None = None) -> None:
        """Remove the jobs that wait for this one; those that wait for them are canceled.

        Args:
            pipeline: None; for RQ's signature.

        Raises:
            InvalidJobOperation: a pipeline was given.
        """
        refuse_pipeline(pipeline, "delete_dependents()", InvalidJobOperation)
        transitions = self._engine
        with translate_errors(transitions.connection):
            transitions.delete(self.dependent_ids)


def cancel_job(
    job_id: str,
    connection: redis.Redis | None = None,
    serializer: object = None,
    enqueue_dependents: bool = False,
) -> None:
    """Keep a job from running; see :meth:`Job.cancel`.

    Args:
        connection: None: that of the queue ``default``.
        serializer: without effect, for RQ's callers.

    Raises:
        InvalidJobOperation: it has ended, or was canceled, already.
        NoSuchJobError: it is gone.
    """
    Job(job_id, connection).cancel(enqueue_dependents=enqueue_dependents)


def requeue_job(
    job_id: str, connection: redis.Redis | None = None, serializer: object = None
) -> Job:
    """Put a failed, stopped or canceled job back into its queue, and return it.

    Args:
        connection: None: that of the queue ``default``.
        serializer: None: that of its queue.

    Raises:
        InvalidJobOperation: it is not among those (any more).
        NoSuchJobError: it is gone.
    """
    return Job.fetch(job_id, connection, serializer).requeue()


if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = module_getattr(__name__)
