"""A proxy between a worker and its server that closes the connection at a chosen command."""

from __future__ import annotations

import hashlib
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import redis as redis_py

from django_rqlite.engine import scripts
from django_rqlite.engine.scripts import Script

#: The names of the engine's scripts by their digests.
SCRIPTS = {
    Script(path.stem).digest: path.stem
    for path in (Path(scripts.__file__).parent / "lua").glob("*.lua")
}

_CHUNK = 1 << 16


class Moment(Enum):
    """When the connection is closed: before the server gets the command, or after it ran it."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Target:
    """One command of a worker: the ``number``-th of this name, counted from 1.

    The number does not count all commands: heartbeats and subscriptions come sooner or later, so it
    would mean another command in the next run.
    """

    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


@dataclass
class Cut:
    """Closes a connection at one command.

    Attributes:
        target: None: no command.
        act: called just before the connection is closed.
        came: whether the command has come.
        done: whether the connection was closed. A command that blocks may have no answer.
    """

    target: Target | None
    moment: Moment
    act: Callable[[], None]
    came: bool = False
    done: bool = False


@dataclass(eq=False)
class _Pair:
    """The connection of a worker, and the proxy's to the server."""

    client: socket.socket
    server: socket.socket
    sent: bytearray = field(default_factory=bytearray)
    #: Whether the connection is closed when the server answers.
    doomed: bool = False


class Proxy:
    """A thread that forwards commands and answers.

    Args:
        url: of the server; without TLS.
        path: of the unix socket to listen on.
    """

    def __init__(self, url: str, path: Path) -> None:
        self._server = redis_py.ConnectionPool.from_url(url).connection_kwargs
        self.url = f"unix://{path}?db={self._server.get('db', 0)}"
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._ours, self._theirs = socket.socketpair()
        self._selector.register(self._ours, selectors.EVENT_READ)
        self._pairs: set[_Pair] = set()
        self._cut: Cut | None = None
        self._armed = threading.Event()
        #: The commands since it was armed.
        self.said: list[Target] = []
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def disarm(self) -> None:
        """Hold back all commands until :meth:`arm`."""
        self._armed.clear()

    def arm(self, cut: Cut) -> None:
        """Count commands from 1 again, and apply the cut."""
        self._cut, self.said = cut, []
        self._armed.set()

    def close(self) -> None:
        self._armed.set()
        self._theirs.close()
        self._thread.join()

    # In the thread

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._ours:
                    self._end()
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif key.data in self._pairs:
                    self._pass_on(key.data, key.fileobj)

    def _end(self) -> None:
        for pair in list(self._pairs):
            self._hang_up(pair)
        self._selector.close()
        self._listener.close()
        self._ours.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if path := self._server.get("path"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(path)
        else:
            server = socket.create_connection((self._server["host"], self._server["port"]))
        pair = _Pair(client, server)
        self._pairs.add(pair)
        for end in (client, server):
            self._selector.register(end, selectors.EVENT_READ, pair)

    def _hang_up(self, pair: _Pair) -> None:
        self._pairs.discard(pair)
        for end in (pair.client, pair.server):
            self._selector.unregister(end)
            end.close()

    def _pass_on(self, pair: _Pair, end: Any) -> None:
        try:
            data = end.recv(_CHUNK)
            if not data:
                self._hang_up(pair)
            elif end is pair.client:
                pair.sent += data
                self._armed.wait()
                self._forward(pair)
            elif pair.doomed:
                self._sever(pair)
            else:
                pair.client.sendall(data)
        except OSError:
            self._hang_up(pair)  # one of the two ends is gone

    def _forward(self, pair: _Pair) -> None:
        cut = self._cut
        assert cut is not None
        while (parsed := _command(pair.sent)) is not None:
            words, length = parsed
            name = _name(words)
            command = Target(name, 1 + sum(each.name == name for each in self.said))
            self.said.append(command)
            if command == cut.target:
                cut.came = True
                if cut.moment is Moment.BEFORE:
                    self._sever(pair)
                    return
                pair.doomed = True
            pair.server.sendall(pair.sent[:length])
            del pair.sent[:length]

    def _sever(self, pair: _Pair) -> None:
        assert self._cut is not None
        self._cut.act()
        self._hang_up(pair)
        self._cut.done = True


def _command(data: bytearray) -> tuple[list[bytes], int] | None:
    """The first command in what a client has sent, and its length; None while it is not whole."""
    count, position = _number(data, 0, b"*")
    if count is None:
        return None
    words = []
    for _ in range(count):
        length, position = _number(data, position, b"$")
        if length is None or len(data) < position + length + 2:
            return None
        words.append(bytes(data[position : position + length]))
        position += length + 2
    return words, position


def _number(data: bytearray, start: int, sign: bytes) -> tuple[int | None, int]:
    """The number in a line that begins with this sign, and where the next line begins."""
    end = data.find(b"\r\n", start)
    if end < 0:
        return None, start
    assert data[start : start + 1] == sign, f"no command of RESP: {bytes(data[start:end])!r}"
    return int(data[start + 1 : end]), end + 2


def _name(words: list[bytes]) -> str:
    name = words[0].decode()
    if name == "EVALSHA":
        return SCRIPTS.get(words[1].decode(), "an unknown script")
    if name == "EVAL":
        digest = hashlib.sha1(words[1], usedforsecurity=False).hexdigest()
        return f"EVAL of {SCRIPTS.get(digest, 'an unknown script')}"
    return name
