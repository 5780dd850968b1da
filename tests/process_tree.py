"""Which process is whose parent, as the system has it."""

from __future__ import annotations

import subprocess


def children_of(pid: int) -> list[int]:
    """The processes whose parent this is."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = (line.split() for line in listed.stdout.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def fork_server_of(worker: int) -> int:
    """The process that makes the children of this worker, which has said that it listens."""
    (server,) = children_of(worker)
    return server
