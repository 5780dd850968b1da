"""The process that runs jobs: forked beforehand, it waits on its pipe, runs, reports and ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from django.core.cache import caches
from django.db import close_old_connections, connections, reset_queries

from .. import callbacks
from ..execution import Report, Stopped, failure, perform
from ..jobs import Job
from ..protocol.records import JobRecord
from .frames import Assembler, pack
from .memory import resident
from .orders import CallBack, Run, unpack_order
from .parentage import die_with_parent
from .reports import pack_report

logger = logging.getLogger("django_rqlite.worker")

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class QueueTraits:
    """How jobs of one queue are made."""

    job_class: type[Job]
    serializer: Any


def live(
    traits: Mapping[str, QueueTraits],
    max_jobs: int,
    max_memory: int | None,
    descriptor: int,
    parent: int,
) -> NoReturn:
    """The whole life of a child. Never returns: the code that forked must not go on in here.

    Args:
        max_jobs: how many jobs to run; 0: without limit.
        max_memory: MiB of resident memory above which to run no other; None: any.
        descriptor: this child's end of the pipe.
        parent: process id of the fork server.
    """
    status = 1
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        die_with_parent(parent)
        _work(socket.socket(fileno=descriptor), traits, max_jobs, max_memory)
        status = 0
    except BaseException:
        logger.exception("A child of the worker failed outside of any job")
    finally:
        _flush()
        os._exit(status)


def _work(
    channel: socket.socket,
    traits: Mapping[str, QueueTraits],
    max_jobs: int,
    max_memory: int | None,
) -> None:
    served, assembler, stays = 0, Assembler(), True
    while stays:
        parts = _receive(channel, assembler)
        if parts is None:
            break  # the parent needs no more of us, or is gone
        order = unpack_order(parts)
        if isinstance(order, CallBack):
            _call_back(order, traits[order.queue])
            break
        outcome = _run(order, traits[order.hold.queue])
        _flush()  # what the job printed belongs before the worker's next line
        served += 1
        stays = served != max_jobs and (max_memory is None or resident() <= max_memory)
        if stays:
            close_old_connections()
        channel.sendall(pack(pack_report(order.hold.execution, outcome, stays=stays)))
    connections.close_all()
    caches.close_all()


def _run(order: Run, trait: QueueTraits) -> Report:
    try:
        job = _job(order.record, trait)
    except Exception as exc:  # noqa: BLE001 - a project's own job class may raise anything
        return failure(exc)
    reset_queries()
    return perform(job)


def _call_back(order: CallBack, trait: QueueTraits) -> None:
    try:
        job = _job(order.record, trait)
        if isinstance(order.outcome, Stopped):
            callbacks.on_stopped(job)
        else:
            callbacks.on_death(job, order.outcome.reason)
    except BaseException:
        logger.exception("The callback of job %s could not be called", order.record.id)


def _job(record: JobRecord, trait: QueueTraits) -> Job:
    return trait.job_class.from_record(record, None, trait.serializer)


def _receive(channel: socket.socket, assembler: Assembler) -> list[bytes] | None:
    while True:
        data = channel.recv(_CHUNK)
        if not data:
            return None
        parts = assembler.feed(data)
        if parts is not None:
            return parts


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # closed by the job, or nobody reads it any more
