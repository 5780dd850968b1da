"""``make demo``: runs a Valkey server, two workers and the site until Ctrl-C.

Environment variables: ``DEMO_PORT`` (8000), ``DEMO_FOLDER`` (``.demo/`` in the repository), and
``RQ_URL``, a Redis or Valkey server to use instead of starting one.
"""

from __future__ import annotations

import errno
import fcntl
import http.client
import os
import secrets
import signal
import socket
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import django
import redis
from django.core.management import call_command
from django.db import connections

from django_rqlite.broker import embedded
from supervisor import ChildEnded, NotReady, Stopped, Supervisor, say

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
WORKERS = 2
ADMIN = "admin"

# Children of higher stages end first: all others need the server.
SERVER, SITE, WORKER = 0, 1, 2
# Seconds that a worker gives its running job before it requeues it.
GRACE = 3
# Seconds that a process has to end before it is killed.
STOP_TIMEOUT = 10


class CannotStart(Exception):
    """The demo cannot start. The message says what to change."""


def main() -> int:
    """Run the demo and return its exit code."""
    try:
        port = chosen_port()
        folder = demo_folder()
        with only_demo_in(folder), socket_path(folder) as socket_file:
            run(port, folder, socket_file)
    except Stopped:
        say("Everything has ended.")
        return 0
    except (CannotStart, ChildEnded, NotReady) as error:
        say(str(error))
        return 1
    return 0


def run(port: int, folder: Path, socket_file: Path) -> None:
    """Start everything, print the addresses, and watch until Ctrl-C or the end of a child."""
    own_server = not os.environ.get("RQ_URL")
    if own_server:
        os.environ["RQ_URL"] = embedded.server_url(socket=socket_file)
    os.environ |= {
        "DEMO_FOLDER": str(folder),
        "DJANGO_SETTINGS_MODULE": "testproject.settings",
        "PYTHONUNBUFFERED": "1",
        "DJANGO_RUNSERVER_HIDE_WARNING": "true",
        # The workers fetch a page of the demo itself, which a proxy could not reach.
        "NO_PROXY": with_own_host(os.environ.get("NO_PROXY", "")),
        "no_proxy": with_own_host(os.environ.get("no_proxy", "")),
    }
    manage = [sys.executable, str(HERE / "manage.py")]
    with Supervisor(HERE, os.environ, STOP_TIMEOUT) as supervisor:
        if own_server:
            # SIGTERM also if the demo is killed, because the command has to end the server.
            supervisor.start(
                "valkey",
                [*manage, "rqserver", "-v0", "--folder", str(folder), "--socket", str(socket_file)],
                stage=SERVER,
                if_orphaned=signal.SIGTERM,
            )
            supervisor.wait_for(server_answers, "Valkey did not answer", 20)
        else:
            supervisor.wait_for(
                server_answers,
                "The server that RQ_URL names did not answer. Start it, or unset RQ_URL to let "
                "the demo start one",
                5,
            )
        password = prepare_database()
        for number in range(1, WORKERS + 1):
            supervisor.start(
                f"worker-{number}",
                [*manage, "rqworker", "--grace", str(GRACE)],
                stage=WORKER,
                if_orphaned=signal.SIGKILL,
            )
        supervisor.start(
            "site",
            [*manage, "runserver", "--noreload", f"{HOST}:{port}"],
            stage=SITE,
            if_orphaned=signal.SIGKILL,
        )
        supervisor.wait_for(lambda: site_answers(port), "The site did not answer", 30)
        print_addresses(port, password)
        supervisor.watch()


def chosen_port() -> int:
    """Return the port that ``DEMO_PORT`` names.

    Raises:
        CannotStart: it is not a port, or it is in use.
    """
    value = os.environ.get("DEMO_PORT") or "8000"
    if not (value.isdecimal() and 0 < int(value) < 65536):
        raise CannotStart(f"DEMO_PORT={value} is not a port. Choose a number, such as 8001.")
    port = int(value)
    with socket.socket() as probe:
        # Like the site's server, so that a demo that has just ended does not block the next.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
            raise CannotStart(
                f"Port {port} {reason}. Choose another: DEMO_PORT={port % 65535 + 1} make demo"
            ) from error
    return port


def demo_folder() -> Path:
    """Return the folder for the databases; make it if it does not exist."""
    folder = Path(os.environ.get("DEMO_FOLDER") or HERE.parent / ".demo").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"Cannot make the folder {folder} ({error}). Set DEMO_FOLDER.") from error
    return folder


@contextmanager
def only_demo_in(folder: Path) -> Iterator[None]:
    """Lock the folder: two servers must not write to one append-only file.

    Raises:
        CannotStart: another demo runs in the folder.
    """
    with open(folder / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(
                f"A demo runs in {folder} already. End it, or set DEMO_FOLDER to another folder."
            ) from error
        yield


@contextmanager
def socket_path(folder: Path) -> Iterator[Path]:
    """Yield the path for the server's socket, in a temporary folder if it would be too long."""
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= embedded.MAX_SOCKET_PATH:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="rqlite-") as short:
        yield Path(short) / path.name


def with_own_host(hosts: str) -> str:
    """Return a value for ``NO_PROXY`` that includes this host."""
    return ",".join(filter(None, [hosts, HOST, "localhost"]))


def server_answers() -> bool:
    """Return whether the Redis server answers.

    Raises:
        CannotStart: it refuses the connection, or ``RQ_URL`` is invalid.
    """
    try:
        with redis.Redis.from_url(os.environ["RQ_URL"], socket_timeout=2) as client:
            return bool(client.ping())
    except (redis.AuthenticationError, redis.ResponseError) as error:
        raise CannotStart(f"The server that RQ_URL names refuses us: {error}") from error
    except ValueError as error:
        raise CannotStart(f"RQ_URL cannot be used: {error}") from error
    except (redis.ConnectionError, redis.TimeoutError):
        return False


def site_answers(port: int) -> bool:
    """Return whether the site serves its first page."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def prepare_database() -> str:
    """Migrate, replace the admin's user by a new one, and return its password."""
    django.setup()
    from django.contrib.auth import get_user_model  # needs django.setup()

    password = secrets.token_urlsafe(9)
    call_command("migrate", verbosity=0, interactive=False)
    users = get_user_model()._default_manager
    users.filter(username=ADMIN).delete()
    users.create_superuser(ADMIN, password=password)
    connections.close_all()
    return password


def print_addresses(port: int, password: str) -> None:
    """Print where the site and the admin are."""
    for line in (
        "",
        f"The site:   http://{HOST}:{port}/",
        f"The admin:  http://{HOST}:{port}/admin/   user: {ADMIN}   password: {password}",
        "",
        "Ctrl-C ends everything.",
        "",
    ):
        say(line)


if __name__ == "__main__":
    sys.exit(main())
