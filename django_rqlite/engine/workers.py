"""Scripts for the records of workers, and commands to workers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import redis

from ..broker.address import database_number
from ..protocol.codec import decode
from . import wrong_type_keys
from .base import EngineBase, flat
from .scripts import Argument, Script
from .values import Hold, Owner
from .wrong_type_keys import WrongTypeKey

_register_worker = Script("register_worker")
_unregister_worker = Script("unregister_worker")
_heartbeat = Script("heartbeat")
_clean_worker_registry = Script("clean_worker_registry")

#: Seconds for which the record of an ended worker is kept (RQ 2.12: rq/worker/base.py).
DEAD_WORKER_TTL = 60

#: How many names of workers one call checks, chosen at random: of all workers, and of each queue.
SOME_WORKERS = 100
SOME_OF_A_QUEUE = 10

#: The maximum number of queues, leases of each queue, and leases in total that one call reads to
#: see which dead workers still hold jobs.
MOST_QUEUES = 100
MOST_LEASES_OF_A_QUEUE = 100
MOST_LEASES = 1000


class WorkerScripts(EngineBase):
    """Scripts for the records of workers, and commands to workers."""

    __slots__ = ()

    def register_worker(
        self,
        name: str,
        queues: Sequence[str],
        fields: Mapping[str, Argument],
        *,
        hostname: str,
        pid: int,
        ttl: int,
        silence: int,
        dead: str = "",
    ) -> Owner | None:
        """Register a worker.

        Args:
            ttl: seconds for which the record is kept without a heartbeat.
            silence: seconds without a heartbeat after which one of our workers counts as dead.
            dead: the instance of a worker on this host that is known to be dead, or its process id
                if its record has no instance.

        Returns:
            None, or the live worker that already has the name.
        """
        answer = _register_worker(
            self.connection,
            (self.keys.worker(name),),
            (
                self.prefix,
                name,
                ttl,
                hostname,
                pid,
                dead,
                silence,
                len(queues),
                *queues,
                *flat(fields),
            ),
        )
        return Owner(*map(decode, answer)) if answer else None

    def unregister_worker(self, name: str, queues: Sequence[str], instance: str = "") -> None:
        """Unregister a worker that ends.

        Args:
            instance: the worker's instance. The record of another worker is left alone.
        """
        keys = (self.keys.worker(name),)
        _unregister_worker(self.connection, keys, (self.prefix, DEAD_WORKER_TTL, instance, *queues))

    def clean_worker_registry(self, *queues: str) -> int:
        """Unregister workers whose records have expired and that hold no job; return how many.

        It checks some names, chosen at random, and removes those of such workers from the sets of
        these queues and of some others.
        """
        looked_at = (SOME_WORKERS, SOME_OF_A_QUEUE, MOST_QUEUES)
        leases = (MOST_LEASES_OF_A_QUEUE, MOST_LEASES)
        arguments: tuple[Argument, ...] = (self.prefix, *looked_at, *leases, *queues)
        return int(_clean_worker_registry(self.connection, (self.keys.workers,), arguments))

    def heartbeat(
        self,
        worker: str,
        state: str,
        running: Sequence[Hold],
        fields: Mapping[str, Argument] | None = None,
        *,
        ttl: int,
        lease: int,
        ending: bool = False,
        instance: str = "",
    ) -> tuple[bool, frozenset[str]]:
        """Renew a worker's record and the leases of the jobs that it runs.

        Args:
            fields: further fields of the record.
            ttl: seconds for which the record is kept.
            lease: seconds for which the executions hold their jobs.
            ending: whether the worker has been asked to end. The record keeps the time of the first
                such call.
            instance: the worker's instance. The record of another worker is left alone.

        Returns:
            whether the record exists, and the ids of the executions that have lost their jobs.
        """
        holds = [part for hold in running for part in (hold.job_id, hold.queue, hold.execution)]
        further = flat(fields or {})
        listed, lost = _heartbeat(
            self.connection,
            (self.keys.worker(worker),),
            (self.prefix, ttl, lease, state, int(ending), instance, len(further), *further, *holds),
        )
        return bool(listed), frozenset(map(decode, lost))

    def wrong_type_keys(
        self, queues: Sequence[str], hour: int, entries: Sequence[str]
    ) -> list[WrongTypeKey]:
        """The keys of these queues and cron entries that hold a value of the wrong type.

        Args:
            hour: the current hour, as unix seconds // 3600.
            entries: names of cron entries.
        """
        keys = self.keys
        types = wrong_type_keys.types_of_shared_keys(keys)
        types |= wrong_type_keys.types_of_places(keys, queues)
        types |= wrong_type_keys.types_beside_places(keys, queues, hour)
        types |= {keys.cron_entry(name): "hash" for name in entries}
        return wrong_type_keys.find(self.connection, types)

    def is_worker_alive(self, instance: str) -> bool:
        """Whether the worker with this instance is connected. True if the server does not say."""
        try:
            answer = self.connection.pubsub_numsub(self.keys.life_channel(instance))
        except redis.ResponseError:
            return True  # the user may not use this command
        return any(count for _, count in answer)

    def send_command(self, worker: str, command: str, **named: str) -> bool:
        """Publish one of RQ's commands to a worker; return whether anyone is subscribed.

        All databases of a server share its channels, so the message names the database. RQ's
        workers ignore that.

        Args:
            command: ``'stop-job'``, ``'kill-horse'`` or ``'shutdown'``.
            named: further entries of the message: ``job_id`` for ``'stop-job'``; ``by``, the name
                of the sender, is stored with a stopped job.
        """
        database = database_number(self.connection)
        message = json.dumps({"command": command, "x_database": database, **named})
        return bool(self.connection.publish(self.keys.commands_channel(worker), message))
