"""RQ's commands to running workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from ..broker.broker import Broker
from ..broker.clients import get_connection
from ..compat.missing_names import module_getattr
from ..engine.engine import Engine
from .job import Job


def send_stop_job_command(
    connection: redis.Redis | None, job_id: str, serializer: object = None
) -> None:
    """Stop a running job. It ends as ``stopped`` and is not retried.

    Args:
        connection: None: the connection of the queue ``default``.
        serializer: Without effect, for RQ's callers.

    Raises:
        NoSuchJobError: There is no such job.
        InvalidJobOperation: The job does not run.
    """
    Job(job_id, connection).stop()


def send_kill_horse_command(connection: redis.Redis | None, worker_name: str) -> None:
    """Kill the processes of a worker's jobs. The jobs fail, or are retried."""
    _send(connection, worker_name, "kill-horse")


def send_shutdown_command(connection: redis.Redis | None, worker_name: str) -> None:
    """Shut a worker down as SIGTERM does: it ends after its current jobs."""
    _send(connection, worker_name, "shutdown")


def _send(connection: redis.Redis | None, worker_name: str, command: str) -> None:
    broker = Broker.of(connection if connection is not None else get_connection())
    with broker.translate_errors():
        Engine(broker).send_command(worker_name, command)


if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = module_getattr(__name__)
