"""``Job``, for the code that enqueues it and the code that runs in it."""

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
    """Makes a job the current one of this thread within a block."""

    __slots__ = ("_job", "_token")

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> None:
        self._token = _current.set(self._job)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def get_current_job(connection: object = None, job_class: object = None) -> Job | None:
    """Return the job that runs in this thread, or None outside of a job.

    Args:
        connection, job_class: Without effect, for RQ's callers.
    """
    return _current.get()


def get_job_class(job_class: type[Job] | str | None = None) -> type[Job]:
    """Return the given class, or the one that ``RQ["JOB_CLASS"]`` names.

    Raises:
        ConfigurationError: It cannot be imported, or does not inherit from :class:`Job`.
    """
    return resolve_class(job_class or conf.default_class("JOB_CLASS"), Job, Job, "JOB_CLASS")


class Job(JobOutcome, JobDependencies):
    """A job: one call of a function, in any state.

    As in RQ, the ``is_…`` properties read from Redis. Other attributes have the values that were
    last read or set; :meth:`refresh` reads them again. :class:`JobBase` lists them.
    """

    #: Whether a subclass overrides :meth:`create`, which queues then call with RQ's arguments.
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
        """Make a job that is not in any queue yet; see :meth:`Queue.enqueue_job`.

        Args:
            status: Without effect, for RQ's callers: the job is ``created``.
            **options: As for :meth:`Queue.enqueue_call`.

        Raises:
            InvalidJobError: The call or an option cannot be used; see the subclasses.
        """
        job_options = checked(job_id=id, **options)
        return cls._prepared(func, args, kwargs or {}, job_options, origin, connection, serializer)

    def _keep_log(self, lines: Sequence[bytes], most: int) -> None:
        """Append lines to the job's log, of which the last ``most`` are kept.

        Without effect if the job no longer exists.
        """
        self._ask(lambda broker: Engine(broker).append_log(self.id, lines, most))

    def requeue(self, at_front: bool = False) -> Self:
        """Put a failed, stopped or canceled job back into its queue.

        Jobs that were canceled because of it wait for it again.

        Raises:
            InvalidJobOperation: The job is not failed, stopped or canceled (any more).
            NoSuchJobError: The job no longer exists.
        """
        (verdict,) = self._ask(lambda broker: Engine(broker).requeue([self.id], at_front=at_front))
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
        """Cancel the job. If it runs, its worker stops it.

        Args:
            pipeline: Must be None; for RQ's signature.
            enqueue_dependents: Whether jobs that wait for it run nevertheless. Otherwise they are
                canceled, too.
            remove_from_dependencies: Without effect, for RQ's callers: a canceled job never waits
                for others.

        Raises:
            InvalidJobOperation: The job has ended or was canceled already, or a pipeline was given.
            NoSuchJobError: The job no longer exists.
        """
        refuse_pipeline(pipeline, "cancel()", InvalidJobOperation)
        (verdict,) = self._ask(
            lambda broker: Engine(broker).cancel([self.id], release_dependents=enqueue_dependents)
        )
        if verdict == JobStatus.STARTED:
            self._send_stop_command()
            return
        if verdict == "missing":
            raise NoSuchJobError(f"Job {self.id} is gone, so it can't be canceled.")
        if verdict != JobStatus.CANCELED:
            ended = JobStatus.CANCELED if verdict == "already" else verdict
            raise InvalidJobOperation(f"Job {self.id} is {ended} already; nothing to cancel.")
        self._record = self._record.changed(status=JobStatus.CANCELED)

    def stop(self) -> None:
        """Stop the running job. It ends as ``stopped`` and is not retried.

        Raises:
            InvalidJobOperation: The job does not run.
            NoSuchJobError: The job no longer exists.
        """
        self.refresh()
        if self._record.status != JobStatus.STARTED or not self.worker_name:
            raise InvalidJobOperation(
                f"Job {self.id} is {self._record.status}, so there is nothing to stop. To keep a "
                "job that waits from running, cancel or delete it."
            )
        self._send_stop_command()

    def _send_stop_command(self) -> None:
        stored = self._ask(
            lambda broker: broker.client.hget(broker.keys.job(self.id), "worker_name")
        )
        worker = codec.text(stored or b"")
        if not self._ask(
            lambda broker: Engine(broker).send_command(worker, "stop-job", job_id=self.id)
        ):
            raise InvalidJobOperation(
                f"Job {self.id} runs on worker {worker or '?'}, which does not listen. If that "
                "worker is dead, the lease of the job will expire, and it will be queued again."
            )

    def delete(
        self,
        pipeline: None = None,
        remove_from_queue: bool = True,
        delete_dependents: bool = False,
    ) -> None:
        """Delete the job and all its data. Without effect if it does not exist.

        If the job runs, its outcome will be dropped.

        Args:
            pipeline: Must be None; for RQ's signature.
            remove_from_queue: Without effect, for RQ's callers: no queue keeps the id of a deleted
                job.
            delete_dependents: Whether to delete the jobs that wait for it, too. Otherwise they are
                canceled, as are those that wait for the deleted ones.

        Raises:
            InvalidJobOperation: A pipeline was given.
        """
        refuse_pipeline(pipeline, "delete()", InvalidJobOperation)
        dependents = self.dependent_ids if delete_dependents else []
        self._ask(lambda broker: Engine(broker).delete([self.id, *dependents]))

    def delete_dependents(self, pipeline: None = None) -> None:
        """Delete the jobs that wait for this one. Those that wait for them are canceled.

        Args:
            pipeline: Must be None; for RQ's signature.

        Raises:
            InvalidJobOperation: A pipeline was given.
        """
        refuse_pipeline(pipeline, "delete_dependents()", InvalidJobOperation)
        dependents = self.dependent_ids
        self._ask(lambda broker: Engine(broker).delete(dependents))


def cancel_job(
    job_id: str,
    connection: redis.Redis | None = None,
    serializer: object = None,
    enqueue_dependents: bool = False,
) -> None:
    """Cancel a job; see :meth:`Job.cancel`.

    Args:
        connection: None: the connection of the queue ``default``.
        serializer: Without effect, for RQ's callers.

    Raises:
        InvalidJobOperation: The job has ended or was canceled already.
        NoSuchJobError: The job no longer exists.
    """
    Job(job_id, connection).cancel(enqueue_dependents=enqueue_dependents)


def requeue_job(
    job_id: str, connection: redis.Redis | None = None, serializer: object = None
) -> Job:
    """Put a failed, stopped or canceled job back into its queue; return it.

    Args:
        connection: None: the connection of the queue ``default``.
        serializer: None: the serializer of its queue.

    Raises:
        InvalidJobOperation: The job is not failed, stopped or canceled (any more).
        NoSuchJobError: The job no longer exists.
    """
    return Job.fetch(job_id, connection, serializer).requeue()


if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = module_getattr(__name__)
