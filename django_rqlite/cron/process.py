"""What ``manage.py rqcron`` runs: a process of its own for the entries of a file.

It proposes ticks as workers do, so any number of them may run. It is listed as RQ 2.12 lists its
``rq cron``, so that RQ's tools and dashboards show it.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import redis

from .. import conf
from ..broker.address import describe
from ..broker.broker import Broker
from ..broker.clients import connection_for
from ..broker.errors import is_transient, translate_errors
from ..broker.outage import Outage
from ..broker.single_connection import disconnect, open_single_connection
from ..engine.engine import Engine
from ..exceptions import ConfigurationError
from ..process.signal_pipe import STOP, SignalPipe
from ..process.subreaper import wait_for_orphans
from .cron_expression import CronExpression
from .entries import Entry
from .schedule import Interval
from .ticker import Ticker

logger = logging.getLogger("django_rqlite.worker")

#: Seconds for which the process stays listed without a heartbeat (RQ 2.12: rq/defaults.py).
LISTED = 120

#: Seconds between two heartbeats.
BEAT = 30.0

#: What RQ shows for arguments that are no JSON (rq/utils.py).
NOT_JSON = "<not JSON serializable>"


class CronProcess:
    """Evaluates the entries of a file until it is asked to end.

    Args:
        entries: at least one; their queues must be on one server.
        config_file: what is shown as their source.

    Raises:
        ConfigurationError: the queues are on several servers.
        RedisUnavailableError: Redis does not answer.
    """

    def __init__(self, entries: Sequence[Entry], config_file: str) -> None:
        client = _one_client(entries)
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self._entries = entries
        self._config_file = config_file
        self._created_at = datetime.now(UTC)
        with translate_errors(client):
            self._link = open_single_connection(client)
        broker = Broker(self._link, Broker.of(client).prefix)
        self._arrows = Engine(broker)
        self._ticker = Ticker(broker, entries, is_transient)
        self._outage = Outage(describe(client), "No cron entry ticks; the process waits")
        self._signals = SignalPipe()
        self._beat_at = time.monotonic()

    def run(self) -> None:
        """Enqueue what is due until SIGINT or SIGTERM. Main thread only.

        Raises:
            RedisUnavailableError: Redis did not answer at the start. Later it is waited for.
        """
        with translate_errors(self._link):
            self._beat()
        self._signals.open()
        logger.info("rqcron %s: %d entries of %s", self.name, len(self._entries), self._config_file)
        for entry in self._entries:
            logger.info("rqcron: %s on %s, %s", entry.name, entry.queue, entry.schedule)
        with selectors.DefaultSelector() as selector:
            selector.register(self._signals.reader, selectors.EVENT_READ)
            while not self._asked_to_end():
                self._converse()
                selector.select(self._pause())
        self._close()

    def _asked_to_end(self) -> bool:
        heard = self._signals.read()
        if signal.SIGCHLD in heard:
            wait_for_orphans(own=())
        asked = [number for number in heard if number in STOP]
        for number in asked[:1]:
            logger.info("rqcron %s: got %s, quitting", self.name, signal.Signals(number).name)
        return bool(asked)

    def _pause(self) -> float:
        """Seconds until there is something to do."""
        wanted = self._outage.retry_at or min(self._beat_at, self._ticker.due_at or self._beat_at)
        return max(0.0, wanted - time.monotonic())

    def _converse(self) -> None:
        if self._outage.retry_at is not None and time.monotonic() < self._outage.retry_at:
            return
        try:
            if self._ticker.tick_if_due() or time.monotonic() >= self._beat_at:
                self._beat()
        except (redis.RedisError, OSError) as exc:
            disconnect(self._link)
            self._outage.note(exc)
        else:
            self._outage.over()

    def _close(self) -> None:
        try:
            self._arrows.unregister_cron_scheduler(self.name)
        except redis.RedisError as exc:
            logger.warning(
                "rqcron %s: could not say good-bye to Redis (%s); it stays listed for up to %d s.",
                self.name,
                exc,
                LISTED,
            )
        disconnect(self._link)
        self._signals.close()

    def _beat(self) -> None:
        self._arrows.register_cron_scheduler(
            self.name,
            {
                "hostname": socket.gethostname(),
                "pid": os.getpid(),
                "name": self.name,
                "created_at": _timestamp(self._created_at.timestamp()),
                "config_file": self._config_file,
                "cron_jobs": json.dumps([self._shown(entry) for entry in self._entries]),
            },
            ttl=LISTED,
        )
        self._beat_at = time.monotonic() + BEAT

    def _shown(self, entry: Entry) -> Mapping[str, Any]:
        """An entry as RQ 2.12 stores it (rq/cron.py: ``CronJob.to_dict``)."""
        schedule, options = entry.schedule, entry.options
        last = self._ticker.last_ticks.get(entry.name)
        upcoming = schedule.following(int(self._ticker.server_time))
        shown = {
            "func_name": entry.func_name,
            "name": entry.name,
            "queue_name": entry.queue,
            "args": _json(list(entry.args)) if entry.args else None,
            "kwargs": _json(dict(entry.kwargs)) if entry.kwargs else None,
            "interval": schedule.seconds if isinstance(schedule, Interval) else None,
            "cron": schedule.expression if isinstance(schedule, CronExpression) else None,
            "latest_enqueue_time": None if last is None else _timestamp(last),
            "next_enqueue_time": _timestamp(upcoming),
        }
        shown |= {
            name: options[name] for name in ("result_ttl", "ttl", "failure_ttl") if name in options
        }
        if "timeout" in options:
            shown["job_timeout"] = options["timeout"]
        if "meta" in options:
            shown["meta"] = _json(dict(options["meta"]))
        return shown


def _one_client(entries: Sequence[Entry]) -> redis.Redis:
    first = entries[0]
    client = connection_for(conf.queue(first.queue))
    for entry in entries:
        other = connection_for(conf.queue(entry.queue))
        if other is not client:
            raise ConfigurationError(
                f"The entries {first.name!r} (queue {first.queue!r}, {describe(client)}) and "
                f"{entry.name!r} (queue {entry.queue!r}, {describe(other)}) are for queues of "
                "different servers or KEY_PREFIXes. Give each server a file and an rqcron of its "
                "own."
            )
    return client


def _json(value: object) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return NOT_JSON


def _timestamp(moment: float) -> str:
    """As RQ 2.12 parses it here, with microseconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
