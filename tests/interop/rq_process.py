"""RQ's own commands, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import URL_VARIABLE, wait_until
from tests.worker_process import ROOT

WORKER, SIMPLE_WORKER = "rq.worker.Worker", "rq.worker.SimpleWorker"


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "rq.cli", *arguments, "--url", os.environ[URL_VARIABLE]]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run_rq(*arguments: str) -> str:
    """Run a command of RQ's to a good end; gives what it printed."""
    done = subprocess.run(
        _command(*arguments),
        cwd=ROOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def rq_burst(*queues: str, kind: str = SIMPLE_WORKER, options: tuple[str, ...] = ()) -> str:
    """Have a worker of RQ's run all jobs that wait; gives what it printed."""
    return run_rq("worker", "--burst", "--worker-class", kind, *options, *queues)


@contextmanager
def rq_worker(folder: Path, *queues: str, kind: str = WORKER) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of RQ's that listens, and ends with the block."""
    path = folder / "rq-worker.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            _command("worker", "--worker-class", kind, *queues),
            cwd=ROOT,
            env=_environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def listens() -> bool:
        assert process.poll() is None, path.read_text()
        return "*** Listening on" in path.read_text()

    try:
        wait_until(listens, "RQ's worker listens")
        yield process
    finally:
        process.kill()
        process.wait()
