"""The connections to databases that this process has. Closes those that it has opened.

A worker closes the connections that it has opened and no others: ``work()`` may be called in the
middle of a test's transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

#: Connections that were opened in this process, and the threads that opened them.
_opened: WeakKeyDictionary[BaseDatabaseWrapper, threading.Thread] = WeakKeyDictionary()


def _note(connection: BaseDatabaseWrapper, **_: object) -> None:
    _opened[connection] = threading.current_thread()


connection_created.connect(_note, dispatch_uid="django_rqlite.worker.children.database_connections")


def any_opened() -> bool:
    """Return whether this process has opened a connection.

    Looking at Django's connections touches more pages of memory than the rest of a short job.
    """
    return bool(_opened)


def known() -> list[BaseDatabaseWrapper]:
    """Return the connections of this thread, and those that other threads have opened."""
    found = {id(each): each for each in connections.all(initialized_only=True)}
    for reference in _opened.keyrefs():
        if (connection := reference()) is not None:
            found[id(connection)] = connection
    return list(found.values())


def thread_of(connection: BaseDatabaseWrapper) -> threading.Thread:
    """Return the thread that opened a connection; this thread if it was not opened."""
    return _opened.get(connection) or threading.current_thread()


def forget_all() -> None:
    """Forget which connections were opened so far."""
    _opened.clear()


def pools() -> Iterator[dict[str, Any]]:
    """Yield the pools of each backend that has some, by alias."""
    found = {}
    for connection in known():
        # Not public in Django. The attribute exists since 5.1, the first release with pools.
        by_alias = getattr(type(connection), "_connection_pools", None)
        if by_alias:
            found[id(by_alias)] = by_alias
    yield from found.values()


def in_use() -> list[object]:
    """Return the connections that are open now, and the pools."""
    found: list[object] = [each for each in known() if each.connection is not None]
    for by_alias in pools():
        found += by_alias.values()
    return found


def close(but: Container[object] = ()) -> None:
    """Close pools, and the connections of this thread and of threads that have ended.

    Args:
        but: What stays open, as :func:`in_use` returned it.
    """
    for connection in known():
        thread = thread_of(connection)
        if connection not in but and not (thread.is_alive() and _is_other(thread)):
            close_one(connection)
    for by_alias in list(pools()):
        for alias, pool in list(by_alias.items()):
            if pool not in but:
                connections[alias].close_pool()  # type: ignore[attr-defined]


def close_one(connection: BaseDatabaseWrapper) -> None:
    """Close a connection of this thread, or of one that has ended."""
    if connection.connection is None:
        return
    connection.inc_thread_sharing()
    try:
        connection.close()
    finally:
        connection.dec_thread_sharing()


def descriptor_of(raw: Any) -> int | None:
    """Return the socket of a driver's connection; None if it is unknown."""
    try:
        number = raw.fileno()
    except Exception:  # noqa: BLE001 - each driver has its own errors for a closed connection
        return None
    return number if isinstance(number, int) and number >= 0 else None


def idle_in(pool: Any) -> list[Any]:
    """Return the drivers' connections that are idle in a pool."""
    # Not public in psycopg_pool. The attribute exists since its first release.
    return list(getattr(pool, "_pool", ()))


def _is_other(thread: threading.Thread) -> bool:
    return thread is not threading.current_thread()
