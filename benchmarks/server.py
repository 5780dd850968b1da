"""The Valkey server that everybody is measured with, and what it has counted."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import redis

from django_rqlite.broker import embedded

from .failure import StepFailed
from .guardian import MARK
from .processes import Started

if TYPE_CHECKING:
    from redis.client import Pipeline

#: Seconds in which it must answer after its start.
_PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Counted:
    """What others than the runner have had the server do, up to a moment."""

    #: Requests that it read: one for each round trip, however many commands are in it. What a
    #: script calls is no request. One of more than 16 KiB counts as several.
    requests: int
    #: Seconds of its main thread.
    cpu: float


class Transport(StrEnum):
    """How everybody reaches the server."""

    TCP = "tcp"
    UNIX = "unix"


class Server:
    """A server without persistence, in a folder of its own, for this machine only."""

    def __init__(self, transport: Transport) -> None:
        # Not below the repository: the path of a unix socket must be short.
        self._folder = tempfile.TemporaryDirectory(prefix="rqbench-")
        self.folder = Path(self._folder.name)
        if transport is Transport.TCP:
            port = _free_port()
            self.url = embedded.server_url(port=port)
            command = embedded.server_command(self.folder, port=port, append_only=False)
        else:
            path = self.folder / "valkey.sock"
            self.url = embedded.server_url(socket=path)
            command = embedded.server_command(self.folder, socket=path, append_only=False)
        self._process = Started(command, MARK, self.folder / "valkey.log")
        self._asked = 0
        self.client = redis.Redis.from_url(self.url, protocol=2)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self.client.close()
        self._process.kill()
        self._folder.cleanup()

    @property
    def version(self) -> str:
        info = self._info("server")
        name = info.get("server_name", "redis")
        return f"{name.capitalize()} {info.get(f'{name}_version', info['redis_version'])}"

    def empty(self) -> None:
        """Delete everything, now."""
        self._asked += 1
        self.client.flushall()

    def ask(self, question: Callable[[Pipeline], object]) -> list[Any]:
        """The answers to some commands, in one round trip of the runner's own."""
        pipeline = self.client.pipeline(transaction=False)
        question(pipeline)
        self._asked += 1
        return pipeline.execute()

    def counted(self) -> Counted:
        """What it has counted so far, without what the runner asked."""
        info = self._info("everything")
        # The end of a connection is read like a request.
        ended = info["total_connections_received"] - info["connected_clients"]
        requests = info["total_reads_processed"] - self._asked - ended
        cpu = info["used_cpu_user_main_thread"] + info["used_cpu_sys_main_thread"]
        return Counted(requests, cpu)

    def bytes_used(self) -> int:
        """Bytes of all keys and what the server needs to keep them; clients do not count."""
        # It moves to larger tables bit by bit and holds both until it has.
        time.sleep(0.3)
        info = self._info("memory")
        return int(info["used_memory"] - info["mem_clients_normal"])

    def _info(self, section: str) -> dict[str, Any]:
        self._asked += 1
        return dict(self.client.info(section))

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            if self._process.ended or time.monotonic() > deadline:
                raise StepFailed(f"Valkey did not start: {self._process.last_words()}")
            try:
                self.client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                # From here on, every request of the runner is counted.
                self._asked = self._info("stats")["total_reads_processed"]
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((embedded.LOOPBACK, 0))
        return int(probe.getsockname()[1])
