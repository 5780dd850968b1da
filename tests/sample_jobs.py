"""Functions that the tests enqueue."""

from __future__ import annotations

import ctypes
import decimal
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from contextvars import ContextVar
from typing import Any

import redis
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections
from django.urls import get_urlconf, set_urlconf
from django.utils import timezone, translation

from django_rqlite import Job, Retry, enqueue, get_current_job, job


def add(a: int, b: int = 0) -> int:
    return a + b


def count_words_at(text: str) -> int:
    return len(text.split())


def nothing() -> None:
    """Return None."""


def enqueue_another() -> str:
    """Enqueue a job, and return its id."""
    return enqueue(add, 1).id


def divide(a: int, b: int) -> float:
    return a / b


def leave(status: int) -> None:
    os._exit(status)


def sys_exit() -> None:
    sys.exit(4)


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def echo(value: Any) -> Any:
    return value


def recurse() -> None:
    recurse()


class Unshowable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raise_unshowable() -> None:
    raise Unshowable


def close_all_files() -> None:
    os.closerange(3, 1000)


def scribble() -> None:
    """Write into every socket this process has, one of which is its pipe to the worker."""
    for descriptor in range(3, 100):
        try:
            os.write(descriptor, b"garbage" * 100)
        except OSError:
            pass  # not open, or not for writing
    time.sleep(30)


def start_process(path: str) -> None:
    """Leave a process behind that holds all files that this one has open."""
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    with open(path, "w") as file:
        file.write(str(pid))


def start_process_and_hang(path: str) -> None:
    process = subprocess.Popen(["sleep", "60"])
    with open(path, "w") as file:
        file.write(str(process.pid))
    swallow_timeouts(60)


def start_process_and_time_out(path: str, how: str) -> str:
    """Leave a process behind that goes on when this one has ended.

    Args:
        how: what becomes of the exception: raised on, made another, or swallowed.
    """
    process = subprocess.Popen(["sleep", "60"])
    write(path, str(process.pid))
    try:
        time.sleep(60)
    except Exception as exc:
        if how == "raises":
            raise
        if how == "raises another":
            raise ValueError("what happened?") from exc
    return "went on"


def start_process_and_return(path: str) -> None:
    write(path, str(subprocess.Popen(["sleep", "60"]).pid))


def leave_reading(pipe: str, path: str) -> None:
    """Leave a process behind that ends once a named pipe is written to."""
    write(path, str(subprocess.Popen(["sh", "-c", f"read it < {pipe}"]).pid))


def fork_and(how: str) -> int:
    """Fork, and let the forked process return from the job too. Return its exit status."""
    logger = logging.getLogger("shop.mail")
    logger.warning("sent at once")
    logger.warning("sent with the next")
    sys.stdout.write("said in part, ")
    pid = os.fork()
    if pid == 0:
        logger.warning("from the forked process")
        if how == "raises":
            raise ValueError("raised in the forked process")
        if how == "exits":
            sys.exit(7)
        return -1
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fork_by_multiprocessing() -> int | None:
    logging.getLogger("shop.mail").warning("sent at once")
    logging.getLogger("shop.mail").warning("sent with the next")
    process = multiprocessing.get_context("fork").Process(target=log_lines, args=(100,))
    process.start()
    process.join()
    return process.exitcode


def tell_and_fork(*arguments: Any) -> None:
    """A callback that forks, and returns in the forked process too."""
    ended = arguments[0]
    pid = os.fork()
    if pid == 0:
        if isinstance(arguments[2], str):
            raise ValueError("raised in the forked process")
        return
    _, status = os.waitpid(pid, 0)
    told = f"{ended.id} forked {os.waitstatus_to_exitcode(status)}"
    write(os.environ["RQ_TEST_TELL"], f"{told}\n")


def handle_and_fork(failed: Job, *_: Any) -> bool:
    """The same as a handler for RQ_EXCEPTION_HANDLERS."""
    tell_and_fork(failed, None, None)
    return True


def tell_state(ended: Job, *_: Any) -> None:
    """A callback that records the state of its job."""
    lasted = ended.ended_at and ended.started_at and ended.ended_at >= ended.started_at
    told = (
        f"{ended.id} {ended.get_status(refresh=False)} {ended.get_status()} "
        f"{ended.result} {ended.return_value()} {lasted}"
    )
    write(os.environ["RQ_TEST_TELL"], f"{told}\n")


def tell_state_and_fail(ended: Job, *_: Any) -> None:
    tell_state(ended)
    raise ValueError("the callback failed")


def tell_file(failed: Job, kind: type[BaseException], value: BaseException, trace: Any) -> bool:
    """A handler for RQ_EXCEPTION_HANDLERS."""
    path = os.environ.get("RQ_TEST_HANDLER_FILE")
    if path:
        write(path, f"{kind.__name__} in {failed.description}\n")
    return True


def tell_success(ended: Job, connection: Any, result: Any) -> None:
    current = get_current_job()
    assert isinstance(connection, redis.Redis)
    told = f"success {ended.id} {result} current={current and current.id}"
    write(os.environ["RQ_TEST_TELL"], f"{told}\n")


def tell_failure(
    ended: Job, connection: Any, kind: type[BaseException], value: BaseException, trace: Any
) -> None:
    told = f"failure {ended.id} {kind.__name__} {value} {'traceback' if trace else 'no traceback'}"
    write(os.environ["RQ_TEST_TELL"], f"{told}\n")


