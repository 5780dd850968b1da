"""Imports modules in a temporary process, to see which of them leave a thread running.

A forked process has one thread. The other threads of its parent do not exist in it, but locks that
they held stay locked for ever, and pools that rely on them never answer. So a module whose import
leaves a thread running must not be imported before a fork. Such a thread cannot be ended, so the
import is tried in another process first.

Only Python's threads count. Native threads, such as those of a BLAS library, are invisible to
Python, and most such libraries handle forks themselves.
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

from . import clean_fork, database_connections

#: Seconds that a thread has to end by itself after the import.
PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of the imports.

    Attributes:
        passed: The modules that left no thread running, up to the first that did. Some of them may
            have raised an exception.
        failed: The first module that left a thread running or ended the process, or ``""``.
        threads: The names of its threads; empty if its import has ended the process.
        status: How the process ended, as :func:`os.waitpid` gives it.
    """

    passed: tuple[str, ...]
    failed: str
    threads: tuple[str, ...]
    status: int


def probe_imports(modules: Sequence[str]) -> ProbeResult:
    """Import ``modules``, in this order, in a separate process.

    It stops at the first module that leaves a thread running.

    Raises:
        OSError: The system could not make a process.
    """
    reader, writer = os.pipe()

    def main() -> None:
        os.close(reader)
        _import(modules, writer)

    try:
        pid = clean_fork.fork("The process that tries imports", main)
    except OSError:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    answers: list[list[str]] = []
    try:
        with open(reader, encoding="utf-8") as lines:
            while len(answers) < len(modules) and not any(answers) and (line := lines.readline()):
                answers.append(json.loads(line))
    finally:
        status = _kill(pid)
    threads = next(filter(None, answers), [])
    count = len(answers) - bool(threads)
    failed = modules[count] if count < len(modules) else ""
    return ProbeResult(tuple(modules[:count]), failed, tuple(threads), status)


def _kill(pid: int) -> int:
    """Kill the process and all that an import has started. Return how it ended."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)  # it has just been forked and leads no group yet
    return os.waitpid(pid, 0)[1]


def running_threads() -> dict[int, str]:
    """Return the names of Python's threads apart from the main one, by their ids."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    # Threads that were started without ``threading`` have frames, too.
    running = set(sys._current_frames()) - {threading.main_thread().ident}
    return {ident: names.get(ident, "a thread without a name") for ident in running}


def new_threads(before: Iterable[int]) -> tuple[str, ...]:
    """Return the names of threads that are not in ``before`` and do not end soon."""
    until = time.monotonic() + PATIENCE
    while new := running_threads().keys() - set(before):
        if time.monotonic() >= until:
            names = running_threads()
            return tuple(sorted(names[ident] for ident in new if ident in names))
        time.sleep(0.01)
    return ()


def _import(modules: Sequence[str], writer: int) -> None:
    """Import the modules. Write a line for each: the names of its threads, as JSON."""
    # An import that prints or logs does so again in the worker.
    logging.disable(logging.CRITICAL)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(null, stream)
    with open(writer, "w", encoding="utf-8") as answers:
        for module in modules:
            before = running_threads()
            with suppress(Exception):  # the worker logs it
                import_module(module)
            database_connections.close()  # this also ends the threads of their pools
            threads = new_threads(before)
            print(json.dumps(threads), file=answers, flush=True)
            if threads:
                break
