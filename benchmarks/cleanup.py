"""No process of the benchmark outlives it, even if the benchmark is killed.

Workers have children, some of them in sessions of their own, which a signal to a process group does
not reach. All inherit the environment, so a variable in it identifies them.
"""

from __future__ import annotations

import os
import signal
import time
import uuid

#: A variable in the environment of every process that this run starts.
MARK = {"BENCH_RUN": uuid.uuid4().hex}

_NEEDLE = b"\0BENCH_RUN=" + MARK["BENCH_RUN"].encode() + b"\0"


def start_cleanup_process() -> None:
    """Fork a process that kills everything that is left when this process has ended."""
    watched, held = os.pipe()  # neither end is inherited by an executed program
    if os.fork():
        os.close(watched)
        return
    os.setsid()  # Ctrl-C must not end this process
    os.close(held)
    try:
        os.read(watched, 1)  # returns when the other end is closed
        kill_marked()
    finally:
        os._exit(0)


def kill_marked() -> None:
    """Kill every process that has the mark."""
    for _ in range(100):
        marked = _marked()
        for pid in marked:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it has ended meanwhile
        if not marked:
            return
        time.sleep(0.02)


def _marked() -> list[int]:
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                environment = file.read()
        except OSError:
            continue  # it has ended, or belongs to another user
        if _NEEDLE in b"\0" + environment:
            found.append(int(name))
    return found
