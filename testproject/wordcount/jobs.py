"""What the workers run: the job of RQ's first example, and one for each way a job can go."""

from __future__ import annotations

import os
import time

import requests


def count_words_at_url(url: str) -> int:
    """The number of words at ``url``, as far as words are what spaces separate."""
    resp = requests.get(url)
    return len(resp.text.split())


def divide(a: int, b: int) -> float:
    """``a / b``; fails with ZeroDivisionError when ``b`` is 0."""
    return a / b


def sleep_for(seconds: int) -> int:
    """Take ``seconds`` to do nothing; returns them."""
    time.sleep(seconds)
    return seconds


def sleep_through_timeout() -> None:
    """Sleep for a minute: to be enqueued with a timeout that is shorter."""
    time.sleep(60)


def crash() -> None:
    """End the job's process at once, without an exception, as a bug in a C library would."""
    os._exit(3)
