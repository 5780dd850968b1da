"""Importing modules in a process that is thrown away, to see which of them leave a thread running.

A forked process has one thread: those of its parent are gone in it, while locks that they held stay
locked for ever, and pools that count on them never answer. So a module whose import leaves a thread
running is not imported before a fork. Once it was, nothing takes the thread back; hence the trial.

Only Python's threads count. Native ones, such as those of a BLAS library, are invisible to Python,
and such libraries mostly see to forks themselves.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from ...process.parent_death import die_with_parent
from . import database_connections as databases
from . import inherited_connections as inheritance

#: Seconds that a thread has to end by itself after the import.
SOON = 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        passed: the modules that left no thread running, up to the first that did. Some of them may
            have raised.
        failed: that one; '' where there is none.
        threads: the names of its threads; empty where its import has ended the process.
        status: how the process ended, as :func:`os.waitpid` gives it.
    """

    passed: tuple[str, ...]
    failed: str
    threads: tuple[str, ...]
    status: int


def try_imports(modules: Sequence[str]) -> Trial:
    """Import ``modules``, in this order, in a process of its own, up to the first that leaves a
    thread running.

    Raises:
        OSError: the system would make no process.
    """
    connections = databases.known()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    reader, writer = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        raise
    if pid == 0:
        try:
            os.setpgid(0, 0)
            os.close(reader)
            die_with_parent(parent)
            inheritance.let_go(connections)
            _import(modules, writer)
        finally:
            os._exit(1)
    os.close(writer)
    answers: list[list[str]] = []
    try:
        with open(reader, encoding="utf-8") as told:
            while len(answers) < len(modules) and not any(answers) and (line := told.readline()):
                answers.append(json.loads(line))
    finally:
        status = _thrown_away(pid)
    threads = next(filter(None, answers), [])
    count = len(answers) - bool(threads)
    failed = modules[count] if count < len(modules) else ""
    return Trial(tuple(modules[:count]), failed, tuple(threads), status)


def _thrown_away(pid: int) -> int:
    """End the process and all that an import has started; gives how it ended."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)  # so young that it has no group yet
    return os.waitpid(pid, 0)[1]


def running_threads() -> dict[int, str]:
    """The names of Python's threads beside the main one, by their ids."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    # Threads that were started without ``threading`` have frames, too.
    running = set(sys._current_frames()) - {threading.main_thread().ident}
    return {ident: names.get(ident, "a thread without a name") for ident in running}


def new_threads(before: Iterable[int]) -> tuple[str, ...]:
    """The names of threads that were not there ``before``, and do not end soon."""
    until = time.monotonic() + SOON
    while new := running_threads().keys() - set(before):
        if time.monotonic() >= until:
            names = running_threads()
            return tuple(sorted(names[ident] for ident in new if ident in names))
        time.sleep(0.01)
    return ()


def _import(modules: Sequence[str], writer: int) -> NoReturn:
    """The life of the process: a line of JSON for each module, the names of its threads."""
    # What is said at an import is said again, when it is imported for good.
    logging.disable(logging.CRITICAL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    with open(writer, "w", encoding="utf-8") as answers:
        for module in modules:
            before = running_threads()
            with suppress(Exception):  # said when it is imported for good
                import_module(module)
            databases.close()  # and the threads of their pools
            threads = new_threads(before)
            print(json.dumps(threads), file=answers, flush=True)
            if threads:
                break
    os._exit(0)
