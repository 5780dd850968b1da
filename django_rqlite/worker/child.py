"""The process that runs a job: forked beforehand, it waits on its pipe, runs, reports and ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from django.core.cache import caches
from django.db import close_old_connections, connections, reset_queries

from .. import callbacks
from ..execution import Failed, Report, Stopped, failure, perform
from ..jobs import Job
from ..protocol.records import JobRecord, read_job
from .frames import Assembler, pack
from .parentage import die_with_parent
from .reports import pack_outcome, unpack_claim

logger = logging.getLogger("django_rqlite.worker")

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class QueueTraits:
    """How jobs of one queue are made."""

    job_class: type[Job]
    serializer: Any


def serve(
    channel: socket.socket,
    parent: int,
    foreign: Iterable[int],
    traits: Mapping[str, QueueTraits],
    max_jobs: int,
) -> NoReturn:
    """The whole life of a child. Never returns: the code that forked must not go on in here.

    Args:
        channel: this child's end of the pipe.
        foreign: file descriptors of the parent that are none of the child's business. A child
            that held the ends of other children's pipes would hide the parent's death from them.
        max_jobs: how many jobs to run; 0: without limit.
    """
    status = 1
    try:
        _settle_in(parent, foreign)
        status = _work(channel, traits, max_jobs)
    except BaseException:
        logger.exception("A child of the worker failed outside of any job")
    finally:
        _flush()
        os._exit(status)


def call_back(
    parent: int,
    foreign: Iterable[int],
    trait: QueueTraits,
    record: JobRecord,
    outcome: Stopped | Failed,
) -> NoReturn:
    """The whole life of a child that runs no job but the callback of one whose process has died."""
    status = 1
    try:
        _settle_in(parent, foreign)
        job = trait.job_class.from_record(record, None, trait.serializer)
        if isinstance(outcome, Stopped):
            callbacks.on_stopped(job)
        else:
            callbacks.on_death(job, outcome.reason)
        connections.close_all()
        status = 0
    except BaseException:
        logger.exception("The callback of job %s could not be called", record.id)
    finally:
        _flush()
        os._exit(status)


def _settle_in(parent: int, foreign: Iterable[int]) -> None:
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent(parent)
    for descriptor in foreign:
        try:
            os.close(descriptor)
        except OSError:
            pass  # the parent had closed it already


def _work(channel: socket.socket, traits: Mapping[str, QueueTraits], max_jobs: int) -> int:
    served, assembler = 0, Assembler()
    while not max_jobs or served < max_jobs:
        parts = _receive(channel, assembler)
        if parts is None:
            break  # the parent needs no more of us, or is gone
        hold, fields = unpack_claim(parts)
        outcome = _run(hold.job_id, hold.queue, fields, traits)
        _flush()  # what the job printed belongs before the worker's next line
        served += 1
        if max_jobs != 1:
            close_old_connections()
        channel.sendall(pack(pack_outcome(hold.execution, outcome)))
    connections.close_all()
    caches.close_all()
    return 0


def _run(
    job_id: str, queue: str, fields: Mapping[bytes, bytes], traits: Mapping[str, QueueTraits]
) -> Report:
    trait = traits[queue]
    try:
        job = trait.job_class.from_record(read_job(job_id, fields), None, trait.serializer)
    except Exception as exc:  # noqa: BLE001 - a project's own job class may raise anything
        return failure(exc)
    reset_queries()
    return perform(job)


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
