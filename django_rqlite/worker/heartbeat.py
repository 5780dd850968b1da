"""The worker's record in Redis: who it is, that it lives, what it does."""

from __future__ import annotations

import os
import platform
import socket
import uuid
from collections.abc import Sequence

from ..engine.engine import Engine, Hold, Owner
from ..exceptions import WorkerNameTakenError
from ..process.identity import lives, own_identity
from ..process.memory import resident
from ..version import VERSION

#: Seconds that a record outlives its heartbeats beside ``worker_ttl`` (RQ 2.12: 420 + 60).
RECORD_SLACK = 60


def default_name() -> str:
    """``<host>.<pid>``, as RQ 0.5 names its workers."""
    return f"{socket.gethostname().partition('.')[0]}.{os.getpid()}"


def another_name() -> str:
    """A name for a worker whose default name another one bears: in containers of one host name
    each is process 1."""
    return f"{default_name()}.{uuid.uuid4().hex[:6]}"


class Heartbeat:
    """One worker's record.

    Args:
        instance: tells this worker from all others that ever bore its name.
        worker_ttl: seconds for which the record stays without a heartbeat, beside a slack.
        lease: seconds for which a job is held without a heartbeat.
        concurrency: how many jobs it runs at once, for people to see.
    """

    def __init__(
        self,
        transitions: Engine,
        name: str,
        queues: Sequence[str],
        *,
        instance: str,
        worker_ttl: int,
        lease: int,
        concurrency: int = 1,
    ) -> None:
        self._engine = transitions
        self.name = name
        self._instance = instance
        self._queues = queues
        self._ttl = worker_ttl + RECORD_SLACK
        self._lease = lease
        self._concurrency = concurrency

    def register(self) -> None:
        """Be listed, taking over the record of a dead worker of the same name.

        By then this worker must be subscribed to its life channel: that is how others tell that it
        lives.

        Raises:
            WorkerNameTakenError: a live worker bears the name.
            redis.RedisError: the server does not answer.
        """
        hostname = socket.gethostname()
        owner = self._try_to_register(hostname)
        if owner and owner.hostname == hostname and not self._lives(owner):
            # The script looks again whether it is still the same one.
            owner = self._try_to_register(hostname, dead=owner.instance or owner.pid)
        if owner is None:
            return
        raise WorkerNameTakenError(
            f"A worker named {self.name!r} lives already: process {owner.pid or '?'} on "
            f"{owner.hostname or '?'}, last heard of at {owner.last_heartbeat or '?'}. Give this "
            "one another --name, or stop the other. If it died there, its record goes away by "
            f"itself within {self._ttl} s."
        )

    def _lives(self, owner: Owner) -> bool:
        """Whether a worker that gives this host's name lives; other machines may bear that too."""
        if not owner.instance:
            # RQ's. Its process id is all there is to know of it.
            return owner.pid != str(os.getpid()) and _alive(owner.pid)
        if owner.instance == self._instance or (owner.process and owner.process == own_identity()):
            return False  # left there by this process, which has one worker at a time
        known = lives(owner.process)
        return self._engine.is_worker_alive(owner.instance) if known is None else known

    def _try_to_register(self, hostname: str, dead: str = "") -> Owner | None:
        return self._engine.register_worker(
            self.name,
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
        """Say that the worker lives, and renew the leases of its jobs.

        Args:
            suspended: whether it may not take more.
            ending: whether it has been asked to end, and takes no more either.
            child_memory: bytes that the process of the last job has used at the most; 0: not known.

        Returns:
            whether the worker is still listed, and the executions that lost their jobs. It is not
            where the server was flushed, came back without the record, or let another worker take
            that over while this one was silent.

        Raises:
            redis.RedisError: the server does not answer.
        """
        listed, lost = self._engine.heartbeat(
            self.name,
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
        """Hold a job without a heartbeat for so long, and stay listed as well.

        Raises:
            redis.RedisError: the server does not answer.
        """
        self._engine.heartbeat(
            self.name,
            "busy",
            [hold],
            ttl=max(self._ttl, seconds),
            lease=seconds,
            instance=self._instance,
        )

    def retire(self) -> None:
        """Be listed no longer."""
        self._engine.unregister_worker(self.name, self._queues, self._instance)


def _alive(pid: str) -> bool:
    if not (pid.isascii() and pid.isdigit() and len(pid) < 20):
        return True  # who knows
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # of another user
    return True
