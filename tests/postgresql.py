"""A PostgreSQL server that the tests start. It does not wait for the disk."""

from __future__ import annotations

import getpass
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from tests.conftest import wait_until

#: Where Debian keeps them; elsewhere they are on PATH.
_DEBIAN = Path("/usr/lib/postgresql")


def missing() -> str:
    """Return why no server can be started; ``''`` if one can."""
    return "" if _program("initdb") else "no PostgreSQL (initdb): run .ci/postgresql"


def _program(name: str) -> str | None:
    versions = sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, versions)]))


def _owner() -> str:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return getpass.getuser()
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


class PostgreSQL:
    """One server on a unix socket, and all its data."""

    def __init__(self) -> None:
        # Not pytest's own folder: its path is too long for a unix socket on some systems.
        self.folder = Path(tempfile.mkdtemp(prefix="rqlite-"))
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        shutil.chown(self.folder, _owner())
        self._initialize(
            "initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"
        )
        self.start()

    def start(self) -> None:
        quick = ("fsync=off", "shared_buffers=16MB", "listen_addresses=", "autovacuum=off")
        options = [part for setting in quick for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-k", str(self.folder), *options),
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_owner(),
            )
        wait_until(self._answers, "PostgreSQL answers")

    def stop(self, number: int = signal.SIGINT) -> None:
        """End the server. SIGINT ends all sessions first."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(20)
            self._process = None

    def restart(self) -> None:
        """End the server and start it, which ends all sessions."""
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a session for the test."""
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
        )

    def run(self, statement: LiteralString) -> None:
        with self.connect() as session:
            session.execute(statement)

    def ask(self, query: LiteralString) -> list[tuple[Any, ...]]:
        with self.connect() as session:
            return session.execute(query).fetchall()

    def settings(self, **changed: Any) -> dict[str, Any]:
        """Return the entry of this server for ``DATABASES``."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": str(self.folder),
            "NAME": "postgres",
            "USER": "postgres",
            **changed,
        }

    def environment(self, **changed: Any) -> dict[str, str]:
        """Return the variables of a process that uses this server; see tests/settings.py."""
        return {"RQ_TEST_DATABASE_SETTINGS": json.dumps(self.settings(**changed))}

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            return self.ask("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False

    def _command(self, name: str, *arguments: str) -> list[str]:
        program = _program(name)
        assert program, missing()
        return [program, "-D", str(self._data), *arguments]

    def _as_owner(self) -> dict[str, Any]:
        # Not the current folder, which the other user may not be allowed to read.
        here: dict[str, Any] = {"cwd": self.folder}
        return here | {"user": _owner(), "extra_groups": []} if os.geteuid() == 0 else here

    def _initialize(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            self._command(name, *arguments), capture_output=True, text=True, **self._as_owner()
        )
        assert done.returncode == 0, done.stderr
