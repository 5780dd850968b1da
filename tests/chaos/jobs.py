"""What runs in a storm: jobs that leave a line behind whenever they begin."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from django_rqlite import Job, get_connection, get_current_job


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job, as the job itself has seen it."""

    job_id: str
    #: Of this run, as the registry of started jobs says; '' where it says nothing.
    execution: str
    #: Process ids of the job's process and of its worker.
    pid: int
    worker: int


def act(folder: str, seconds: float = 0.0, failures: int = 0, ask: bool = True) -> int:
    """Note that it begins, take a while, fail in the first runs; gives the number of the run.

    Args:
        ask: whether to ask Redis which execution this is.
    """
    number = _note(Path(folder), ask)
    time.sleep(seconds)
    if number <= failures:
        raise ValueError(f"run {number} is one that fails")
    return number


def die(folder: str) -> None:
    """Note that it begins, and take the whole process along."""
    _note(Path(folder), ask=False)
    os.kill(os.getpid(), signal.SIGKILL)


def tell_of_death(job: Job, *_: object) -> None:
    """A callback for the failure of :func:`die`."""
    with (Path(job.args[0]) / f"{job.id}.told").open("ab", buffering=0) as file:
        file.write(b"x")


def runs(folder: Path, job_id: str) -> list[Run]:
    """The runs of a job, in their order."""
    try:
        lines = (folder / job_id).read_text().splitlines()
    except FileNotFoundError:
        return []
    return [Run(**json.loads(line)) for line in lines]


def _note(folder: Path, ask: bool) -> int:
    job = get_current_job()
    assert job is not None
    run = {
        "job_id": job.id,
        "execution": _execution(job) if ask else "",
        "pid": os.getpid(),
        "worker": int((job.worker_name or "").rpartition(".")[2]),
    }
    path = folder / job.id
    # One write: a process that is killed has written all of it or nothing.
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(run).encode() + b"\n")
    return len(path.read_bytes().splitlines())


def _execution(job: Job) -> str:
    for member in get_connection(job.origin).zrange(f"rq:wip:{job.origin}", 0, -1):
        job_id, _, execution = member.decode().rpartition(":")
        if job_id == job.id:
            return execution
    return ""
