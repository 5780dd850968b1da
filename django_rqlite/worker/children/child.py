"""The process that runs jobs: it reads an instruction from its pipe, runs the job and reports."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType
from typing import NoReturn

from ...execution import callbacks, timeout
from ...execution.failure import failure, log_failure
from ...execution.job_log import kept_log
from ...execution.outcome import Failed, Report
from ...execution.own_process import OwnProcess
from ...execution.run import perform
from ...execution.signal_handlers import BY_DEFAULT, set_handler
from ...process.memory import resident
from ...process.parent_death import die_with_parent
from ...protocol.records import JobStatus
from . import database_connections
from .framing import pack
from .job_factory import JobFactory
from .messages import HEADER_SIZE, Instruction, body_size, pack_report, unpack_instruction
from .process_group import kill_others
from .process_reset import check_databases, run_in_own_context
from .random_generators import reseed
from .warm_up import warm_up

logger = logging.getLogger("django_rqlite.worker")

#: Bytes to read at once: enough for most instructions, and for the rest of a larger one.
_CHUNK, _LARGE_CHUNK = 1 << 13, 1 << 20


def child_main(
    factories: Mapping[str, JobFactory],
    max_jobs: int,
    max_memory: int | None,
    heed_sigterm: bool,
    descriptor: int,
    parent: int,
) -> NoReturn:
    """Run jobs until the child is to end, then exit.

    Args:
        factories: Make the jobs, by the names of the queues.
        max_jobs: After how many jobs to end; 0: never.
        max_memory: MiB of resident memory above which to end after a job; None: any.
        heed_sigterm: Whether SIGTERM ends the process.
        descriptor: This child's end of the pipe. Making a socket object of it would take as long
            as the rest of the start.
        parent: The process id of the fork server.
    """
    status = 1
    own = OwnProcess()
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT):
            set_handler(number, BY_DEFAULT)
        if not heed_sigterm:
            # A handler, because programs that a job starts would inherit SIG_IGN.
            set_handler(signal.SIGTERM, _overlook)
        die_with_parent(parent)
        reseed()
        warm_up()
        _run_jobs(descriptor, factories, max_jobs, max_memory, own)
        status = 0
    except BaseException as exc:
        own.end_if_forked(exc)
        logger.exception("A child of the worker failed outside of any job")
    finally:
        _flush()
        os._exit(status)


def _overlook(signum: int, frame: FrameType | None) -> None:
    """Ignore the signal. The worker has received it too, and decides."""


def _run_jobs(
    channel: int,
    factories: Mapping[str, JobFactory],
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
            call_back(instruction, factories[instruction.queue])
            break
        if served:
            check_databases()  # it may have waited for long
        once = partial(run, instruction, factories[instruction.queue], kill_others)
        outcome = once() if max_jobs == 1 else run_in_own_context(once)
        own.end_if_forked()  # a job class of the project may fork, too
        _flush()  # so that the job's output comes before the worker's next log line
        served += 1
        stays = (
            served != max_jobs
            and (max_memory is None or resident() <= max_memory << 20)
            # A timeout may have interrupted anything: a query, or an import.
            and not timeout.any_passed()
            and check_databases(failed=isinstance(outcome, Failed))
        )
        _send(channel, pack(pack_report(instruction.execution, outcome, stays=stays)))
    if database_connections.any_opened():
        database_connections.close()


def run(
    instruction: Instruction, factory: JobFactory, at_timeout: Callable[[], None] | None = None
) -> Report:
    """Run a job in this process.

    Args:
        at_timeout: See :func:`perform`.
    """
    try:
        job = factory.job(instruction)
    except Exception as exc:  # noqa: BLE001 - a project's own job class may raise anything
        log_failure(instruction.queue, instruction.job_id, exc)
        return failure(exc)
    if not factory.log_lines:
        return perform(job, at_timeout=at_timeout)
    with kept_log(job, factory.log_lines):
        return perform(job, at_timeout=at_timeout)


def call_back(instruction: Instruction, factory: JobFactory) -> None:
    """Call the callback of a job whose own process has died."""
    own = OwnProcess()
    try:
        job = factory.job(instruction)
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
    """Return the next instruction; None if the worker has closed its end."""
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
            pass  # the job has closed it, or its reader has ended
