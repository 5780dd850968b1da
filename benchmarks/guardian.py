"""Nothing that the benchmark starts outlives it, even if it is killed.

Workers have children, some of these in sessions of their own, which no signal to a group reaches.
But all inherit the environment, and so a variable in it tells whose they are.
"""

from __future__ import annotations

import os
import signal
import time
import uuid

#: What all that is started has in its environment.
MARK = {"BENCH_RUN": uuid.uuid4().hex}

_NEEDLE = b"\0BENCH_RUN=" + MARK["BENCH_RUN"].encode() + b"\0"


def watch_over_this_process() -> None:
    """Fork a process that ends whatever is left when this one has ended, however it did."""
    watched, held = os.pipe()  # neither is inherited by what is executed
    if os.fork():
        os.close(watched)
        return
    os.setsid()  # Ctrl-C is for the others
    os.close(held)
    try:
        os.read(watched, 1)  # until the other end is closed
        end_marked()
    finally:
        os._exit(0)


def end_marked() -> None:
    """Kill everything that has the mark."""
    for _ in range(100):
        marked = _marked()
        for pid in marked:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it was about to end
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
            continue  # it has ended, or is another user's
        if _NEEDLE in b"\0" + environment:
            found.append(int(name))
    return found
