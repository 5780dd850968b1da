"""The jobs of the chaos tests. Each writes a line into a file when it begins."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from django_rqlite import Job, get_connection, get_current_job

#: Part of the text of the exceptions that jobs raise.
RAISED = "is one that fails"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job, as the job itself has recorded it."""

    job_id: str
    #: Id of the execution, read from the registry of started jobs; '' where that was not read.
    execution: str
    #: Process ids of the job's process and of its worker.
    pid: int
    worker: int


def act(folder: str, seconds: float = 0.0, failures: int = 0, ask: bool = True) -> int:
    """Record the run, sleep, and fail in the first runs; return the number of the run.

    Args:
        ask: whether to ask Redis which execution this is.
    """
    number = _record_run(Path(folder), ask)
    time.sleep(seconds)
    if number <= failures:
        raise ValueError(f"run {number} {RAISED}")
    return number


def die(folder: str) -> None:
    """Record the run, and kill the process."""
    _record_run(Path(folder), ask=False)
    os.kill(os.getpid(), signal.SIGKILL)


def record_failure(job: Job, *_: object) -> None:
    """A callback for the failure of :func:`die`."""
    with (Path(job.args[0]) / f"{job.id}.failed").open("ab", buffering=0) as file:
        file.write(b"x")


def runs(folder: Path, job_id: str) -> list[Run]:
    """Return the runs of a job in their order."""
    try:
        lines = (folder / job_id).read_text().splitlines()
    except FileNotFoundError:
        return []
    return [Run(**json.loads(line)) for line in lines]


def _record_run(folder: Path, ask: bool) -> int:
    job = get_current_job()
    assert job is not None
    run = {
        "job_id": job.id,
        "execution": _current_execution(job) if ask else "",
        "pid": os.getpid(),
        "worker": int((job.worker_name or "").rpartition(".")[2]),
    }
    path = folder / job.id
    # One write: a process that is killed has written all of it or nothing.
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(run).encode() + b"\n")
    return len(path.read_bytes().splitlines())


def _current_execution(job: Job) -> str:
    for member in get_connection(job.origin).zrange(f"rq:wip:{job.origin}", 0, -1):
        job_id, _, execution = member.decode().rpartition(":")
        if job_id == job.id:
            return execution
    return ""
