"""The process that runs jobs: forked beforehand, it waits on its pipe, runs, reports and ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

import redis
from django.db import close_old_connections, connections, reset_queries
from django.db.backends.signals import connection_created

from .. import callbacks, conf
from ..connections import connection_for
from ..execution import Report, failure, perform
from ..handlers import BY_DEFAULT, set_handler
from ..job_log import kept_log
from ..jobs import Job
from ..queues import Queue
from .frames import pack
from .memory import resident
from .orders import HEAD, Order, length, unpack
from .parentage import die_with_parent
from .rehearsal import rehearse
from .reports import pack_report

logger = logging.getLogger("django_rqlite.worker")

#: Bytes that most orders fit in, and those to ask for once one does not.
_CHUNK, _LARGE_CHUNK = 1 << 13, 1 << 20

#: Whether this process has opened a connection to a database. Looking for one at the end would
#: touch more pages than the rest of a short job.
_connected = False


def _note_connection(**_: object) -> None:
    global _connected
    _connected = True


connection_created.connect(_note_connection, dispatch_uid="django_rqlite.worker.child")


@dataclass(frozen=True, slots=True)
class QueueTraits:
    """How jobs of one queue are made.

    Attributes:
        connection: where the queue is, unless it is where the settings say.
    """

    job_class: type[Job]
    serializer: Any
    connection: redis.Redis | None = None

    def job(self, order: Order) -> Job:
        """The job that an order is about."""
        job = self.job_class.from_state(order.job_id, order.state, self.serializer)
        if self.connection is not None:
            job._connection = self.connection
        return job


def traits_of(queue: Queue) -> QueueTraits:
    """How jobs of this queue are made."""
    configured = conf.queues().get(queue.name)
    usual = configured is not None and connection_for(configured) is queue.connection
    return QueueTraits(queue.job_class, queue.serializer, None if usual else queue.connection)


def live(
    traits: Mapping[str, QueueTraits],
    max_jobs: int,
    max_memory: int | None,
    heed_sigterm: bool,
    descriptor: int,
    parent: int,
) -> NoReturn:
    """The whole life of a child. Never returns: the code that forked must not go on in here.

    Args:
        max_jobs: how many jobs to run; 0: without limit.
        max_memory: MiB of resident memory above which to run no other; None: any.
        heed_sigterm: whether to end at a SIGTERM.
        descriptor: this child's end of the pipe. A number is enough: making a socket of it would
            take as long as the rest of settling in.
        parent: process id of the fork server.
    """
    status = 1
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT):
            set_handler(number, BY_DEFAULT)
        if not heed_sigterm:
            # A function, since what a job starts would inherit it if the signal were ignored.
            set_handler(signal.SIGTERM, _overlook)
        die_with_parent(parent)
        rehearse()
        _work(descriptor, traits, max_jobs, max_memory)
        status = 0
    except BaseException:
        logger.exception("A child of the worker failed outside of any job")
    finally:
        _flush()
        os._exit(status)


def _overlook(signum: int, frame: FrameType | None) -> None:
    """The worker has had the signal as well, and decides."""


def _work(
    channel: int,
    traits: Mapping[str, QueueTraits],
    max_jobs: int,
    max_memory: int | None,
) -> None:
    served, stays = 0, True
    while stays:
        body = receive(channel)
        if body is None:
            break
        order = unpack(body)
        if not order.execution:
            call_back(order, traits[order.queue])
            break
        outcome = run(order, traits[order.queue])
        _flush()  # what the job printed belongs before the worker's next line
        served += 1
        stays = served != max_jobs and (max_memory is None or resident() <= max_memory << 20)
        if stays:
            close_old_connections()
            reset_queries()
        _send(channel, pack(pack_report(order.execution, outcome, stays=stays)))
    if _connected:
        connections.close_all()


def run(order: Order, trait: QueueTraits) -> Report:
    """Run a job in this process."""
    try:
        job = trait.job(order)
    except Exception as exc:  # noqa: BLE001 - a project's own job class may raise anything
        return failure(exc)
    with kept_log(job):
        return perform(job)


def call_back(order: Order, trait: QueueTraits) -> None:
    """Call what the job names to be called, since its own process has died."""
    try:
        job = trait.job(order)
        if order.stopped:
            callbacks.on_stopped(job)
        else:
            callbacks.on_death(job, order.reason)
    except BaseException:
        logger.exception("The callback of job %s could not be called", order.job_id)


def receive(channel: int) -> bytes | None:
    """The next order; None when the parent needs no more of us, or is gone."""
    data = os.read(channel, _CHUNK)
    if not data:
        return None
    if len(data) >= HEAD and len(data) == HEAD + length(data):
        return data[HEAD:]
    whole = bytearray(data)
    while len(whole) < HEAD or len(whole) < HEAD + length(whole):
        data = os.read(channel, _LARGE_CHUNK)
        if not data:
            return None
        whole += data
    return bytes(whole[HEAD:])


def _send(channel: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(channel, rest) :]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # closed by the job, or nobody reads it any more
