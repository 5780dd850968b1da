"""Types of command options that are numbers."""

from __future__ import annotations

import argparse


def positive_integer(text: str) -> int:
    """Parse a whole number of at least 1."""
    return _integer_of_at_least(1, text)


def non_negative_integer(text: str) -> int:
    """Parse a whole number of at least 0."""
    return _integer_of_at_least(0, text)


def _integer_of_at_least(minimum: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = minimum - 1
    if number < minimum:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {minimum}")
    return number
