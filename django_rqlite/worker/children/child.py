"""The process that runs jobs: forked beforehand, it waits on its pipe, runs, reports and ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, NoReturn

import redis

from ... import conf
from ...broker.clients import connection_for
from ...execution import callbacks
from ...execution import timeout as deadline
from ...execution.failure import failure, log_failure
from ...execution.job_log import kept_log
from ...execution.outcome import Failed, Report
from ...execution.own_process import OwnProcess
from ...execution.run import perform
from ...execution.signal_handlers import BY_DEFAULT, set_handler
from ...jobs.job import Job
from ...process.memory import resident
from ...process.parent_death import die_with_parent
from ...protocol.records import JobStatus
from ...queues.queue import Queue
from . import database_connections as databases
from .framing import pack
from .messages import HEADER_SIZE, Instruction, body_size, pack_report, unpack_instruction
from .process_group import end_others
from .process_reset import alone, look_after_databases
from .random_generators import seed_anew
from .warm_up import rehearse

logger = logging.getLogger("django_rqlite.worker")

#: Bytes that most instructions fit in, and those to ask for once one does not.
_CHUNK, _LARGE_CHUNK = 1 << 13, 1 << 20


@dataclass(frozen=True, slots=True)
class QueueTraits:
    """How jobs of one queue are made.

    Attributes:
        connection: where the queue is, unless it is where the settings say.
    """

    job_class: type[Job]
    serializer: Any
    connection: redis.Redis | None = None

    def job(self, instruction: Instruction) -> Job:
        """The job that an instruction is about."""
        job = self.job_class.from_state(instruction.job_id, instruction.state, self.serializer)
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
    own = OwnProcess()
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT):
            set_handler(number, BY_DEFAULT)
        if not heed_sigterm:
            # A function, since what a job starts would inherit it if the signal were ignored.
            set_handler(signal.SIGTERM, _overlook)
        die_with_parent(parent)
        seed_anew()
        rehearse()
        _work(descriptor, traits, max_jobs, max_memory, own)
        status = 0
    except BaseException as exc:
        own.end_if_forked(exc)
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
    own: OwnProcess,
) -> None:
    served, stays = 0, True
    while stays:
        body = receive(channel)
        if body is None:
            break
        instruction = unpack_instruction(body)
        if not instruction.execution:
            call_back(instruction, traits[instruction.queue])
            break
        if served:
            look_after_databases()  # it may have waited for long
        once = partial(run, instruction, traits[instruction.queue], end_others)
        outcome = once() if max_jobs == 1 else alone(once)
        own.end_if_forked()  # a job class of the project may fork, too
        _flush()  # what the job printed belongs before the worker's next line
        served += 1
        stays = (
            served != max_jobs
            and (max_memory is None or resident() <= max_memory << 20)
            # What a timeout cut off may be anything, in any state: a query, or an import.
            and not deadline.any_passed()
            and look_after_databases(failed=isinstance(outcome, Failed))
        )
        _send(channel, pack(pack_report(instruction.execution, outcome, stays=stays)))
    if databases.any_opened():
        databases.close()


def run(
    instruction: Instruction, trait: QueueTraits, at_timeout: Callable[[], None] | None = None
) -> Report:
    """Run a job in this process.

    Args:
        at_timeout: as of :func:`perform`.
    """
    try:
        job = trait.job(instruction)
    except Exception as exc:  # noqa: BLE001 - a project's own job class may raise anything
        log_failure(instruction.queue, instruction.job_id, exc)
        return failure(exc)
    with kept_log(job):
        return perform(job, at_timeout=at_timeout)


def call_back(instruction: Instruction, trait: QueueTraits) -> None:
    """Call what the job names to be called, since its own process has died."""
    own = OwnProcess()
    try:
        job = trait.job(instruction)
        if instruction.stopped:
            job._ended(JobStatus.STOPPED)
            callbacks.on_stopped(job)
        else:
            job._ended(JobStatus.FAILED)
            callbacks.on_death(job, instruction.reason)
        own.end_if_forked()
    except BaseException as exc:
        own.end_if_forked(exc)
        logger.exception("The callback of job %s could not be called", instruction.job_id)


def receive(channel: int) -> bytes | None:
    """The next instruction; None when the parent needs no more of us, or is gone."""
    data = os.read(channel, _CHUNK)
    if not data:
        return None
    if len(data) >= HEADER_SIZE and len(data) == HEADER_SIZE + body_size(data):
        return data[HEADER_SIZE:]
    whole = bytearray(data)
    while len(whole) < HEADER_SIZE or len(whole) < HEADER_SIZE + body_size(whole):
        data = os.read(channel, _LARGE_CHUNK)
        if not data:
            return None
        whole += data
    return bytes(whole[HEADER_SIZE:])


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
