"""Redis clients under django-rq's names; replaces ``django_rq.connection_utils``.

``django_rqlite.broker.clients`` has the functions that this package itself uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import redis

from .broker.clients import filter_connection_params, get_connection, get_redis_connection
from .compat.missing_names import module_getattr
from .settings import configured_queues

__all__ = [
    "filter_connection_params",
    "get_connection",
    "get_connection_by_index",
    "get_redis_connection",
    "get_unique_connection_configs",
]


def get_unique_connection_configs(
    config: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return the distinct connection configurations, sorted by the names of their queues.

    Args:
        config: The queues; None for ``RQ_QUEUES``.
    """
    configured = configured_queues() if config is None else config
    found: list[dict[str, Any]] = []
    for name in sorted(configured):
        parameters = filter_connection_params(configured[name])
        if parameters not in found:
            found.append(parameters)
    return found


def get_connection_by_index(index: int) -> redis.Redis:
    """Return the client for the configuration with this index.

    The index is a position in :func:`get_unique_connection_configs`.

    Raises:
        IndexError: There are fewer configurations.
    """
    return get_redis_connection(get_unique_connection_configs()[index])


if not TYPE_CHECKING:  # Otherwise type checkers would accept any name.
    __getattr__ = module_getattr(__name__)
