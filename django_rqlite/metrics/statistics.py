"""The numbers of all configured queues, in the form of django-rq's ``get_statistics()``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import redis
from django.utils import timezone
from redis.sentinel import SentinelConnectionPool

from .. import conf
from ..broker.servers import Server, servers_of
from ..exceptions import RQLiteError
from ..protocol.places import Place
from ..queries.queries import Queries
from ..queries.snapshots import QueueStatistics

#: The options of a connection that are published. Others may be, or contain, a secret.
_PUBLIC_OPTIONS = (
    *("host", "port", "db", "username", "client_name", "service_name", "sentinels"),
    *("unix_socket_path", "path", "socket_timeout", "socket_connect_timeout", "socket_keepalive"),
    *("health_check_interval", "protocol", "encoding", "decode_responses"),
)

#: What django-rq shows as the time if no job waits.
NO_JOB = "-"


def get_statistics() -> dict[str, list[dict[str, Any]]]:
    """Return ``{"queues": [...]}``: a dictionary for each queue of ``RQ_QUEUES``, sorted by name.

    Its keys are those of django-rq, and ``paused``, ``suspended``, ``problems`` (sentences about
    keys of the wrong type) and ``error``: why the server did not answer, else None. If it did not
    answer, numbers are None. Needs two round trips for each server and writes nothing.

    Raises:
        ConfigurationError: ``RQ_QUEUES`` cannot be used.
    """
    configured = conf.queues()
    found: dict[str, dict[str, Any]] = {}
    for server in servers_of(configured.values()):
        found |= _of_server(server)
    # The index is the position among the sorted names, as in django-rq's addresses.
    return {"queues": [found[name] | {"index": i} for i, name in enumerate(sorted(configured))]}


def _of_server(server: Server) -> dict[str, dict[str, Any]]:
    try:
        broker = server.broker
        options = _public_options(broker.client)
    except RQLiteError as exc:
        return {name: _row(name, {}, error=str(exc)) for name in server.queue_names}
    try:
        with broker.translate_errors():
            figures = Queries(broker).statistics(server.queue_names)
    except (RQLiteError, redis.RedisError) as exc:
        return {name: _row(name, options, error=str(exc)) for name in server.queue_names}
    return {
        queue.counts.name: _row(queue.counts.name, options, queue, figures.suspended)
        for queue in figures.queues
    }


def _row(
    name: str,
    options: Mapping[str, Any],
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
        "oldest_job_timestamp": _local_time(figures.oldest if figures else None),
        "index": 0,
        "connection_kwargs": copy.deepcopy(options),  # YAML would refer to a shared dictionary
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


def _local_time(moment: datetime | None) -> str:
    if moment is None:
        return NO_JOB
    try:
        return timezone.localtime(moment).strftime("%Y-%m-%d, %H:%M:%S")
    except OverflowError:
        return NO_JOB  # a date at the end of the calendar, written by another program


def _public_options(client: redis.Redis) -> dict[str, Any]:
    """The public options of a connection; host and port are those of the first sentinel."""
    pool = client.connection_pool
    options = dict(pool.connection_kwargs)
    if isinstance(pool, SentinelConnectionPool):
        options["service_name"] = pool.service_name
        addresses = [s.connection_pool.connection_kwargs for s in pool.sentinel_manager.sentinels]
        options["sentinels"] = [[each.get("host"), each.get("port")] for each in addresses]
        if addresses:
            options |= {"host": addresses[0].get("host"), "port": addresses[0].get("port")}
    return {key: options[key] for key in _PUBLIC_OPTIONS if options.get(key) is not None}
