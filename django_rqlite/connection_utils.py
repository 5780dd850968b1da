"""Redis clients by django-rq's functions; stands in for ``django_rq.connection_utils``.

``django_rqlite.connections`` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

from . import conf
from .connections import connection_for, get_connection
from .settings import configured_queues

__all__ = [
    "filter_connection_params",
    "get_connection",
    "get_connection_by_index",
    "get_redis_connection",
    "get_unique_connection_configs",
]


def get_redis_connection(config: Mapping[str, Any], use_strict_redis: bool = False) -> redis.Redis:
    """The client for a queue's configuration, shared with all that say the same.

    Args:
        use_strict_redis: without effect: redis-py has one class.

    Raises:
        ConfigurationError: it can't be used.
    """
    return connection_for(conf.queue_of("the queue with this connection", config))


def filter_connection_params(queue_params: Mapping[str, Any]) -> dict[str, Any]:
    """What of a queue's configuration says which keys on which server are meant."""
    telling = conf.CONNECTION_KEYS | {"KEY_PREFIX"}
    return {key: value for key, value in queue_params.items() if key in telling}


def get_unique_connection_configs(
    config: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Those configurations of connections that differ, in the order of the queues' names.

    Args:
        config: None: ``RQ_QUEUES``.
    """
    configured = configured_queues() if config is None else config
    found: list[dict[str, Any]] = []
    for name in sorted(configured):
        parameters = filter_connection_params(configured[name])
        if parameters not in found:
            found.append(parameters)
    return found


def get_connection_by_index(index: int) -> redis.Redis:
    """The client for this one of :func:`get_unique_connection_configs`.

    Raises:
        IndexError: there are not so many.
    """
    return get_redis_connection(get_unique_connection_configs()[index])
