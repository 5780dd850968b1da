"""The parents and children of processes."""

from __future__ import annotations

import subprocess


def children_of(pid: int) -> list[int]:
    """Return the ids of the children of a process."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = (line.split() for line in listed.stdout.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def fork_server_of(worker: int) -> int:
    """Return the id of the fork server of a worker that has said that it listens."""
    (server,) = children_of(worker)
    return server
