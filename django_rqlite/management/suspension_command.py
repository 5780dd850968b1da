"""What ``rqsuspend`` and ``rqresume`` share: which servers are meant, and asking each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import redis
from django.core.management.base import BaseCommand, CommandError, CommandParser

from .. import conf
from ..broker.servers import Server, servers_of
from ..engine.engine import Engine
from ..exceptions import RQLiteError


def add_queue_option(parser: CommandParser, meaning: str) -> None:
    """``--queue NAME ...``, which may be repeated."""
    parser.add_argument(
        "--queue", nargs="+", action="extend", metavar="NAME", dest="queues", help=meaning
    )


def on_each_server(
    command: BaseCommand,
    names: Sequence[str] | None,
    change: Callable[[Engine, Sequence[str], str], str],
) -> None:
    """Change something on the server of each queue named, or on all configured servers.

    Args:
        names: of queues; None: all servers as a whole.
        change: given the arrows of a server, the queues named that are there and its address,
            changes it and says what was done.

    Raises:
        CommandError: a queue is not configured (nothing was changed), or a server could not be
            asked (the others were).
    """
    try:
        asked = list(conf.queues().values()) if names is None else [*map(conf.queue, names)]
    except RQLiteError as exc:
        raise CommandError(str(exc)) from exc
    troubles = []
    for server in servers_of(asked):
        try:
            command.stdout.write(_change(server, names is not None, change))
        except (RQLiteError, redis.RedisError) as exc:
            troubles.append(f"Nothing was changed for {_named(server)}: {exc}")
    if troubles:
        raise CommandError("\n".join(troubles))


def _change(
    server: Server,
    named: bool,
    change: Callable[[Engine, Sequence[str], str], str],
) -> str:
    broker = server.broker
    queues = list(dict.fromkeys(server.queue_names)) if named else []
    with broker.translate_errors():
        return change(Engine(broker), queues, broker.address)


def _named(server: Server) -> str:
    plural = "s" if len(server.queues) > 1 else ""
    return f"the queue{plural} {', '.join(map(repr, server.queue_names))}"
