"""The Valkey server of the contestants, and its counters."""

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

from .cleanup import MARK
from .exceptions import MeasurementError
from .processes import ManagedProcess

if TYPE_CHECKING:
    from redis.client import Pipeline

#: Seconds in which the server must answer after its start.
_START_TIMEOUT = 20


@dataclass(frozen=True, slots=True)
class Counters:
    """What the server has done for others than the benchmark itself, since its start."""

    #: Requests that the server read: one for each round trip, with any number of commands. Commands
    #: of a script do not count. A request of more than 16 KiB counts as several.
    requests: int
    #: CPU seconds of its main thread.
    cpu: float


class Transport(StrEnum):
    """How contestants connect to the server."""

    TCP = "tcp"
    UNIX = "unix"


class Server:
    """A server without persistence, in a folder of its own, which only this machine can reach."""

    def __init__(self, transport: Transport) -> None:
        # Not inside the repository, because the path of a unix socket must be short.
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
        self._process = ManagedProcess(command, MARK, self.folder / "valkey.log")
        self._own_requests = 0
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
        """Delete all keys."""
        self._own_requests += 1
        self.client.flushall()

    def query(self, add_commands: Callable[[Pipeline], object]) -> list[Any]:
        """The answers to some commands, in one round trip that :meth:`counters` leaves out."""
        pipeline = self.client.pipeline(transaction=False)
        add_commands(pipeline)
        self._own_requests += 1
        return pipeline.execute()

    def counters(self) -> Counters:
        """The counters, without the requests of this object."""
        info = self._info("everything")
        # The server counts the end of a connection as a read.
        ended = info["total_connections_received"] - info["connected_clients"]
        requests = info["total_reads_processed"] - self._own_requests - ended
        cpu = info["used_cpu_user_main_thread"] + info["used_cpu_sys_main_thread"]
        return Counters(requests, cpu)

    def bytes_used(self) -> int:
        """Bytes of all keys and of what the server needs to keep them, without clients' buffers."""
        # The server moves to larger hash tables in steps, and holds both tables meanwhile.
        time.sleep(0.3)
        info = self._info("memory")
        return int(info["used_memory"] - info["mem_clients_normal"])

    def _info(self, section: str) -> dict[str, Any]:
        self._own_requests += 1
        return dict(self.client.info(section))

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while True:
            if self._process.ended or time.monotonic() > deadline:
                raise MeasurementError(f"Valkey did not start: {self._process.last_words()}")
            try:
                self.client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                # From here on, this object counts its own requests.
                self._own_requests = self._info("stats")["total_reads_processed"]
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((embedded.LOOPBACK, 0))
        return int(probe.getsockname()[1])
