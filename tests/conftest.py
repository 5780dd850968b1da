"""What the tests share: a Valkey server for each process that pytest divides the tests among.

``RQ_TEST_URL=redis://localhost:6379/9 pytest`` uses that server instead and empties its database
before each test. ``RQ_TEST_SERVER=redis-server pytest`` starts that program instead of Valkey.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis as redis_py
from django.conf import settings
from django.core.signals import setting_changed
from redis.connection import AbstractConnection

from django_rqlite.broker import embedded
from tests import process_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.postgresql import PostgreSQL

URL_VARIABLE = "RQ_TEST_URL"
PROGRAM_VARIABLE = "RQ_TEST_SERVER"


def wait_until(condition: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Return as soon as ``condition()`` is true; fail if it is not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.005)


@dataclass
class Server:
    """A running Redis or Valkey. ``process`` is ``None`` if it was there before the tests."""

    url: str
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    command: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, *, append_only: bool = False) -> Server:
        # Not pytest's own folder: its path is too long for a unix socket on some systems.
        folder = Path(tempfile.mkdtemp(prefix="rqlite-"))
        path = folder / "valkey.sock"
        command = embedded.server_command(folder, socket=path, append_only=append_only)
        command[0] = os.environ.get(PROGRAM_VARIABLE, command[0])
        server = cls(embedded.server_url(socket=path), folder, command=command)
        server.start_again()
        return server

    def start_again(self) -> None:
        """Start the process. It loads its log on disk, if it has one."""
        assert self.folder is not None
        log_path = self.folder / "log"
        with log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, start_new_session=True
            )
        try:
            wait_until(self.answers, f"{self.command[0]} answers PING")
        except BaseException:
            print(log_path.read_text())
            self.stop()
            raise

    def kill(self) -> None:
        """End the process as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def client(self) -> redis_py.Redis:
        """Return a new client of this server. It returns bytes."""
        return redis_py.Redis.from_url(self.url, protocol=2)

    def answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the server ended by itself with {self.process.returncode}")
        # Releases of redis-py before 5.1 leave a socket open if nobody listens.
        if self.folder is not None and not _listened_to(self.folder / "valkey.sock"):
            return False
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis_py.ConnectionError:
            return False  # also while it loads its log

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _listened_to(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


SERVER = pytest.StashKey[Server]()


def pytest_configure(config: pytest.Config) -> None:
    url = os.environ.get(URL_VARIABLE)
    if config.getoption("dist", "no") != "no":
        # This process runs no tests. Those that do come here with "no".
        if url:
            raise pytest.UsageError(f"{URL_VARIABLE} is one server, so run the tests with -n 0.")
        return
    if redis_py.__version__.startswith("5.0."):
        # It leaves the socket of a connection that could not be opened to the garbage collector.
        config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")
    # Before anything reads the settings, and in the environment for the processes to come.
    server = config.stash[SERVER] = Server(url) if url else Server.start()
    os.environ[URL_VARIABLE] = server.url
    for queue in settings.RQ_QUEUES.values():
        queue["URL"] = server.url
    # Something may have read them while Django was set up.
    setting_changed.send(sender=None, setting="RQ_QUEUES", value=settings.RQ_QUEUES, enter=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    process_server.close_servers()
    if server := config.stash.get(SERVER, None):
        server.stop()


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Server:
    """The server of ``RQ_QUEUES``."""
    return pytestconfig.stash[SERVER]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A server. Without PostgreSQL the tests are skipped, or fail if it is required."""
    from tests import postgresql  # needs what is in here

    if reason := postgresql.missing():
        if os.environ.get("RQ_TEST_POSTGRESQL") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    started = postgresql.PostgreSQL()
    try:
        started.run("CREATE TABLE auth_group (id serial PRIMARY KEY, name text)")
        yield started
    finally:
        started.remove()


@pytest.fixture
def redis(server: Server) -> Iterator[redis_py.Redis]:
    """A client of the server. The database is empty."""
    with server.client() as client:
        client.flushdb()
        yield client


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows by one with each message to a server."""
    sent: list[int] = []
    send = AbstractConnection.send_packed_command

    def counted(connection: Any, command: Any, *args: Any, **options: Any) -> Any:
        sent.append(1)
        return send(connection, command, *args, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    return sent
