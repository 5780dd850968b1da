"""A job, as the code that enqueues it and the code that it runs see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Self

import redis

from .. import conf
from ..compat.missing_names import module_getattr
from ..conf.classes import resolve_class
from ..engine.engine import Engine
from ..exceptions import InvalidJobOperation, NoSuchJobError
from ..protocol import codec
from ..protocol.records import JobStatus
from .dependencies import JobDependencies
from .options import checked, refuse_pipeline
from .outcome import JobOutcome

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


class Job(JobOutcome, JobDependencies):
    """One call of one function, now or later, wherever it is in its life.

    As in RQ, the ``is_…`` properties ask Redis; other attributes are what was last read or
    written, until :meth:`refresh`. They are listed at :class:`JobBase`.
    """

    #: Whether a subclass has a :meth:`create` of its own, which queues then call as RQ's do.
    overrides_create: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.overrides_create = cls.create.__func__ is not Job.create.__func__  # type: ignore[attr-defined]

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

    def _keep_log(self, lines: Sequence[bytes], most: int) -> None:
        """Append to the lines that people see beside the job; without effect where it is gone."""
        engine = self._engine
        with self._broker.translate_errors():
            engine.append_log(self.id, lines, most)

    def requeue(self, at_front: bool = False) -> Self:
        """Put a failed, stopped or canceled job back into its queue.

        Jobs that were canceled because of it wait for it again.

        Raises:
            InvalidJobOperation: it is not among those (any more).
            NoSuchJobError: it is gone.
        """
        engine = self._engine
        with self._broker.translate_errors():
            verdict = engine.requeue([self.id], at_front=at_front)[0]
        if verdict == "missing":
            raise NoSuchJobError(f"Job {self.id} is gone, so it can't be requeued.")
        if verdict != "queued":
            raise InvalidJobOperation(
                f"Job {self.id} is not among the failed or canceled jobs of queue {self.origin!r}, "
                "so it can't be requeued. Someone may have done so already."
            )
        self._record = self._record.changed(status=JobStatus.QUEUED)
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
        engine = self._engine
        with self._broker.translate_errors():
            (verdict,) = engine.cancel([self.id], release_dependents=enqueue_dependents)
            if verdict == JobStatus.STARTED:
                self._stop(engine)
                return
        if verdict == "missing":
            raise NoSuchJobError(f"Job {self.id} is gone, so it can't be canceled.")
        if verdict != JobStatus.CANCELED:
            ended = JobStatus.CANCELED if verdict == "already" else verdict
            raise InvalidJobOperation(f"Job {self.id} is {ended} already; nothing to cancel.")
        self._record = self._record.changed(status=JobStatus.CANCELED)

    def stop(self) -> None:
        """Have the worker that runs the job stop it. It ends as ``stopped`` and is not retried.

        Raises:
            InvalidJobOperation: it does not run.
            NoSuchJobError: it is gone.
        """
        self.refresh()
        if self._record.status != JobStatus.STARTED or not self.worker_name:
            raise InvalidJobOperation(
                f"Job {self.id} is {self._record.status}, so there is nothing to stop. To keep a "
                "job that waits from running, cancel or delete it."
            )
        with self._broker.translate_errors():
            self._stop(self._engine)

    def _stop(self, engine: Engine) -> None:
        worker = self._ask(
            lambda broker: broker.client.hget(broker.keys.job(self.id), "worker_name")
        )
        if not engine.send_command(codec.text(worker or b""), "stop-job", job_id=self.id):
            raise InvalidJobOperation(
                f"Job {self.id} runs on worker {codec.text(worker or b'?')}, which does not "
                "listen. If that worker is dead, its lease will end and the job be queued again."
            )

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
        engine = self._engine
        dependents = self.dependent_ids if delete_dependents else []
        with self._broker.translate_errors():
            engine.delete([self.id, *dependents])

    def delete_dependents(self, pipeline: None = None) -> None:
        """Remove the jobs that wait for this one; those that wait for them are canceled.

        Args:
            pipeline: None; for RQ's signature.

        Raises:
            InvalidJobOperation: a pipeline was given.
        """
        refuse_pipeline(pipeline, "delete_dependents()", InvalidJobOperation)
        engine = self._engine
        with self._broker.translate_errors():
            engine.delete(self.dependent_ids)


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
