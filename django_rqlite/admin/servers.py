"""The configured servers, and which of them has a queue, a job, a cron entry or a worker.

Addresses name a server by one of its queues (``?on=<queue>``). If they do not, all are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import redis
from django.utils.translation import gettext as _

from .. import conf
from ..broker.broker import Broker
from ..broker.servers import Server, servers_of
from ..exceptions import ConfigurationError
from ..protocol.cron_records import CronRecord
from ..protocol.keys import DEFAULT_PREFIX
from ..protocol.stored_worker import WorkerRecord
from ..queries.queries import Queries
from ..queries.snapshots import ExpiredWorker, QueueCounts
from .errors import NotFound, Unavailable
from .formatting import shortened

_Found = TypeVar("_Found")


@contextmanager
def connected(server: Server) -> Iterator[Broker]:
    """Yield the broker of a server to a block that sends commands to it.

    Raises:
        Unavailable: The server does not answer, or its settings cannot be used.
    """
    try:
        broker = server.broker
        with broker.translate_errors():
            yield broker
    except (ConfigurationError, redis.RedisError, OSError, UnicodeError) as exc:
        raise Unavailable(str(exc)) from exc


def address_of(server: Server) -> str:
    """The address of a server for people; ``''`` if its settings cannot be used."""
    try:
        broker = server.broker
    except ConfigurationError:
        return ""
    prefix = broker.prefix
    return broker.address if prefix == DEFAULT_PREFIX else f"{broker.address} ({prefix}…)"


def all_servers() -> list[Server]:
    """Every server, in the order of the settings.

    Raises:
        Unavailable: ``RQ_QUEUES`` cannot be used.
    """
    try:
        return servers_of(conf.queues().values())
    except ConfigurationError as exc:
        raise Unavailable(str(exc)) from exc


def candidates(on: str | None, queue: str | None = None) -> list[Server]:
    """The servers to look on.

    Args:
        on: A configured queue of the server, as the address names it; None: not given.
        queue: A queue to look for. If ``on`` is None, the servers on which it is configured are
            preferred.

    Raises:
        NotFound: ``on`` is not a configured queue.
        Unavailable: ``RQ_QUEUES`` cannot be used.
    """
    servers = all_servers()
    if on is None:
        return [s for s in servers if queue is not None and s.has_queue(queue)] or servers
    chosen = [server for server in servers if server.has_queue(on)]
    if not chosen:
        raise NotFound(
            _("RQ_QUEUES has no queue “%(name)s”, so it names no server.") % {"name": on}
        )
    return chosen


def find_queue(on: str | None, name: str) -> tuple[Server, QueueCounts]:
    """Find a queue that is configured, or that any server knows.

    Raises:
        NotFound: There is no such queue.
        Unavailable: It was not found, and a server could not be asked.
    """

    def look(server: Server, queries: Queries) -> QueueCounts | None:
        counts = queries.counts([name])[0]
        known = server.has_queue(name)
        if known or counts.listed or counts.workers or any(counts.places.values()):
            return counts
        return None

    missing = _(
        "There is no such queue: it is not in RQ_QUEUES, and nothing was ever enqueued to it."
    )
    return _first(candidates(on, name), look, missing)


def find_job(
    on: str | None, job_id: str, look: Callable[[Queries], _Found | None]
) -> tuple[Server, _Found]:
    """Find a job; ``look`` reads as much of it as is needed.

    Raises:
        NotFound: There is no such job.
        Unavailable: It was not found, and a server could not be asked.
    """
    missing = _("There is no job “%(id)s”: it has expired, was deleted, or never existed.") % {
        "id": shortened(job_id, 200)
    }
    return _first(candidates(on), lambda _server, queries: look(queries), missing)


def find_entry(on: str | None, name: str) -> tuple[Server, CronRecord]:
    """Find the record of a cron entry.

    Raises:
        NotFound: There is no such entry.
        Unavailable: It was not found, and a server could not be asked.
    """
    missing = _(
        "There is no cron entry “%(name)s”: no worker has evaluated it in the last month."
    ) % {"name": shortened(name, 200)}
    return _first(candidates(on), lambda _server, queries: queries.cron_entry(name), missing)


def find_worker(on: str | None, name: str) -> tuple[Server, WorkerRecord | ExpiredWorker]:
    """Find the record of a worker, or a registered name whose record has expired.

    Raises:
        NotFound: There is no such worker.
        Unavailable: It was not found, and a server could not be asked.
    """
    missing = _("There is no worker “%(name)s”: it has ended, or never existed.") % {
        "name": shortened(name, 200)
    }
    return _first(candidates(on), lambda _server, queries: queries.worker(name), missing)


def _first(
    servers: Sequence[Server], look: Callable[[Server, Queries], _Found | None], missing: str
) -> tuple[Server, _Found]:
    """The first server on which ``look`` finds something, and what it finds.

    Raises:
        NotFound: No server has it. The text is ``missing``.
        Unavailable: It was not found, and some of them could not be asked.
    """
    errors = []
    for server in servers:
        try:
            with connected(server) as broker:
                found = look(server, Queries(broker))
        except Unavailable as error:
            errors.append(str(error))
            continue
        if found is not None:
            return server, found
    if errors:
        raise Unavailable(" ".join(errors))
    raise NotFound(missing)