def tell_stopped(ended: Job, connection: Any) -> None:
    write(os.environ["RQ_TEST_TELL"], f"stopped {ended.id} {ended.get_status()}\n")


def take_long(*_: Any) -> None:
    time.sleep(30)


def keep_memory(mebibytes: int) -> int:
    """Use so many MiB more from now on, and return the process id."""
    _kept.append(b"x" * (mebibytes << 20))
    return os.getpid()


_kept: list[bytes] = []


def segfault() -> None:
    ctypes.string_at(0)


def run_and_return_lock(path: str) -> Any:
    write(path, "x")
    return threading.Lock()


def make_lock() -> Any:
    return threading.Lock()


def run_and_return_bytes(path: str, length: int) -> bytes:
    write(path, "x")
    return b"x" * length


def make_bytes(length: int) -> bytes:
    return b"x" * length


def make_set(length: int) -> set[int]:
    return set(range(length))


def swallow_timeouts(seconds: float) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            time.sleep(0.05)
        except Exception:
            until += 0  # as code does that takes every error for a hiccup
    return "went on"


def write(path: str, text: str) -> None:
    with open(path, "a") as file:
        file.write(text)


def use_database() -> dict[str, Any]:
    open_at_the_start = [
        link.alias for link in connections.all(initialized_only=True) if link.connection
    ]
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
        (answer,) = cursor.fetchone()
    return {"open at the start": open_at_the_start, "answer": answer}


def fail_at_first(path: str, times: int) -> int:
    """Fail in the first runs; later return the number of the run."""
    write(path, "x")
    with open(path) as file:
        run = len(file.read())
    if run <= times:
        raise ValueError(f"run {run}")
    return run


def fail_at_first_then_block(runs: str, pipe: str) -> str:
    """Fail in the first run; in the second, wait until a named pipe is written to."""
    fail_at_first(runs, 1)
    return block_on(pipe)


def ask_for_retry(path: str, times: int) -> Any:
    """Ask for another run in the first runs; later return the number of the run."""
    write(path, "x")
    with open(path) as file:
        run = len(file.read())
    return Retry(3) if run <= times else run


def write_pid_and_hang(path: str) -> None:
    write(path, str(os.getpid()))
    time.sleep(60)


def wait_for(path: str) -> str:
    """Wait until a file is there."""
    while not os.path.exists(path):
        time.sleep(0.02)
    return path


def block_on(path: str) -> str:
    """Wait until a named pipe is written to."""
    with open(path) as pipe:
        return pipe.read()


async def add_later(a: int, b: int) -> int:
    return a + b


def count_in_meta() -> int:
    current = get_current_job()
    assert current is not None
    current.meta["progress"] = current.meta.get("progress", 0) + 50
    current.save_meta()
    return int(current.meta["progress"])


@job
def decorated(a: int) -> int:
    return a * 2


@job("high", timeout="1m", result_ttl=60)
def decorated_high(a: int) -> int:
    return a * 3


class Greeter:
    def __init__(self, greeting: str) -> None:
        self.greeting = greeting

    def greet(self, name: str) -> str:
        return f"{self.greeting}, {name}"

    def __call__(self, name: str) -> str:
        return f"{self.greeting}! {name}"

    @staticmethod
    def shout(text: str) -> str:
        return text.upper()


def log_lines(count: int, last: str = "") -> None:
    """Log through ``logging``, as any code of a project does."""
    for number in range(count):
        logging.getLogger("shop.mail").warning("line %d of %d", number, count)
    if last:
        logging.getLogger("shop.mail").error(last)


def log_and_die() -> None:
    logging.getLogger("shop.mail").warning("last words")
    kill_itself()


def wait_and_die(path: str) -> None:
    wait_for(path)
    kill_itself()


def fail_and_note(path: str) -> None:
    write(path, "f")
    raise ValueError(path)


def fail_with(text: str) -> None:
    raise ValueError(text)


def look_at(job_id: str) -> dict[str, str]:
    """Return what each access to another job's serialized values raises."""
    other = Job.fetch(job_id)
    looks = {
        "args": lambda: other.args,
        "func": lambda: other.func,
        "call": other.get_call_string,
        "meta": lambda: other.meta,
        "get_meta": other.get_meta,
        "result": lambda: other.result,
        "return_value": other.return_value,
        "results": lambda: [result.return_value for result in other.results()],
        "copied": other.copied,
        "to_fields": other.to_fields,
    }
    told = {}
    for name, look in looks.items():
        try:
            told[name] = f"no error but {look()!r}"
        except Exception as exc:
            told[name] = type(exc).__name__
    return told


_tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


def look_around() -> dict[str, Any]:
    """Return the settings that are active in this context."""
    return {
        "language": translation.get_language(),
        "time zone": timezone.get_current_timezone_name(),
        "URLconf": get_urlconf(),
        "precision": decimal.getcontext().prec,
        "tenant": _tenant.get(),
        "cache": id(caches["default"]),
        "process": os.getpid(),
    }


def settle_in() -> dict[str, Any]:
    """Change everything that :func:`look_around` returns."""
    translation.activate("zh-hans")
    timezone.activate("Asia/Kolkata")
    set_urlconf("tests.urls")
    decimal.getcontext().prec = 3
    _tenant.set("acme")
    return look_around()


class UnclosableCache(LocMemCache):
    """A cache that cannot be closed because its server has closed the connection."""

    def close(self, **kwargs: object) -> None:
        raise OSError("hung up")


def use_unclosable_cache() -> int:
    caches["default"] = UnclosableCache("unclosable", {})
    return os.getpid()
