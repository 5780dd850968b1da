"""What a process that runs several jobs does between two of them: leave nothing of the first.

Django does the same between two requests. It knows one thread; a job may have had many.
"""

from __future__ import annotations

import logging
import select
import threading
from collections.abc import Callable, Container
from contextvars import Context, copy_context
from typing import TypeVar

from asgiref.sync import SyncToAsync
from django.core.cache import caches
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from . import database_connections as databases

logger = logging.getLogger("django_rqlite.worker")

#: Seconds that the thread in which async code uses the ORM may take to look at its connections.
PATIENCE = 2.0

_Answer = TypeVar("_Answer")


def alone(run: Callable[[], _Answer]) -> _Answer:
    """Call it so that no context variable keeps what it was set to.

    The active language, the time zone and the URLconf are such variables, and a project may have
    others. Connections to caches are, too; they are kept, and closed as after a request.
    """
    context = copy_context()
    try:
        return context.run(run)
    finally:
        _keep_caches(context)


def _keep_caches(context: Context) -> None:
    for alias in caches:
        # The handler can tell which it has, but not under which names.
        cache = context.run(getattr, caches._connections, alias, None)  # type: ignore[attr-defined]
        if cache is None:
            continue
        try:
            cache.close()
        except Exception:
            logger.exception("The cache %r could not be closed after a job; it is not kept", alias)
        else:
            caches[alias] = cache


def look_after_databases(*, failed: bool = False, but: Container[object] = ()) -> bool:
    """Close connections that are too old or broken, and all that threads have left open.

    Args:
        failed: whether the job failed. What interrupted it may have interrupted a query.
        but: what is not looked at, as :func:`databases.in_use` gave it.

    Returns:
        whether this process may run another job: not while a connection is open in a thread that
        can't be asked to look at it.
    """
    if not databases.any_opened():
        return True
    try:
        elsewhere = _look(failed, but)
        if elsewhere:
            asked = _ask_async_thread(failed, but)
            elsewhere = [each for each in elsewhere if databases.thread_of(each) is not asked]
        _look_at_pools()
    except Exception:
        logger.exception("A database connection could not be closed between two jobs")
        return False
    return not elsewhere


def _look(failed: bool, but: Container[object]) -> list[BaseDatabaseWrapper]:
    """Look at this thread's connections; gives those that are open in others."""
    here = threading.current_thread()
    elsewhere = []
    for connection in databases.known():
        if connection in but:
            continue
        thread = databases.thread_of(connection)
        if thread is here:
            _check(connection, failed)
        elif not thread.is_alive():
            databases.close_one(connection)
        elif connection.connection is not None:
            elsewhere.append(connection)
    for connection in connections.all(initialized_only=True):
        if (
            connection.in_atomic_block
            and connection.closed_in_transaction
            and connection not in but
        ):
            del connections[connection.alias]  # the block was begun and never left
    return elsewhere


def _check(connection: BaseDatabaseWrapper, failed: bool) -> None:
    connection.queries_log.clear()
    if connection.connection is None:
        return
    # Nothing comes unasked but the news that the server has hung up.
    if failed or _has_news(connection.connection):
        connection.errors_occurred = True
    connection.close_if_unusable_or_obsolete()


def _look_at_pools() -> None:
    for by_alias in databases.pools():
        for pool in by_alias.values():
            if any(_has_news(raw) for raw in databases.idle_in(pool)):
                pool.check()


def _has_news(raw: object) -> bool:
    number = databases.descriptor_of(raw)
    if number is None:
        return False
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


def _ask_async_thread(failed: bool, but: Container[object]) -> threading.Thread | None:
    """Have asgiref's thread look at its connections; None: it is still at work for the job."""

    def look() -> threading.Thread:
        _look(failed, but)
        return threading.current_thread()

    try:
        return SyncToAsync.single_thread_executor.submit(look).result(PATIENCE)
    except TimeoutError:
        return None
