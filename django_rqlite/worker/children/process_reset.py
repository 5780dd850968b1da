"""Resets a process between two jobs, so that the first has no effect on the second.

Django does the same between two requests, for one thread. A job may have used several.
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

from . import database_connections

logger = logging.getLogger("django_rqlite.worker")

#: Seconds to wait for the thread in which async code uses the ORM to check its connections.
PATIENCE = 2.0

_Result = TypeVar("_Result")


def run_in_own_context(function: Callable[[], _Result]) -> _Result:
    """Call a function in a copy of the context, so that the variables that it sets do not last.

    The active language, the time zone and the URLconf are context variables, and a project may have
    others. Connections to caches are, too. These are kept, and closed as after a request.
    """
    context = copy_context()
    try:
        return context.run(function)
    finally:
        _keep_caches(context)


def _keep_caches(context: Context) -> None:
    for alias in caches:
        # The handler returns its caches without their names, so each is looked up.
        cache = context.run(getattr, caches._connections, alias, None)  # type: ignore[attr-defined]
        if cache is None:
            continue
        try:
            cache.close()
        except Exception:
            logger.exception("The cache %r could not be closed after a job; it is not kept", alias)
        else:
            caches[alias] = cache


def check_databases(*, failed: bool = False, but: Container[object] = ()) -> bool:
    """Close connections that are too old or broken, and those left by threads that have ended.

    Args:
        failed: Whether the job failed. Then it may have been interrupted in the middle of a query.
        but: What is not checked, as :func:`database_connections.in_use` returned it.

    Returns:
        Whether this process may run another job. False while a connection is open in a thread that
        cannot be made to check it.
    """
    if not database_connections.any_opened():
        return True
    try:
        elsewhere = _check_own(failed, but)
        if elsewhere:
            checked = _check_in_async_thread(failed, but)
            elsewhere = [
                each for each in elsewhere if database_connections.thread_of(each) is not checked
            ]
        _check_pools()
    except Exception:
        logger.exception("A database connection could not be closed between two jobs")
        return False
    return not elsewhere


def _check_own(failed: bool, but: Container[object]) -> list[BaseDatabaseWrapper]:
    """Check the connections of this thread. Return those that are open in other threads."""
    here = threading.current_thread()
    elsewhere = []
    for connection in database_connections.known():
        if connection in but:
            continue
        thread = database_connections.thread_of(connection)
        if thread is here:
            _check(connection, failed)
        elif not thread.is_alive():
            database_connections.close_one(connection)
        elif connection.connection is not None:
            elsewhere.append(connection)
    for connection in connections.all(initialized_only=True):
        if (
            connection.in_atomic_block
            and connection.closed_in_transaction
            and connection not in but
        ):
            del connections[connection.alias]  # the job entered an atomic block and never left it
    return elsewhere


def _check(connection: BaseDatabaseWrapper, failed: bool) -> None:
    connection.queries_log.clear()
    if connection.connection is None:
        return
    # An idle connection is readable only if the server has closed it.
    if failed or _is_readable(connection.connection):
        connection.errors_occurred = True
    connection.close_if_unusable_or_obsolete()


def _check_pools() -> None:
    for by_alias in database_connections.pools():
        for pool in by_alias.values():
            if any(_is_readable(raw) for raw in database_connections.idle_in(pool)):
                pool.check()


def _is_readable(raw: object) -> bool:
    number = database_connections.descriptor_of(raw)
    if number is None:
        return False
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


def _check_in_async_thread(failed: bool, but: Container[object]) -> threading.Thread | None:
    """Check the connections of asgiref's thread, in that thread.

    Returns:
        The thread; None if it is still busy with the job.
    """

    def check() -> threading.Thread:
        _check_own(failed, but)
        return threading.current_thread()

    try:
        return SyncToAsync.single_thread_executor.submit(check).result(PATIENCE)
    except TimeoutError:
        return None
