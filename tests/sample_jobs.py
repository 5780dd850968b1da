"""Functions that the tests enqueue."""

from __future__ import annotations

import ctypes
import os
import time
from typing import Any

from django_rqlite import get_current_job, job


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
            continue
    return "went on"


def write(path: str, text: str) -> None:
    with open(path, "a") as file:
        file.write(text)


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
