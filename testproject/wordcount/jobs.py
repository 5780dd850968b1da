"""The functions that the workers run: the example of RQ's README, and one for each outcome."""

from __future__ import annotations

import os
import time

import requests


def count_words_at_url(url: str) -> int:
    """Return the number of words at ``url``, separated by white space."""
    resp = requests.get(url)
    return len(resp.text.split())


def divide(a: int, b: int) -> float:
    """Return ``a / b``. Raises ZeroDivisionError if ``b`` is 0."""
    return a / b


def sleep_for(seconds: int) -> int:
    """Sleep for ``seconds`` and return them."""
    time.sleep(seconds)
    return seconds


def sleep_through_timeout() -> None:
    """Sleep for a minute; enqueued with a shorter timeout."""
    time.sleep(60)


def crash() -> None:
    """End the job's process without an exception, as a bug in a C library could."""
    os._exit(3)
