"""What ``rqsuspend`` and ``rqresume`` share: find the servers, and change each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import redis
from django.core.management.base import BaseCommand, CommandError, CommandParser

from .. import conf
from ..broker.servers import Server, servers_of
from ..engine.engine import Engine
from ..exceptions import RQLiteError

#: Changes a server, given its engine and the names of queues; no names mean all workers. Returns a
#: sentence about what was done.
Change = Callable[[Engine, Sequence[str]], str]


def add_queue_option(parser: CommandParser, help_text: str) -> None:
    """Add the option ``--queue NAME ...``, which may be repeated."""
    parser.add_argument(
        "--queue", nargs="+", action="extend", metavar="NAME", dest="queues", help=help_text
    )


def change_each_server(command: BaseCommand, names: Sequence[str] | None, change: Change) -> None:
    """Change the servers of the queues named, or all configured servers.

    Args:
        command: Prints what was done.
        names: The names of queues; None: all servers, and no single queues.

    Raises:
        CommandError: A queue is not configured, and nothing was changed; or a server could not be
            changed, and the others were.
    """
    try:
        queues = list(conf.queues().values()) if names is None else [*map(conf.queue, names)]
    except RQLiteError as exc:
        raise CommandError(str(exc)) from exc
    errors = []
    for server in servers_of(queues):
        try:
            command.stdout.write(_change(server, names is not None, change))
        except (RQLiteError, redis.RedisError) as exc:
            errors.append(f"Nothing was changed for {_listed(server)}: {exc}")
    if errors:
        raise CommandError("\n".join(errors))


def _change(server: Server, named: bool, change: Change) -> str:
    broker = server.broker
    names = list(dict.fromkeys(server.queue_names)) if named else []
    with broker.translate_errors():
        return change(Engine(broker), names)


def _listed(server: Server) -> str:
    plural = "s" if len(server.queues) > 1 else ""
    return f"the queue{plural} {', '.join(map(repr, server.queue_names))}"
