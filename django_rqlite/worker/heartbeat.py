"""The worker's record in Redis: its registration, its heartbeats and its end."""

from __future__ import annotations

import logging
import os
import platform
import socket
from collections.abc import Callable, Sequence

from ..engine.engine import Engine, Hold, Owner
from ..exceptions import WorkerNameTakenError
from ..process.identity import lives, own_identity
from ..process.memory import resident
from ..version import VERSION
from .worker_name import WorkerName

logger = logging.getLogger("django_rqlite.worker")

#: Seconds that a record outlives its heartbeats beyond ``worker_ttl`` (RQ 2.12: 420 + 60).
RECORD_SLACK = 60


class Heartbeat:
    """The record of one worker.

    Args:
        worker: The name to register. Another default name replaces it if a live worker has it.
        instance: Distinguishes this worker from all others that ever had its name.
        worker_ttl: Seconds for which the record stays without a heartbeat, plus a slack.
        lease: Seconds for which a job stays claimed without a heartbeat.
        concurrency: How many jobs run at once, for people to see.
    """

    def __init__(
        self,
        engine: Engine,
        worker: WorkerName,
        queues: Sequence[str],
        *,
        instance: str,
        worker_ttl: int,
        lease: int,
        concurrency: int = 1,
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._instance = instance
        self._queues = queues
        self._ttl = worker_ttl + RECORD_SLACK
        self._lease = lease
        self._concurrency = concurrency

    def register(self, on_rename: Callable[[], object] = lambda: None) -> None:
        """Register the worker. It takes over the record of a dead worker with its name.

        Before this call, the worker must have subscribed to its life channel, so that others see
        that it is alive.

        Args:
            on_rename: Called when the name has changed, before the new one is registered.

        Raises:
            WorkerNameTakenError: A live worker has the name, and the user chose it.
            redis.RedisError: The server does not answer.
        """
        while True:
            try:
                self._register_name()
                return
            except WorkerNameTakenError:
                taken = self._worker.value
                if not self._worker.change():
                    raise
                logger.info(
                    "Worker %s: a live worker of the same host name and process id has the name "
                    "%s.",
                    self._worker,
                    taken,
                )
                on_rename()

    def _register_name(self) -> None:
        hostname = socket.gethostname()
        owner = self._try_to_register(hostname)
        if owner and owner.hostname == hostname and not self._lives(owner):
            # The script replaces the record only if it is still that owner's.
            owner = self._try_to_register(hostname, dead=owner.instance or owner.pid)
        if owner is None:
            return
        raise WorkerNameTakenError(
            f"A worker named {self._worker.value!r} is already running: process "
            f"{owner.pid or '?'} on {owner.hostname or '?'}, last heartbeat at "
            f"{owner.last_heartbeat or '?'}. Give this "
            "one another --name, or stop the other. If it has died there, its record expires "
            f"within {self._ttl} s."
        )

    def _lives(self, owner: Owner) -> bool:
        """Return whether the owner of a record that names this host is alive.

        Another machine may have the same host name.
        """
        if not owner.instance:
            # RQ's worker. Its record has a process id, and no life channel.
            return owner.pid != str(os.getpid()) and _process_exists(owner.pid)
        if owner.instance == self._instance or (owner.process and owner.process == own_identity()):
            return False  # left behind by this process, which runs one worker at a time
        known = lives(owner.process)
        return self._engine.is_worker_alive(owner.instance) if known is None else known

    def _try_to_register(self, hostname: str, dead: str = "") -> Owner | None:
        return self._engine.register_worker(
            self._worker.value,
            self._queues,
            {
                "queues": ",".join(self._queues),
                "version": f"django_rqlite {VERSION}",
                "python_version": platform.python_version(),
                "x_lease": self._lease,
                "x_concurrency": self._concurrency,
                "x_instance": self._instance,
                "x_process": own_identity(),
                "x_memory": resident(),
            },
            hostname=hostname,
            pid=os.getpid(),
            ttl=self._ttl,
            silence=2 * self._lease,
            dead=dead,
        )

    def beat(
        self,
        running: Sequence[Hold],
        *,
        suspended: bool,
        ending: bool = False,
        child_memory: int = 0,
    ) -> tuple[bool, frozenset[str]]:
        """Send a heartbeat, and renew the leases of the running jobs.

        Args:
            suspended: Whether the worker may not take jobs.
            ending: Whether it was asked to end, and so takes no more jobs either.
            child_memory: Peak memory, in bytes, of the process of the last job; 0: not known.

        Returns:
            Whether the worker is still registered, and the executions that have lost their jobs. It
            is not registered if the server was flushed or came back without the record, or if
            another worker took the record over while this one sent no heartbeats.

        Raises:
            redis.RedisError: The server does not answer.
        """
        listed, lost = self._engine.heartbeat(
            self._worker.value,
            "busy" if running else "suspended" if suspended else "idle",
            running,
            {"x_memory": resident()} | ({"x_child_memory": child_memory} if child_memory else {}),
            ttl=self._ttl,
            lease=self._lease,
            ending=ending,
            instance=self._instance,
        )
        return listed, lost

    def hold(self, hold: Hold, seconds: int) -> None:
        """Keep a job claimed, and the worker registered, for some time without a heartbeat.

        Raises:
            redis.RedisError: The server does not answer.
        """
        self._engine.heartbeat(
            self._worker.value,
            "busy",
            [hold],
            ttl=max(self._ttl, seconds),
            lease=seconds,
            instance=self._instance,
        )

    def retire(self) -> None:
        """Unregister the worker."""
        self._engine.unregister_worker(self._worker.value, self._queues, self._instance)


def _process_exists(pid: str) -> bool:
    if not (pid.isascii() and pid.isdigit() and len(pid) < 20):
        return True  # unknown
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # another user's
    return True
