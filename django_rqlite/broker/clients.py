"""The Redis clients of this process, one for each distinct connection setting and key prefix.

A client keeps a pool of connections, so one client per queue would open more connections to the
server than it needs. A forked process makes its own clients, because two processes cannot share a
connection.

Making a client does not connect; its first command does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

import redis
from django.core.signals import setting_changed

from .. import conf
from ..conf import ConnectionSetting, QueueConf
from .client_factory import Client, make_client

# The process that these belong to. A forked process replaces them when it first needs a client.
# Most children of a worker never need one.
_owner = os.getpid()
_lock = threading.Lock()
_clients: dict[tuple[ConnectionSetting, str], Client] = {}


def get_connection(name: str = "default", use_strict_redis: bool = False) -> redis.Redis:
    """Return the client of the queue ``name``. Queues with the same settings share a client.

    Args:
        use_strict_redis: Ignored; accepted because django-rq accepts it.

    Raises:
        UnknownQueueError: ``RQ_QUEUES`` has no such queue.
        ConfigurationError: The connection setting of the queue is invalid.
    """
    return connection_for(conf.queue(name))


def get_redis_connection(config: Mapping[str, Any], use_strict_redis: bool = False) -> redis.Redis:
    """Return the client for the configuration of a queue that need not be in ``RQ_QUEUES``.

    Args:
        use_strict_redis: Ignored; accepted because django-rq accepts it.

    Raises:
        ConfigurationError: The configuration is invalid.
    """
    return connection_for(conf.read_queue("the queue with this connection", config))


def filter_connection_params(queue_params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a queue's configuration that select a server and a key prefix."""
    selecting = conf.CONNECTION_KEYS | {"KEY_PREFIX"}
    return {key: value for key, value in queue_params.items() if key in selecting}


def connection_for(queue: QueueConf) -> redis.Redis:
    """Return this process's client for the connection setting and key prefix of ``queue``.

    Raises:
        ConfigurationError: The connection setting is invalid; the message names the queue.
    """
    key = (queue.connection, queue.key_prefix)
    if _owner != os.getpid():
        _reset_after_fork()
    with _lock:
        client = _clients.get(key)
        if client is None:
            client = make_client(queue)
            _clients[key] = client
    return client


def _reset_after_fork() -> None:
    """Forget the clients of the parent process, which goes on using them."""
    global _owner, _lock, _clients
    _owner = os.getpid()
    # If another thread of the parent held the lock at the fork, it would never be released.
    _lock = threading.Lock()
    _clients = {}


def _forget_cache_clients(*, setting: str, **_: object) -> None:
    if setting == "CACHES":
        with _lock:
            for key in [key for key in _clients if key[0].form == "USE_REDIS_CACHE"]:
                del _clients[key]


setting_changed.connect(_forget_cache_clients, dispatch_uid="django_rqlite.broker.clients")
