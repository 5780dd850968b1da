"""Forks a process that discards its parent's connections and does not outlive it."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable

from ...process.parent_death import die_with_parent
from . import database_connections, inherited_connections

logger = logging.getLogger("django_rqlite.worker")


def fork(
    name: str,
    main: Callable[[], object],
    *,
    own_group: bool = True,
    death_signal: signal.Signals = signal.SIGKILL,
) -> int:
    """Fork a process that runs a function and exits: with 1 if that raises, else with 0.

    Args:
        name: The name of the process in the log.
        main: The function.
        own_group: Whether the process leads its own process group. Then the terminal's Ctrl-C does
            not reach it.
        death_signal: The signal that it gets when this process ends.

    Returns:
        The process id.

    Raises:
        OSError: The system could not make a process.
    """
    connections = database_connections.known()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        if own_group:
            os.setpgid(0, 0)
        die_with_parent(parent, death_signal)
        inherited_connections.discard(connections)
        main()
        status = 0
    except BaseException:
        logger.exception("%s of process %d failed", name, parent)
    finally:
        os._exit(status)
