"""The figures of all configured queues, in the form of django-rq's ``get_statistics()``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import redis
from django.utils import timezone
from redis.sentinel import SentinelConnectionPool

from .. import conf
from ..broker.broker import Broker, group_by_broker
from ..broker.clients import connection_for
from ..broker.errors import translate_errors
from ..conf.settings import QueueConf
from ..exceptions import RQLiteError
from ..protocol.places import Place
from ..queries.queries import Queries
from ..queries.snapshots import QueueStatistics

#: What may be told of a connection: all else could be, or hold, a secret.
_TELLABLE = (
    *("host", "port", "db", "username", "client_name", "service_name", "sentinels"),
    *("unix_socket_path", "path", "socket_timeout", "socket_connect_timeout", "socket_keepalive"),
    *("health_check_interval", "protocol", "encoding", "decode_responses"),
)

#: What django-rq shows where no job waits.
NO_JOB = "-"


def get_statistics() -> dict[str, list[dict[str, Any]]]:
    """``{"queues": [...]}``, a dictionary of plain values for each queue of ``RQ_QUEUES``, by name.

    Its keys are django-rq's, and ``paused``, ``suspended``, ``problems`` (sentences about keys
    that hold something other than they should) and ``error``: why the server could not be asked,
    else None. If it could not, numbers are None. Two round trips for each server; writes nothing.

    Raises:
        ConfigurationError: ``RQ_QUEUES`` can't be used.
    """
    configured = conf.queues()
    found: dict[str, dict[str, Any]] = {}
    for group in group_by_broker(configured.values()):
        found |= _of_server(group)
    # The index is a queue's place among the sorted names, as in django-rq's addresses.
    return {"queues": [found[name] | {"index": i} for i, name in enumerate(sorted(configured))]}


def _of_server(group: Sequence[QueueConf]) -> dict[str, dict[str, Any]]:
    try:
        client = connection_for(group[0])
        told = [_tellable(client) for _ in group]  # each its own: YAML would point to a shared one
    except RQLiteError as exc:
        return {queue.name: _row(queue.name, {}, error=str(exc)) for queue in group}
    try:
        with translate_errors(client):
            figures = Queries(Broker(client, group[0].key_prefix)).statistics(
                [q.name for q in group]
            )
    except (RQLiteError, redis.RedisError) as exc:
        return {
            queue.name: _row(queue.name, options, error=str(exc))
            for queue, options in zip(group, told, strict=True)
        }
    return {
        queue.counts.name: _row(queue.counts.name, options, queue, figures.suspended)
        for queue, options in zip(figures.queues, told, strict=True)
    }


def _row(
    name: str,
    connection_kwargs: dict[str, Any],
    figures: QueueStatistics | None = None,
    suspended: bool | None = None,
    error: str | None = None,
) -> dict[str, Any]:
    counts = figures.counts if figures else None

    def count(place: Place) -> int | None:
        return counts.places[place] if counts else None

    return {
        "name": name,
        "jobs": count(Place.QUEUED),
        "oldest_job_timestamp": _shown(figures.oldest if figures else None),
        "index": 0,
        "connection_kwargs": connection_kwargs,
        "scheduler_pid": figures.scheduler_pid if figures else None,
        "workers": counts.workers if counts else None,
        "finished_jobs": count(Place.FINISHED),
        "started_jobs": count(Place.STARTED),
        "deferred_jobs": count(Place.DEFERRED),
        "failed_jobs": count(Place.FAILED),
        "scheduled_jobs": count(Place.SCHEDULED),
        "paused": counts.paused if counts else None,
        "suspended": suspended,
        "problems": list(counts.problems) if counts else [],
        "error": error,
    }


def _shown(moment: datetime | None) -> str:
    if moment is None:
        return NO_JOB
    try:
        return timezone.localtime(moment).strftime("%Y-%m-%d, %H:%M:%S")
    except OverflowError:
        return NO_JOB  # a date at the end of the calendar, written by others


def _tellable(client: redis.Redis) -> dict[str, Any]:
    """What may be told of a client's connection. For sentinels, host and port are the first's."""
    pool = client.connection_pool
    options = dict(pool.connection_kwargs)
    if isinstance(pool, SentinelConnectionPool):
        options["service_name"] = pool.service_name
        places = [s.connection_pool.connection_kwargs for s in pool.sentinel_manager.sentinels]
        options["sentinels"] = [[place.get("host"), place.get("port")] for place in places]
        if places:
            options |= {"host": places[0].get("host"), "port": places[0].get("port")}
    return {key: options[key] for key in _TELLABLE if options.get(key) is not None}
