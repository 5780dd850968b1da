"""What a forked process does with the connections of its parent: it lets go of them.

It holds copies of them. To use one would mix two conversations. To close one would end the parent's
session, since closing tells the server so; and a copy of a SQLite file's connection would roll back
what the parent is about to commit.
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

from . import database_connections as databases

logger = logging.getLogger("django_rqlite.worker")

#: What was inherited. It stays in memory: the end of such an object would close the connection.
_inherited: list[object] = []


def let_go(inherited: Iterable[BaseDatabaseWrapper]) -> None:
    """Begin without connections to databases and caches; their servers hear nothing of it.

    A SQLite database in memory is kept: it was copied by the fork, with all that its transaction
    holds, and is this process's own from now on.

    Args:
        inherited: as :func:`databases.known` gave it before the fork. Threads do not live on in
            this process, and what they referred to would be finalized.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for connection in inherited:
        _inherited.append(connection)
        _cut(connection.connection, nowhere)
    for by_alias in databases.pools():
        for pool in by_alias.values():
            _inherited.append(pool)
            for raw in databases.idle_in(pool):
                _cut(raw, nowhere)
        by_alias.clear()
    os.close(nowhere)
    for connection in connections.all(initialized_only=True):
        del connections[connection.alias]
        if _is_in_memory(connection):
            _take_over(connection)
    _inherited.extend(caches.all(initialized_only=True))
    for alias in caches:
        try:
            del caches[alias]
        except AttributeError:
            pass  # it was never used
    databases.forget_all()
    # The thread of asgiref's, in which async code uses the ORM, did not live on.
    SyncToAsync.single_thread_executor = ThreadPoolExecutor(max_workers=1)


def _cut(raw: object, nowhere: int) -> None:
    """Have a connection lead nowhere, so that nothing said through it reaches the server."""
    number = databases.descriptor_of(raw)
    if number is not None:
        os.dup2(nowhere, number, inheritable=False)


def _is_in_memory(connection: BaseDatabaseWrapper) -> bool:
    return (
        connection.vendor == "sqlite"
        and connection.connection is not None
        and bool(connection.is_in_memory_db())  # type: ignore[attr-defined]
    )


def _take_over(connection: BaseDatabaseWrapper) -> None:
    """Make a copied database this process's own, outside of its parent's transaction."""
    raw = connection.connection
    if raw.in_transaction:
        try:
            raw.execute("COMMIT")  # of the copy alone
        except connection.Database.Error as exc:  # type: ignore[attr-defined]
            raw.execute("ROLLBACK")
            logger.warning(
                "Jobs do not see what is not committed to the database %r: its copy in their "
                "memory can't be committed as it is now (%s).",
                connection.alias,
                exc,
            )
    # A new wrapper knows nothing of the parent's blocks, nor of what is to follow its commit.
    fresh = connections[connection.alias]
    fresh.get_connection_params()  # as before each connection, because it notes some
    fresh.connection, fresh.autocommit = raw, True
