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

from .exceptions import DuplicateJobError, InvalidJobDependency, RQLiteError

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


def comes_before(earlier: Push, mode: str) -> bool:
    """Whether a push that :func:`push_when_visible` has put off will be made before one that it is
    given now.

    False also when it was made already, or dropped because its transaction was rolled back.

    Args:
        mode: of the one that is given now.
    """
    if earlier in _pending.pushes:
        return mode == AFTER_REQUEST
    hooks = {
        connection.alias: hook
        for connection in connections.all(initialized_only=True)
        for _, hook, *_ in connection.run_on_commit
        if isinstance(hook, _LastCommit) and hook.push == earlier
    }
    if not hooks or any(hook.left != len(hooks) for hook in hooks.values()):
        return False
    return mode == AFTER_REQUEST or (
        mode == ON_COMMIT and hooks.keys() <= set(_open_transactions())
    )


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
