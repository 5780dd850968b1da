"""Functions that the tests enqueue."""

from __future__ import annotations

import ctypes
import decimal
import logging
import os
import signal
import subprocess
import sys
import time
from contextvars import ContextVar
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections
from django.urls import get_urlconf, set_urlconf
from django.utils import timezone, translation

from django_rqlite import Job, Retry, get_current_job, job


def add(a: int, b: int = 0) -> int:
    return a + b


def count_words_at(text: str) -> int:
    return len(text.split())


def nothing() -> None:
    """Return None."""


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
    """Leave a process behind that holds all that this one has open."""
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


def tell_file(failed: Job, kind: type[BaseException], value: BaseException, trace: Any) -> bool:
    """A handler for RQ_EXCEPTION_HANDLERS."""
    path = os.environ.get("RQ_TEST_HANDLER_FILE")
    if path:
        write(path, f"{kind.__name__} in {failed.description}\n")
    return True


def tell_success(ended: Job, connection: Any, result: Any) -> None:
    current = get_current_job()
    told = (
        f"success {ended.id} {result} {type(connection).__name__} current={current and current.id}"
    )
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
    """Use so much more memory from now on; return the process id."""
    _kept.append(b"x" * (mebibytes << 20))
    return os.getpid()


_kept: list[bytes] = []


def segfault() -> None:
    ctypes.string_at(0)


def unpicklable() -> Any:
    return lambda: None


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
    """Fail in the first runs; give the number of the run that did not."""
    write(path, "x")
    with open(path) as file:
        run = len(file.read())
    if run <= times:
        raise ValueError(f"run {run}")
    return run


def ask_for_retry(path: str, times: int) -> Any:
    """Ask for another run in the first ones; give the number of the run that did not."""
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


_tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


def look_around() -> dict[str, Any]:
    """What is active here."""
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
    """Change all that :func:`look_around` looks at."""
    translation.activate("zh-hans")
    timezone.activate("Asia/Kolkata")
    set_urlconf("tests.urls")
    decimal.getcontext().prec = 3
    _tenant.set("acme")
    return look_around()


class UnclosableCache(LocMemCache):
    """A cache whose server hung up when it was to be closed."""

    def close(self, **kwargs: object) -> None:
        raise OSError("hung up")


def use_unclosable_cache() -> int:
    caches["default"] = UnclosableCache("unclosable", {})
    return os.getpid()
