from __future__ import annotations

from fractions import Fraction
from numbers import Integral
from typing import Any

import pytest

from django_rqlite.exceptions import InvalidDurationError, InvalidJobError
from django_rqlite.protocol.durations import LONGEST, parse_duration


class Whole:
    """An integer like numpy's: registered as Integral, but not an int."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __int__(self) -> int:
        return self._number


Integral.register(Whole)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (0, 0),
        (90, 90),
        (90.0, 90),
        (10.5, 11),
        (0.001, 1),
        (Fraction(3, 2), 2),
        (Whole(7), 7),
        ("90", 90),
        (" 90 ", 90),
        ("90s", 90),
        ("1h", 3600),
        ("1H30M", 5400),
        ("1h 30m", 5400),
        ("1h30m15s", 5415),
        ("2d", 172800),
        ("1d1s", 86401),
        (-1, -1),
        ("-1", -1),
        (-1.0, -1),
        (LONGEST, LONGEST),
    ],
)
def test_accepts(value: Any, seconds: int | None) -> None:
    parsed = parse_duration(value, name="ttl")

    assert parsed == seconds
    assert parsed is None or type(parsed) is int


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, -1.5, -0.5, float("nan"), float("inf"), b"90", [90], object()),
        *(
            "",
            " ",
            "abc",
            "1x",
            "h",
            "1.5h",
            "30m1h",
            "1h1h",
            "1h-5m",
            "1_000",
            "+5",
            "٣",
            "9" * 99,
        ),
    ],
)
def test_refuses_what_is_no_duration(value: object) -> None:
    with pytest.raises(InvalidDurationError, match=r"job_timeout is .*, which is not a duration"):
        parse_duration(value, name="job_timeout")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-2, "-5", LONGEST + 1, "99999999d"])
def test_refuses_what_is_out_of_range(value: int | str) -> None:
    with pytest.raises(InvalidDurationError, match=r"result_ttl is .*, but the (least|most) is"):
        parse_duration(value, name="result_ttl")


@pytest.mark.parametrize("value", [0, "0", "0h"])
def test_minimum_refuses_zero(value: int | str) -> None:
    assert parse_duration(value, name="ttl") == 0
    with pytest.raises(InvalidDurationError, match=r"ttl is .*, but the least is 1 s, or -1"):
        parse_duration(value, name="ttl", minimum=1)


def test_minus_one_needs_permission() -> None:
    assert parse_duration(-1, name="ttl", minimum=1) == -1
    with pytest.raises(InvalidDurationError, match=r"ttl is -1, but the least is 0 s\."):
        parse_duration(-1, name="ttl", forever=False)


def test_is_an_invalid_job_to_the_enqueueing_call() -> None:
    with pytest.raises(InvalidJobError):
        parse_duration("soon", name="ttl")
