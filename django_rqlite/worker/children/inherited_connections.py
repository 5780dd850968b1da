"""Discards the connections that a forked process has inherited from its parent.

The process holds copies of them. Using one would mix the commands of two processes. Closing one
would end the parent's session, because the driver tells the server so. And closing the copy of a
connection to a SQLite file would roll back the parent's open transaction.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import SyncToAsync
from django.core.cache import caches
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from . import database_connections

logger = logging.getLogger("django_rqlite.worker")

#: Inherited objects. They stay referenced, because their finalizers would close the connections.
_inherited: list[object] = []


def discard(inherited: Iterable[BaseDatabaseWrapper]) -> None:
    """Discard the parent's connections to databases and caches, without telling their servers.

    A SQLite database in memory stays: the fork copied it, with all that its transaction holds, and
    from now on the copy belongs to this process.

    Args:
        inherited: The result of :func:`database_connections.known` before the fork. The parent's
            threads do not exist in the forked process, and their objects would be finalized.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for connection in inherited:
        _inherited.append(connection)
        _disconnect(connection.connection, null)
    for by_alias in database_connections.pools():
        for pool in by_alias.values():
            _inherited.append(pool)
            for raw in database_connections.idle_in(pool):
                _disconnect(raw, null)
        by_alias.clear()
    os.close(null)
    for connection in connections.all(initialized_only=True):
        del connections[connection.alias]
        if _is_in_memory(connection):
            _keep(connection)
    _inherited.extend(caches.all(initialized_only=True))
    for alias in caches:
        try:
            del caches[alias]
        except AttributeError:
            pass  # the cache was never used
    database_connections.forget_all()
    # The executor's thread, in which asgiref runs the ORM for async code, was not forked.
    SyncToAsync.single_thread_executor = ThreadPoolExecutor(max_workers=1)


def _disconnect(raw: object, null: int) -> None:
    """Replace the socket of a driver's connection, so that nothing can reach the server."""
    number = database_connections.descriptor_of(raw)
    if number is not None:
        os.dup2(null, number, inheritable=False)


def _is_in_memory(connection: BaseDatabaseWrapper) -> bool:
    return (
        connection.vendor == "sqlite"
        and connection.connection is not None
        and bool(connection.is_in_memory_db())  # type: ignore[attr-defined]
    )


def _keep(connection: BaseDatabaseWrapper) -> None:
    """Keep a copied database in memory, outside of the parent's transaction."""
    raw = connection.connection
    if raw.in_transaction:
        try:
            raw.execute("COMMIT")  # in the copy alone
        except connection.Database.Error as exc:  # type: ignore[attr-defined]
            raw.execute("ROLLBACK")
            logger.warning(
                "Jobs do not see uncommitted changes of the database %r: the copy in their memory "
                "can't be committed in its present state (%s).",
                connection.alias,
                exc,
            )
    # A new wrapper, without the parent's atomic blocks and on_commit() callbacks.
    fresh = connections[connection.alias]
    fresh.get_connection_params()  # sets attributes, as before each connection
    fresh.connection, fresh.autocommit = raw, True
