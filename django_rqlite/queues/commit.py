"""When a job becomes visible: at once, when the transaction commits, or after the response.

A worker must not look for rows that are not committed, and a job must not outlive a rollback. So
inside an open transaction, of whichever database, a push waits until the outermost block of every
open one has committed. Each of them gets a hook; the last hook pushes. A rollback, of a savepoint
too, drops its hook, so the count is never reached and nothing was ever visible.

``request_finished`` is for requests. Code that serves none (a job, a command, a shell, a thread
that outlives its request) has no end of a request to wait for: there it means ``on_db_commit``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import connections, transaction

from ..exceptions import DuplicateJobError, InvalidJobDependency

if TYPE_CHECKING:
    from ..jobs.job import Job

logger = logging.getLogger("django_rqlite.commit")

ON_COMMIT = "on_db_commit"
AT_ONCE = "auto"
AFTER_REQUEST = "request_finished"

Push = Callable[[], None]

#: Jobs of one push that an error names.
_MOST_NAMED = 10


class _Request:
    """What waits for the end of one request, whichever of its threads and tasks enqueued it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Push, tuple[str, ...]]] = []
        self._over = False

    @property
    def is_over(self) -> bool:
        return self._over

    def add(self, push: Push, job_ids: tuple[str, ...]) -> bool:
        """Have ``push`` wait; gives False where the request is over, and nothing waits for it."""
        with self._lock:
            if not self._over:
                self._waiting.append((push, job_ids))
            return not self._over

    def has(self, push: Push) -> bool:
        """Whether ``push`` waits."""
        with self._lock:
            return any(waiting == push for waiting, _ in self._waiting)

    def drop(self) -> None:
        """Forget what waits: the view raised."""
        with self._lock:
            self._waiting = []

    def end(self) -> None:
        """Push what waits, each for itself: the response is sent, and nobody hears an error."""
        with self._lock:
            self._over = True
            waiting, self._waiting = self._waiting, []
        for push, job_ids in waiting:
            try:
                _push_late(push)
            except Exception:
                logger.exception(
                    "%s of a request could not be enqueued after its response, and will not run. "
                    "The other jobs of the request are not affected. Once the cause is mended, "
                    "enqueue it again; with COMMIT_MODE 'on_db_commit', enqueue() raises instead.",
                    _named(job_ids),
                )


#: The request that this code serves. Tasks and sync_to_async() inherit it, new threads do not.
_request: ContextVar[_Request | None] = ContextVar("django_rqlite.request", default=None)

#: The same for ASGI with Django 5.2, whose ``asend`` runs the receivers of ``request_started`` in a
#: context of their own: what these set there, no view sees. The object by which asgiref tells apart
#: whose threads are whose is made before, one for each request, and is seen by both.
_requests: WeakKeyDictionary[ThreadSensitiveContext, _Request] = WeakKeyDictionary()


def push_when_visible(mode: str, push: Push, jobs: Sequence[Job]) -> bool:
    """Call ``push`` when ``mode`` (a value of ``COMMIT_MODE``) says so.

    Args:
        jobs: what it pushes, to be named in the log should it fail when nobody hears of it.

    Returns:
        whether it was called already.
    """
    if mode == AFTER_REQUEST:
        request = _current_request()
        if request is not None and request.add(push, tuple(job.id for job in jobs)):
            return False
    open_aliases = _open_transactions() if mode != AT_ONCE else []
    if not open_aliases:
        push()
        return True
    _push_after(open_aliases, push)
    return False


def is_visible_at_once(mode: str) -> bool:
    """Whether :func:`push_when_visible` would call what it is given now."""
    if mode == AT_ONCE:
        return True
    return not (mode == AFTER_REQUEST and _current_request()) and not _open_transactions()


def _current_request() -> _Request | None:
    request = _request.get()
    if request is None or request.is_over:
        context = SyncToAsync.thread_sensitive_context.get(None)
        request = None if context is None else _requests.get(context)
    return None if request is None or request.is_over else request


def comes_before(earlier: Push, mode: str) -> bool:
    """Whether a push that :func:`push_when_visible` has put off will be made before one that it is
    given now.

    False also when it was made already, or dropped because its transaction was rolled back.

    Args:
        mode: of the one that is given now.
    """
    request = _current_request()
    if request is not None and request.has(earlier):
        return mode == AFTER_REQUEST
    hooks = {
        connection.alias: hook
        for connection in connections.all(initialized_only=True)
        for _, hook, *_ in connection.run_on_commit
        if isinstance(hook, _LastCommit) and hook.push == earlier
    }
    if not hooks or any(hook.left != len(hooks) for hook in hooks.values()):
        return False
    if mode == AFTER_REQUEST and request is not None:
        return True
    return mode != AT_ONCE and hooks.keys() <= set(_open_transactions())


def _open_transactions() -> list[str]:
    return [
        connection.alias
        for connection in connections.all(initialized_only=True)
        if connection.in_atomic_block
    ]


def _push_after(aliases: list[str], push: Push) -> None:
    committed = _LastCommit(push, len(aliases))
    for alias in aliases:
        transaction.on_commit(committed, using=alias)


class _LastCommit:
    """The hook of several transactions: the last that commits pushes.

    Attributes:
        left: how many have still to commit.
    """

    __slots__ = ("left", "push")

    def __init__(self, push: Push, left: int) -> None:
        self.push = push
        self.left = left

    def __call__(self) -> None:
        self.left -= 1
        if not self.left:
            _push_late(self.push)


def _push_late(push: Push) -> None:
    """Push what its caller no longer waits for.

    The work of the request is committed; that a job like it is there already is no reason to break
    the rest of it.
    """
    try:
        push()
    except (DuplicateJobError, InvalidJobDependency) as exc:
        logger.warning("A job was dropped when its transaction had committed: %s", exc)


def _named(job_ids: Sequence[str]) -> str:
    shown = ", ".join(job_ids[:_MOST_NAMED])
    more = len(job_ids) - _MOST_NAMED
    return f"Job{'s' if len(job_ids) > 1 else ''} {shown}{f' and {more} more' if more > 0 else ''}"


def _begin(**_: object) -> None:
    request = _Request()
    if (before := _current_request()) is not None:
        # Of a server that never closed its response, or of a test's client inside a view.
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


# Whatever the mode: a queue may have one of its own. Without jobs it costs a microsecond.
request_started.connect(_begin, dispatch_uid="django_rqlite.commit.begin")
request_finished.connect(_end, dispatch_uid="django_rqlite.commit.end")
got_request_exception.connect(_drop, dispatch_uid="django_rqlite.commit.drop")
