"""How workers are listed, heard of and spoken to."""

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

#: Seconds that the record of a worker which has ended stays (RQ 2.12: rq/worker/base.py).
DEAD_WORKER_TTL = 60

#: Names of workers that one call looks at by chance: of all, and of each queue's.
SOME_WORKERS = 100
SOME_OF_A_QUEUE = 10

#: Queues, leases of each, and leases of all, that one call looks at to see what the dead hold.
MOST_QUEUES = 100
MOST_LEASES_OF_A_QUEUE = 100
MOST_LEASES = 1000


class WorkerScripts(EngineBase):
    """How workers are listed, heard of and spoken to."""

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
        """List a worker, or say who bears its name.

        Args:
            ttl: seconds for which the record stays without a heartbeat.
            silence: seconds without a heartbeat after which one of our records is dead.
            dead: instance of a record on this host that is known to be dead, or the process id of
                one without an instance.
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
        """Unlist a worker that ends; not another one that has taken over its record.

        Args:
            instance: of the worker.
        """
        keys = (self.keys.worker(name),)
        _unregister_worker(self.connection, keys, (self.prefix, DEAD_WORKER_TTL, instance, *queues))

    def clean_worker_registry(self, *queues: str) -> int:
        """Unlist workers whose records have expired and that hold nothing; returns how many.

        Some are looked at, by chance. They leave the sets of these queues, and of some others.
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
        """Renew a worker's record and the leases of what it runs. Times in seconds.

        Args:
            fields: what else the record is to say.
            ending: whether the worker has been asked to end; the record says since when.
            instance: of the worker, so that the record of another one is left alone.

        Returns:
            whether the record was there, and the executions that lost their jobs.
        """
        holds = [part for hold in running for part in (hold.job_id, hold.queue, hold.execution)]
        told = flat(fields or {})
        listed, lost = _heartbeat(
            self.connection,
            (self.keys.worker(worker),),
            (self.prefix, ttl, lease, state, int(ending), instance, len(told), *told, *holds),
        )
        return bool(listed), frozenset(map(decode, lost))

    def wrong_type_keys(
        self, queues: Sequence[str], hour: int, entries: Sequence[str]
    ) -> list[WrongTypeKey]:
        """Which keys that these queues and cron entries need hold something other than they should.

        Args:
            hour: unix seconds // 3600.
            entries: names of cron entries.
        """
        keys = self.keys
        types = wrong_type_keys.types_of_shared_keys(keys)
        types |= wrong_type_keys.types_of_places(keys, queues)
        types |= wrong_type_keys.types_beside_places(keys, queues, hour)
        types |= {keys.cron_entry(name): "hash" for name in entries}
        return wrong_type_keys.find(self.connection, types)

    def is_worker_alive(self, instance: str) -> bool:
        """Whether the worker that calls itself ``instance`` is connected, or may be."""
        try:
            answer = self.connection.pubsub_numsub(self.keys.life_channel(instance))
        except redis.ResponseError:
            return True  # not allowed to ask
        return any(count for _, count in answer)

    def send_command(self, worker: str, command: str, **named: str) -> bool:
        """Publish one of RQ's commands to a worker; whether anyone listened.

        Channels belong to all databases of a server, so the database is part of what is said. RQ's
        workers overlook that.

        Args:
            command: ``'stop-job'`` (of the job named ``job_id``), ``'kill-horse'`` or
                ``'shutdown'``.
            named: what else the message says: ``by``, the name of who sends it, is kept with a job
                that is stopped.
        """
        database = database_number(self.connection)
        message = json.dumps({"command": command, "x_database": database, **named})
        return bool(self.connection.publish(self.keys.commands_channel(worker), message))
