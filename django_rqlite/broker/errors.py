"""Why a server that answers does not do what it is asked, and what helps.

A server says so with a code, the first word of its answer. redis-py takes that word away where it
has a class for it. Inside a script the word stands in the middle of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import redis
from redis.exceptions import (
    BusyLoadingError,
    ClusterCrossSlotError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.sentinel import MasterNotFoundError

from ..exceptions import (
    PayloadTooLargeError,
    RedisOutOfMemoryError,
    RedisPermissionError,
    RedisReadOnlyError,
    RedisRefusedError,
    RedisUnavailableError,
    RQLiteError,
)
from .address import describe
from .oversize import OversizeError

#: The classes in which redis-py hides a code; a subclass comes before its base.
_HIDDEN_IN: dict[type[Exception], str] = {
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
    NoPermissionError: "NOPERM",
    BusyLoadingError: "LOADING",
    MasterDownError: "MASTERDOWN",
    ClusterDownError: "CLUSTERDOWN",
    ClusterCrossSlotError: "CROSSSLOT",
    TryAgainError: "TRYAGAIN",
}

#: What passes by itself, or is mended by a person while a worker waits.
_PASSING = frozenset(
    {
        *("LOADING", "READONLY", "OOM", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"),
        *("NOREPLICAS", "NOAUTH", "WRONGPASS", "NOPERM", "BUSY", "UNBLOCKED"),
    }
)

_WORD = re.compile(rf"(?<!\w)({'|'.join(sorted(_PASSING | {'CROSSSLOT'}))})(?!\w)")

#: How a script says NOPERM: Redis 7 and Valkey, Redis 6.2.
_NO_PERMISSION = ("ACL failure in script", "The user executing the script can't")


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The class of our error, and the sentences that follow "Redis at <address> …"."""

    kind: type[RedisRefusedError]
    sentences: str


_REFUSALS = {
    "OOM": _Refusal(
        RedisOutOfMemoryError,
        "has no memory left: it uses as much as its maxmemory allows, so it stores nothing new. "
        "Raise maxmemory, or keep less: delete jobs that have ended, or lower result_ttl and "
        "failure_ttl.",
    ),
    "READONLY": _Refusal(
        RedisReadOnlyError,
        "is a replica, which can't be written to. RQ_QUEUES must name the primary, or SENTINELS "
        "that know it.",
    ),
    "MASTERDOWN": _Refusal(
        RedisReadOnlyError,
        "is a replica that has lost its primary (replica-serve-stale-data is off). RQ_QUEUES must "
        "name the primary, or SENTINELS that know it.",
    ),
    "MISCONF": _Refusal(
        RedisRefusedError,
        "can't save to its disk, so it stores nothing new (stop-writes-on-bgsave-error). Make room "
        "on its disk, or see its log.",
    ),
    "NOREPLICAS": _Refusal(
        RedisRefusedError,
        "has fewer replicas than min-replicas-to-write demands, so it stores nothing new. Bring "
        "its replicas back, or lower min-replicas-to-write.",
    ),
    "NOPERM": _Refusal(
        RedisPermissionError,
        "does not permit that to the user of RQ_QUEUES. Permit all commands on the keys that begin "
        "with KEY_PREFIX, and on all channels, with ACL SETUSER.",
    ),
    "BUSY": _Refusal(
        RedisRefusedError,
        "is busy with someone's script, for longer than its busy-reply-threshold (lua-time-limit). "
        "Wait, or end the script with SCRIPT KILL.",
    ),
    "CLUSTERDOWN": _Refusal(
        RedisRefusedError,
        "is a node of a cluster that is down. See CLUSTER INFO.",
    ),
    "CROSSSLOT": _Refusal(
        RedisRefusedError,
        "is a cluster, where all keys of one call must be in one slot. Give KEY_PREFIX a hash tag, "
        "such as '{mail}rq:'.",
    ),
}


def error_code(exc: BaseException) -> str:
    """The code of a server's answer; ``''`` where it has none that means anything here."""
    for kind, code in _HIDDEN_IN.items():
        if isinstance(exc, kind):
            return code
    if not isinstance(exc, ResponseError):
        return ""
    said = str(exc)
    if any(phrase in said for phrase in _NO_PERMISSION):
        return "NOPERM"
    found = _WORD.search(said)
    return found[1] if found else ""


def is_transient(exc: Exception) -> bool:
    """Whether an error is of the server or the way to it, rather than of one job's data."""
    if isinstance(exc, redis.ConnectionError | redis.TimeoutError | OSError):
        return True
    return error_code(exc) in _PASSING


def explain(exc: Exception) -> str:
    """An error for a log that names the server by itself: what it says, without a full stop."""
    found = _REFUSALS.get(error_code(exc))
    return (f"it {found.sentences} It said: {exc}" if found else str(exc)).rstrip(".")


def refused(exc: ResponseError, address: str) -> RedisRefusedError | PayloadTooLargeError | None:
    """Our error for an answer of the server; None where its code says nothing of the server.

    Args:
        address: where the server is, for people.
    """
    if isinstance(exc, OversizeError):
        return PayloadTooLargeError(
            f"Redis at {address}: {exc} Pass an id, a path or a URL instead of what is large, and "
            "load it inside the job, or raise that limit."
        )
    found = _REFUSALS.get(error_code(exc))
    if found is None:
        return None
    return found.kind(f"Redis at {address} {found.sentences} It said: {exc}")


# Not a generator: that costs four times as much, with every call.
class translate_errors:
    """Turn redis-py's errors into ours, which name the server's address.

    :raises RedisUnavailableError: from ``redis.ConnectionError`` and ``redis.TimeoutError``.
    :raises RedisRefusedError: from a ``redis.ResponseError`` that says in which state the server
        is. Any other stays as it is.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if not isinstance(error, redis.RedisError) or isinstance(error, RQLiteError):
            return
        if isinstance(error, redis.ResponseError):
            if ours := refused(error, describe(self._connection)):
                raise ours from error
            return
        if not isinstance(error, redis.ConnectionError | redis.TimeoutError):
            return
        # Some releases of redis-py put the sentinels' passwords into this text.
        reason = (
            "no Sentinel that answers knows a master of that name."
            if isinstance(error, MasterNotFoundError)
            else f"{error} See the user and the password in RQ_QUEUES."
            if isinstance(error, redis.AuthenticationError)
            else error
        )
        raise RedisUnavailableError(
            f"Redis at {describe(self._connection)} is not available: {reason}"
        ) from error
