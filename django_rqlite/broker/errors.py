"""redis-py's errors, translated into ours: what is wrong with the server, and the remedy.

A server that refuses a command answers with an error code, the first word of the text. redis-py
removes the word if it has a class for the code. If a script is refused, the word is in the middle
of the text.
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

#: The codes that redis-py replaces by classes; a subclass comes before its base.
_CODE_OF_CLASS: dict[type[Exception], str] = {
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
    NoPermissionError: "NOPERM",
    BusyLoadingError: "LOADING",
    MasterDownError: "MASTERDOWN",
    ClusterDownError: "CLUSTERDOWN",
    ClusterCrossSlotError: "CROSSSLOT",
    TryAgainError: "TRYAGAIN",
}

#: The codes of states that end by themselves, or that a person repairs while a worker waits.
_TRANSIENT = frozenset(
    {
        *("LOADING", "READONLY", "OOM", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"),
        *("NOREPLICAS", "NOAUTH", "WRONGPASS", "NOPERM", "BUSY", "UNBLOCKED"),
    }
)

_CODE = re.compile(rf"(?<!\w)({'|'.join(sorted(_TRANSIENT | {'CROSSSLOT'}))})(?!\w)")

#: NOPERM as scripts report it: in Redis 7 and Valkey, in Redis 6.2.
_NO_PERMISSION = ("ACL failure in script", "The user executing the script can't")


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A code in words.

    Attributes:
        kind: The class of our error.
        sentences: What follows "Redis at <address> ...": the state of the server and the remedy.
    """

    kind: type[RedisRefusedError]
    sentences: str


_REFUSALS = {
    "OOM": _Refusal(
        RedisOutOfMemoryError,
        "has no memory left: it has reached its maxmemory, so it stores nothing new. "
        "Raise maxmemory, or keep less: delete jobs that have ended, or lower result_ttl and "
        "failure_ttl.",
    ),
    "READONLY": _Refusal(
        RedisReadOnlyError,
        "is a replica, which can't be written to. RQ_QUEUES must name the primary, or its "
        "SENTINELS.",
    ),
    "MASTERDOWN": _Refusal(
        RedisReadOnlyError,
        "is a replica that has lost its primary (replica-serve-stale-data is off). RQ_QUEUES must "
        "name the primary, or its SENTINELS.",
    ),
    "MISCONF": _Refusal(
        RedisRefusedError,
        "can't save to its disk, so it stores nothing new (stop-writes-on-bgsave-error). Make room "
        "on its disk, or see its log.",
    ),
    "NOREPLICAS": _Refusal(
        RedisRefusedError,
        "has fewer replicas than min-replicas-to-write requires, so it stores nothing new. Start "
        "its replicas again, or lower min-replicas-to-write.",
    ),
    "NOPERM": _Refusal(
        RedisPermissionError,
        "does not permit that to the user of RQ_QUEUES. Permit all commands on the keys that begin "
        "with KEY_PREFIX, and on all channels, with ACL SETUSER.",
    ),
    "BUSY": _Refusal(
        RedisRefusedError,
        "has been running a script for longer than its busy-reply-threshold (lua-time-limit). "
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
    """Return the error code of a server's answer; ``''`` if it has no known code."""
    for kind, code in _CODE_OF_CLASS.items():
        if isinstance(exc, kind):
            return code
    if not isinstance(exc, ResponseError):
        return ""
    text = str(exc)
    if any(phrase in text for phrase in _NO_PERMISSION):
        return "NOPERM"
    found = _CODE.search(text)
    return found[1] if found else ""


def is_transient(exc: Exception) -> bool:
    """Return whether an error is caused by the server or the network.

    Such an error may pass, and the same command may succeed then. Other errors are caused by the
    command itself, by the data of one job for example.
    """
    if isinstance(exc, redis.ConnectionError | redis.TimeoutError | OSError):
        return True
    return error_code(exc) in _TRANSIENT


def explain(exc: Exception) -> str:
    """Return an error as text, without a final full stop, for a log line that names the server."""
    found = _REFUSALS.get(error_code(exc))
    return (f"it {found.sentences} It said: {exc}" if found else str(exc)).rstrip(".")


def _refused(exc: ResponseError, address: str) -> RedisRefusedError | PayloadTooLargeError | None:
    """Return our error for an answer of the server; None if it is not about the server's state.

    Args:
        address: The server's address in words.
    """
    if isinstance(exc, OversizeError):
        return PayloadTooLargeError(
            f"Redis at {address}: {exc} Pass an id, a path or a URL instead of the large value and "
            "load the value inside the job, or raise that limit."
        )
    found = _REFUSALS.get(error_code(exc))
    if found is None:
        return None
    return found.kind(f"Redis at {address} {found.sentences} It said: {exc}")


# A class, because a generator-based context manager costs four times as much, with every call.
class translate_errors:
    """A context manager that turns redis-py's errors into ours, which name the server's address.

    Raises:
        RedisUnavailableError: Instead of ``redis.ConnectionError`` and ``redis.TimeoutError``.
        RedisRefusedError: Instead of a ``redis.ResponseError`` about the state of the server. Any
            other error passes unchanged.
    """

    __slots__ = ("_client",)

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if not isinstance(error, redis.RedisError) or isinstance(error, RQLiteError):
            return
        if isinstance(error, redis.ResponseError):
            if ours := _refused(error, describe(self._client)):
                raise ours from error
            return
        if not isinstance(error, redis.ConnectionError | redis.TimeoutError):
            return
        # Some releases of redis-py put the passwords of the sentinels into the text of the first.
        reason = (
            "no Sentinel that answers knows a master of that name."
            if isinstance(error, MasterNotFoundError)
            else f"{error} See the user and the password in RQ_QUEUES."
            if isinstance(error, redis.AuthenticationError)
            else error
        )
        raise RedisUnavailableError(
            f"Redis at {describe(self._client)} is not available: {reason}"
        ) from error
