"""What both workers run: functions that know neither Django nor a queue, but for two."""

from __future__ import annotations

import os
import time
from typing import Any


def add(a: int, b: int = 0) -> int:
    return a + b


def divide(a: int, b: int) -> float:
    return a / b


def echo(value: Any) -> Any:
    return value


def nothing() -> None:
    """Return None."""


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def write_line(path: str, text: str) -> None:
    """Append a line in one step, whoever else does."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, f"{text}\n".encode())
    finally:
        os.close(file)


def block_on(path: str) -> str:
    """Wait until a named pipe is written to."""
    with open(path) as pipe:
        return pipe.read()


def write_and_block(path: str, pipe: str) -> str:
    write_line(path, "ran")
    return block_on(pipe)


class Greeter:
    def __init__(self, greeting: str) -> None:
        self.greeting = greeting

    def greet(self, name: str) -> str:
        return f"{self.greeting}, {name}"


def note(key: str, value: Any) -> Any:
    """Write into the job's meta as jobs of django_rqlite do."""
    from django_rqlite import get_current_job

    job = get_current_job()
    assert job is not None
    job.meta[key] = value
    job.save_meta()
    return job.meta


def note_as_rq(key: str, value: Any) -> Any:
    """Write into the job's meta as jobs of RQ do."""
    from rq import get_current_job

    job = get_current_job()
    assert job is not None
    job.meta[key] = value
    job.save_meta()
    return job.meta


def read(path: str) -> str:
    with open(path) as file:
        return file.read()


def tell_success(job: Any, connection: Any, result: str) -> None:
    write_line(result, "success")


def tell_failure(job: Any, connection: Any, kind: type, value: Any, trace: Any) -> None:
    write_line(job.meta["told"], f"failure {kind.__name__}")


def ask_for_retry(path: str, runs: int) -> Any:
    """Return RQ's Retry in all runs but the last."""
    import rq

    write_line(path, "ran")
    with open(path) as file:
        run = len(file.readlines())
    return run if run == runs else rq.Retry(max=5)
