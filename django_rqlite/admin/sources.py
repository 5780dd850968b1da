"""Which queue is where, and what may go wrong on the way there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import redis
from django.utils.translation import gettext as _

from .. import conf
from ..broker.address import describe
from ..broker.broker import Broker
from ..broker.clients import connection_for
from ..broker.errors import translate_errors
from ..conf.settings import QueueConf
from ..engine.engine import Engine
from ..exceptions import ConfigurationError
from ..protocol.cron_records import CronRecord
from ..protocol.keys import DEFAULT_PREFIX
from ..protocol.records import WorkerRecord
from ..queries.cursor import PlaceCursor
from ..queries.job_search import JobSearch
from ..queries.queries import Queries
from ..queries.snapshots import ExpiredWorker, QueueCounts
from . import formatting as shown

_Found = TypeVar("_Found")


class Trouble(Exception):
    """Why a server can't be asked, in a sentence without secrets."""


class Gone(Exception):
    """What was asked for is not there, in a sentence."""


@dataclass(frozen=True, slots=True)
class Source:
    """The keys below one prefix on one server.

    Attributes:
        queues: the configured queues that are there, in the order of the settings.
        several: whether there are other sources, so that addresses must say which is meant.
    """

    queues: tuple[QueueConf, ...]
    several: bool

    @property
    def name(self) -> str:
        """What the source is called in addresses: the name of its first queue."""
        return self.queues[0].name

    def has(self, queue: str) -> bool:
        """Whether a queue of this name is configured here."""
        return any(conf.name == queue for conf in self.queues)

    @property
    def address(self) -> str:
        """For people; without user and password."""
        prefix = self.queues[0].key_prefix
        try:
            address = describe(self._connection)
        except ConfigurationError:
            return ""
        return address if prefix == DEFAULT_PREFIX else f"{address} ({prefix}…)"

    @property
    def queries(self) -> Queries:
        return Queries(Broker(self._connection, self.queues[0].key_prefix))

    @property
    def finder(self) -> JobSearch:
        return JobSearch(Broker(self._connection, self.queues[0].key_prefix))

    @property
    def walker(self) -> PlaceCursor:
        return PlaceCursor(Broker(self._connection, self.queues[0].key_prefix))

    @property
    def transitions(self) -> Engine:
        return Engine(Broker(self._connection, self.queues[0].key_prefix))

    @property
    def suspension(self) -> Engine:
        return Engine(Broker(self._connection, self.queues[0].key_prefix))

    @property
    def cron(self) -> Engine:
        return Engine(Broker(self._connection, self.queues[0].key_prefix))

    @property
    def _connection(self) -> redis.Redis:
        return connection_for(self.queues[0])

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Ask the server something.

        Raises:
            Trouble: it can't be asked.
        """
        try:
            with translate_errors(self._connection):
                yield
        except (ConfigurationError, redis.RedisError, OSError, UnicodeError) as exc:
            raise Trouble(str(exc)) from exc


def all_sources() -> list[Source]:
    """Every source, in the order of the settings.

    Raises:
        Trouble: ``RQ_QUEUES`` can't be used.
    """
    try:
        configured = conf.queues().values()
    except ConfigurationError as exc:
        raise Trouble(str(exc)) from exc
    groups: dict[object, list[QueueConf]] = {}
    for queue in configured:
        groups.setdefault((queue.connection, queue.key_prefix), []).append(queue)
    return [Source(tuple(queues), len(groups) > 1) for queues in groups.values()]


def candidates(on: str | None, queue: str | None = None) -> list[Source]:
    """The sources to look in.

    Args:
        on: the configured queue whose source is meant, as addresses say it.
        queue: the queue that is meant, where no address says more.

    Raises:
        Gone: there is no such source.
        Trouble: ``RQ_QUEUES`` can't be used.
    """
    sources = all_sources()
    if on is None:
        return [s for s in sources if any(conf.name == queue for conf in s.queues)] or sources
    chosen = [s for s in sources if s.has(on)]
    if not chosen:
        raise Gone(_("RQ_QUEUES has no queue “%(name)s”, so it names no server.") % {"name": on})
    return chosen


def first(
    sources: Sequence[Source], look: Callable[[Source], _Found | None], gone: str
) -> tuple[Source, _Found]:
    """The first source in which something is found, and what.

    Raises:
        Gone: it is in none of them; ``gone`` is the sentence.
        Trouble: it was not found, but not all of them could be asked.
    """
    troubles = []
    for source in sources:
        try:
            with source.asked():
                found = look(source)
        except Trouble as trouble:
            troubles.append(str(trouble))
            continue
        if found is not None:
            return source, found
    if troubles:
        raise Trouble(" ".join(troubles))
    raise Gone(gone)


def find_queue(on: str | None, name: str) -> tuple[Source, QueueCounts]:
    """A queue that is configured, or that any source knows.

    Raises:
        Gone: there is no such queue.
        Trouble: the server that has it, or may have it, can't be asked.
    """

    def look(source: Source) -> QueueCounts | None:
        counts = source.queries.counts([name])[0]
        known = source.has(name)
        if known or counts.listed or counts.workers or any(counts.places.values()):
            return counts
        return None

    gone = _("There is no such queue: it is not in RQ_QUEUES, and nothing was ever enqueued to it.")
    return first(candidates(on, name), look, gone)


def find_job(
    on: str | None, job_id: str, look: Callable[[Queries], _Found | None]
) -> tuple[Source, _Found]:
    """A job, as far as ``look`` reads it.

    Raises:
        Gone: there is no such job.
        Trouble: a server that may have it can't be asked.
    """
    gone = _("There is no job “%(id)s”: it has expired or was deleted, or never was.") % {
        "id": shown.shortened(job_id, 200)
    }
    return first(candidates(on), lambda source: look(source.queries), gone)


def find_entry(on: str | None, name: str) -> tuple[Source, CronRecord]:
    """A cron entry's record.

    Raises:
        Gone: there is no such entry.
        Trouble: a server that may have it can't be asked.
    """
    gone = _("There is no cron entry “%(name)s”: nobody has evaluated it in the last month.") % {
        "name": shown.shortened(name, 200)
    }
    return first(candidates(on), lambda source: source.queries.cron_entry(name), gone)


def find_worker(on: str | None, name: str) -> tuple[Source, WorkerRecord | ExpiredWorker]:
    """A worker's record, or that it has expired although the worker did not take its leave.

    Raises:
        Gone: there is no such worker.
        Trouble: a server that may have it can't be asked.
    """
    gone = _("There is no worker “%(name)s”: it ended, or it never was.") % {
        "name": shown.shortened(name, 200)
    }
    return first(candidates(on), lambda source: source.queries.worker(name), gone)
