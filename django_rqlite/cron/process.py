"""The process of ``manage.py rqcron``, which evaluates the cron entries of a file.

It proposes ticks as workers do, so any number of such processes may run. It registers itself as
``rq cron`` of RQ 2.12 does, so that RQ's tools and dashboards show it.
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
from ..broker.errors import translate_errors
from ..broker.outage import Outage
from ..broker.single_connection import disconnect, open_single_connection
from ..engine.engine import Engine
from ..exceptions import ConfigurationError
from ..process.signal_pipe import STOP_SIGNALS, SignalPipe
from ..process.subreaper import wait_for_orphans
from .cron_expression import CronExpression
from .entries import Entry
from .schedule import Interval
from .ticker import Ticker

logger = logging.getLogger("django_rqlite.worker")

#: Seconds for which the process stays registered without a heartbeat (RQ 2.12: rq/defaults.py).
TTL = 120

#: Seconds between two heartbeats.
HEARTBEAT_INTERVAL = 30.0

#: RQ's text for arguments that JSON cannot express (rq/utils.py).
NOT_JSON = "<not JSON serializable>"


class CronProcess:
    """Evaluates the entries of a file until it is asked to end.

    Args:
        entries: At least one. Their queues must be on one server.
        config_file: The file that they come from, for people.

    Raises:
        ConfigurationError: The queues are on several servers.
        RedisUnavailableError: Redis does not answer.
    """

    def __init__(self, entries: Sequence[Entry], config_file: str) -> None:
        client = _shared_client(entries)
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self._entries = entries
        self._config_file = config_file
        self._created_at = datetime.now(UTC)
        with translate_errors(client):
            self._connection = open_single_connection(client)
        broker = Broker(self._connection, Broker.of(client).prefix)
        self._engine = Engine(broker)
        self._ticker = Ticker(broker, entries)
        self._outage = Outage(describe(client), "No cron entry ticks; the process waits")
        self._signals = SignalPipe()
        self._beat_at = time.monotonic()

    def run(self) -> None:
        """Enqueue jobs at their ticks until SIGINT or SIGTERM. Main thread only.

        Raises:
            RedisUnavailableError: Redis does not answer at the start. Later, the process waits.
        """
        with translate_errors(self._connection):
            self._beat()
        self._signals.open()
        logger.info("rqcron %s: %d entries of %s", self.name, len(self._entries), self._config_file)
        for entry in self._entries:
            logger.info("rqcron: %s on %s, %s", entry.name, entry.queue, entry.schedule)
        with selectors.DefaultSelector() as selector:
            selector.register(self._signals.reader, selectors.EVENT_READ)
            while not self._stop_requested():
                self._run_due()
                selector.select(self._seconds_to_next())
        self._close()

    def _stop_requested(self) -> bool:
        numbers = self._signals.read()
        if signal.SIGCHLD in numbers:
            wait_for_orphans(own=())
        stops = [number for number in numbers if number in STOP_SIGNALS]
        for number in stops[:1]:
            logger.info("rqcron %s: got %s, quitting", self.name, signal.Signals(number).name)
        return bool(stops)

    def _seconds_to_next(self) -> float:
        """Return the seconds until something is due."""
        wanted = self._outage.retry_at or min(self._beat_at, self._ticker.due_at or self._beat_at)
        return max(0.0, wanted - time.monotonic())

    def _run_due(self) -> None:
        if self._outage.retry_at is not None and time.monotonic() < self._outage.retry_at:
            return
        try:
            if self._ticker.tick_if_due() or time.monotonic() >= self._beat_at:
                self._beat()
        except (redis.RedisError, OSError) as exc:
            disconnect(self._connection)
            self._outage.note_failure(exc)
        else:
            self._outage.note_success()

    def _close(self) -> None:
        try:
            self._engine.unregister_cron_scheduler(self.name)
        except redis.RedisError as exc:
            logger.warning(
                "rqcron %s: could not be unregistered (%s). It stays in the list of schedulers for "
                "up to %d s.",
                self.name,
                exc,
                TTL,
            )
        disconnect(self._connection)
        self._signals.close()

    def _beat(self) -> None:
        self._engine.register_cron_scheduler(
            self.name,
            {
                "hostname": socket.gethostname(),
                "pid": os.getpid(),
                "name": self.name,
                "created_at": _timestamp(self._created_at.timestamp()),
                "config_file": self._config_file,
                "cron_jobs": json.dumps([self._to_rq(entry) for entry in self._entries]),
            },
            ttl=TTL,
        )
        self._beat_at = time.monotonic() + HEARTBEAT_INTERVAL

    def _to_rq(self, entry: Entry) -> Mapping[str, Any]:
        """Return an entry as RQ 2.12 stores it (rq/cron.py: ``CronJob.to_dict``)."""
        schedule, options = entry.schedule, entry.options
        last = self._ticker.last_ticks.get(entry.name)
        upcoming = schedule.following(int(self._ticker.server_time))
        fields = {
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
        fields |= {
            name: options[name] for name in ("result_ttl", "ttl", "failure_ttl") if name in options
        }
        if "timeout" in options:
            fields["job_timeout"] = options["timeout"]
        if "meta" in options:
            fields["meta"] = _json(dict(options["meta"]))
        return fields


def _shared_client(entries: Sequence[Entry]) -> redis.Redis:
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
    """Format a time as RQ 2.12 parses it in this field, with microseconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
