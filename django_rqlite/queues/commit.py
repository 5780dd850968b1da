"""Delays the delivery of jobs until the transaction commits or the response is sent.

A worker must not look for rows that are not committed, and a rollback must drop the job. So inside
open transactions, of any database, a delivery waits until the outermost block of each has
committed. Each open transaction gets a hook, and the last hook that is called delivers. A rollback,
even of a savepoint, drops its hook. Then the last hook is never called, and the job never becomes
visible.

The mode ``request_finished`` applies to requests only. Outside of a request (in a job, a command, a
shell, or a thread that outlives its request) it means ``on_db_commit``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from weakref import WeakKeyDictionary

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import connections, transaction

from ..broker.broker import Broker
from ..exceptions import DuplicateJobError, InvalidJobDependency
from ..jobs.job import Job
from . import dependency_check
from .delivery import Delivered, Delivery, PreparedJob, Receipt, summary

logger = logging.getLogger("django_rqlite.commit")

ON_COMMIT = "on_db_commit"
AT_ONCE = "auto"
AFTER_REQUEST = "request_finished"

#: The maximum number of jobs that an error names.
_MOST_NAMED = 10


class AfterCommitDelivery:
    """Passes jobs to another delivery when they may become visible.

    Args:
        delivery: The other delivery.
        mode: A value of ``COMMIT_MODE`` other than ``auto``.
        broker: The queue's.
    """

    def __init__(self, delivery: Delivery, mode: str, broker: Broker) -> None:
        self._delivery = delivery
        self._waits_for_request = mode == AFTER_REQUEST
        self._broker = broker

    def deliver(self, prepared: PreparedJob) -> None:
        """See :meth:`Delivery.deliver`. A job that is refused later is logged."""
        if not self._postpone([prepared]):
            self._delivery.deliver(prepared)

    def deliver_many(self, batch: Sequence[PreparedJob]) -> Receipt:
        """See :meth:`Delivery.deliver_many`. A job that is refused later is logged."""
        if self._postpone(batch):
            return Delivered([prepared.job for prepared in batch], [])
        return self._delivery.deliver_many(batch)

    def _postpone(self, batch: Sequence[PreparedJob]) -> bool:
        """Postpone the delivery of jobs; return ``False`` if there is nothing to wait for."""
        request = _current_request() if self._waits_for_request else None
        aliases = _open_transactions()
        if request is None and not aliases:
            return False
        postponed = _PostponedDelivery(self._delivery, batch, self._broker)
        if request is None or not request.add(postponed):
            if not aliases:
                return False  # the request has ended just now
            hook = _CommitHook(postponed, len(aliases))
            for alias in aliases:
                transaction.on_commit(hook, using=alias)
        for prepared in batch:
            prepared.job._pending = postponed
        return True


class _PostponedDelivery:
    """A delivery that waits for commits or for the end of a request."""

    def __init__(self, delivery: Delivery, batch: Sequence[PreparedJob], broker: Broker) -> None:
        self._delivery = delivery
        self._batch = batch
        self._broker = broker

    @property
    def job_ids(self) -> list[str]:
        """The ids of its jobs."""
        return [prepared.job.id for prepared in self._batch]

    def deliver(self) -> None:
        """Deliver the jobs whose time has come.

        The work of the transaction is committed. If a job is a duplicate, or its parents were not
        enqueued, this is only logged, so that other code that runs after the commit is not
        affected.

        Raises:
            Exception: See :meth:`Delivery.deliver`.
        """
        batch = [prepared for prepared in self._batch if self._can_be_delivered(prepared.job)]
        try:
            if len(batch) == 1:
                self._delivery.deliver(batch[0])
            elif batch and (refused := self._delivery.deliver_many(batch).result().refused):
                raise summary(refused)
        except DuplicateJobError as exc:
            _log_dropped(exc)

    def comes_before(self, mode: str) -> bool:
        """Whether this delivery happens before one that is requested now.

        ``False`` also if it has happened already, or was dropped by a rollback.

        Args:
            mode: The value of ``COMMIT_MODE`` of the other one.
        """
        request = _current_request()
        if request is not None and request.has(self):
            return mode == AFTER_REQUEST
        hooks = {
            connection.alias: hook
            for connection in connections.all(initialized_only=True)
            for _, hook, *_ in connection.run_on_commit
            if isinstance(hook, _CommitHook) and hook.postponed is self
        }
        if not hooks or any(hook.left != len(hooks) for hook in hooks.values()):
            return False
        if mode == AFTER_REQUEST and request is not None:
            return True
        return mode != AT_ONCE and hooks.keys() <= set(_open_transactions())

    def _can_be_delivered(self, job: Job) -> bool:
        job._pending = None
        try:
            dependency_check.check_again(job, self._broker)
        except InvalidJobDependency as exc:
            _log_dropped(exc)
            return False
        return True


def _log_dropped(why: Exception) -> None:
    logger.warning("A job was dropped when its transaction had committed: %s", why)


class _CommitHook:
    """The hook of several transactions. The last one that commits delivers.

    Attributes:
        postponed: The delivery.
        left: How many transactions must still commit.
    """

    __slots__ = ("left", "postponed")

    def __init__(self, postponed: _PostponedDelivery, left: int) -> None:
        self.postponed = postponed
        self.left = left

    def __call__(self) -> None:
        self.left -= 1
        if not self.left:
            self.postponed.deliver()


class _Request:
    """The deliveries that wait for the end of one request, from all of its threads and tasks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_PostponedDelivery] = []
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether the request has ended."""
        return self._is_over

    def add(self, postponed: _PostponedDelivery) -> bool:
        """Add a delivery; return ``False`` if the request has ended."""
        with self._lock:
            if not self._is_over:
                self._waiting.append(postponed)
            return not self._is_over

    def has(self, postponed: _PostponedDelivery) -> bool:
        """Whether this delivery waits."""
        with self._lock:
            return any(waiting is postponed for waiting in self._waiting)

    def drop(self) -> None:
        """Drop the waiting deliveries, because the view raised an exception."""
        with self._lock:
            self._waiting = []

    def end(self) -> None:
        """Make the waiting deliveries.

        The response is sent, so errors are logged and not raised. Each delivery is tried, even if
        others fail.
        """
        with self._lock:
            self._is_over = True
            waiting, self._waiting = self._waiting, []
        for postponed in waiting:
            try:
                postponed.deliver()
            except Exception:
                logger.exception(
                    "%s of a request could not be enqueued after its response, and will not run. "
                    "The other jobs of the request are not affected. When the cause is fixed, "
                    "enqueue it again; with COMMIT_MODE 'on_db_commit', enqueue() raises instead.",
                    _named(postponed.job_ids),
                )


#: The request that the running code serves. Tasks and sync_to_async() inherit it, new threads do
#: not.
_request: ContextVar[_Request | None] = ContextVar("django_rqlite.request", default=None)

#: The same for ASGI with Django 5.2. Its ``asend`` runs the receivers of ``request_started`` in
#: their own context, so the view does not see what they set there. Before that, asgiref makes one
#: such object for each request, to separate the threads of requests. Both contexts have it.
_requests: WeakKeyDictionary[ThreadSensitiveContext, _Request] = WeakKeyDictionary()


def _open_transactions() -> list[str]:
    """The aliases of the databases with an open transaction."""
    return [
        connection.alias
        for connection in connections.all(initialized_only=True)
        if connection.in_atomic_block
    ]


def _current_request() -> _Request | None:
    request = _request.get()
    if request is None or request.is_over:
        context = SyncToAsync.thread_sensitive_context.get(None)
        request = None if context is None else _requests.get(context)
    return None if request is None or request.is_over else request


def _named(job_ids: Sequence[str]) -> str:
    shown = ", ".join(job_ids[:_MOST_NAMED])
    more = len(job_ids) - _MOST_NAMED
    return f"Job{'s' if len(job_ids) > 1 else ''} {shown}{f' and {more} more' if more > 0 else ''}"


def _begin(**_: object) -> None:
    request = _Request()
    if (before := _current_request()) is not None:
        # A server has not closed its response, or a test client is used inside a view.
        before.end()
    _request.set(request)
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is not None:
        _requests[context] = request


def _end(**_: object) -> None:
    request = _current_request()
    _request.set(None)
    if request is not None:
        request.end()


def _drop(**_: object) -> None:
    if (request := _current_request()) is not None:
        request.drop()


# Connected in every mode, because a queue may have its own mode. Without jobs, they take a
# microsecond.
request_started.connect(_begin, dispatch_uid="django_rqlite.commit.begin")
request_finished.connect(_end, dispatch_uid="django_rqlite.commit.end")
got_request_exception.connect(_drop, dispatch_uid="django_rqlite.commit.drop")
