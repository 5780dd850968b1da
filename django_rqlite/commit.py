"""When a job becomes visible: at once, when the transaction commits, or after the response.

A worker must not look for rows that are not committed, and a job must not outlive a rollback. So
inside an open transaction, of whichever database, a push waits until the outermost block of every
open one has committed. Each of them gets a hook; the last hook pushes. A rollback, of a savepoint
too, drops its hook, so the count is never reached and nothing was ever visible.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.core.signals import got_request_exception, request_finished
from django.db import connections, transaction

from .exceptions import DuplicateJobError, RQLiteError

logger = logging.getLogger("django_rqlite.commit")

ON_COMMIT = "on_db_commit"
AT_ONCE = "auto"
AFTER_REQUEST = "request_finished"

Push = Callable[[], None]


class _Pending(threading.local):
    """What waits for the end of the request that this thread serves."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []


_pending = _Pending()


def push_when_visible(mode: str, push: Push) -> bool:
    """Call ``push`` when ``mode`` (a value of ``COMMIT_MODE``) says so.

    Returns:
        whether it was called already.
    """
    if mode == AFTER_REQUEST:
        _pending.pushes.append(push)
        return False
    open_aliases = _open_transactions() if mode == ON_COMMIT else []
    if not open_aliases:
        push()
        return True
    _push_after(open_aliases, push)
    return False


def is_visible_at_once(mode: str) -> bool:
    """Whether :func:`push_when_visible` would call what it is given now."""
    return mode == AT_ONCE or (mode == ON_COMMIT and not _open_transactions())


def _open_transactions() -> list[str]:
    return [
        connection.alias
        for connection in connections.all(initialized_only=True)
        if connection.in_atomic_block
    ]


def _push_after(aliases: list[str], push: Push) -> None:
    left = len(aliases)

    def committed() -> None:
        nonlocal left
        left -= 1
        if not left:
            _push_late(push)

    for alias in aliases:
        transaction.on_commit(committed, using=alias)


def _push_late(push: Push) -> None:
    """Push what its caller no longer waits for.

    The work of the request is committed; that a job like it is there already is no reason to break
    the rest of it.
    """
    try:
        push()
    except DuplicateJobError as exc:
        logger.warning("A job was dropped when its transaction had committed: %s", exc)


def _push_pending(**_: object) -> None:
    pushes, _pending.pushes = _pending.pushes, []
    failures = []
    for push in pushes:
        try:
            _push_late(push)
        except RQLiteError as exc:
            failures.append(exc)  # the others may still be pushed
    if failures:
        raise ExceptionGroup("Jobs of this request could not be enqueued", failures)


def _drop_pending(**_: object) -> None:
    _pending.pushes = []


# Harmless while the mode is another: then nothing is ever pending.
request_finished.connect(_push_pending, dispatch_uid="django_rqlite.commit.push")
got_request_exception.connect(_drop_pending, dispatch_uid="django_rqlite.commit.drop")
