#!/usr/bin/env python
"""Compile every Lua file of the package: ``make lua``.

Redis compiles a script with SCRIPT LOAD, without running it. Each file is compiled as it stands, so
that an error names the file and the line, and each script once more as the server receives it: with
its shared parts, and without what it does not use. Needs the Valkey server of the extra
``embedded``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis

REPOSITORY = Path(__file__).resolve().parent.parent
LUA = REPOSITORY / "django_rqlite" / "engine" / "lua"

# Run as a file, Python looks for modules beside it.
sys.path.insert(0, str(REPOSITORY))

from django_rqlite.broker import embedded  # noqa: E402
from django_rqlite.engine.lua_loader import assemble  # noqa: E402

#: Seconds in which the server must answer after its start.
START_TIMEOUT = 20


def main() -> int:
    """Compile everything; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="rqlua-") as folder:
        socket = Path(folder) / "valkey.sock"
        command = embedded.server_command(folder, socket=socket, append_only=False)
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            client = connect(socket)
            errors = [
                describe(name, error)
                for name, text in scripts()
                if (error := compile_error(client, text))
            ]
        finally:
            server.terminate()
            server.wait()
    print(*errors or ["All Lua files compile."], sep="\n")
    return bool(errors)


def scripts() -> Iterator[tuple[str, str]]:
    """Names and texts of what is compiled. The name of a file is its path in the repository."""
    for path in sorted(LUA.rglob("*.lua")):
        yield str(path.relative_to(REPOSITORY)), path.read_text(encoding="utf-8")
    for path in sorted(LUA.glob("*.lua")):
        yield f"{path.stem}, assembled", assemble(path.stem)


def compile_error(client: redis.Redis, text: str) -> str | None:
    """What the server's compiler says against a script, or None."""
    try:
        client.script_load(text)
    except redis.ResponseError as error:
        return str(error)
    return None


def describe(name: str, error: str) -> str:
    """The error with the file and the line in the form that editors know."""
    line = re.search(r"user_script:(\d+): (.*)", error, re.DOTALL)
    return f"{name}:{line[1]}: {line[2]}" if line else f"{name}: {error}"


def connect(socket: Path) -> redis.Redis:
    """A client of the server, once it answers."""
    client = redis.Redis.from_url(embedded.server_url(socket=socket))
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return client


if __name__ == "__main__":
    sys.exit(main())
