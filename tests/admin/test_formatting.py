"""Times, durations and long text, as people read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from django_rqlite.admin import formatting, payloads


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (0.25, "250 ms"),
        (59.9, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (15_000, "4 h 10 min"),
        (86_400, "1 d"),
        (31_536_000, "365 d"),
        (266_400, "3 d 2 h"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    assert formatting.duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "exact", "coarse"),
    [
        (-15_000.5, "4 h 10 min ago", "4 h ago"),
        (-7, "7 s ago", "7 s ago"),
        (15_000.5, "in 4 h 10 min", "in 4 h"),
        (266_400.5, "in 3 d 2 h", "in 3 d"),
    ],
)
def test_relative_times(seconds: float, exact: str, coarse: str) -> None:
    moment = formatting.now() + timedelta(seconds=seconds)
    assert formatting.relative(moment) == exact
    assert formatting.relative(moment, coarse=True) == coarse


@pytest.mark.parametrize("score", [None, -1.0, float("inf"), 1e300, float("nan")])
def test_scores_that_are_no_times(score: float | None) -> None:
    assert formatting.from_timestamp(score) is None


def test_a_long_traceback_keeps_its_ends() -> None:
    text = "Traceback\n" + "x" * 1_000_000 + "\nValueError: at last"
    found = formatting.traceback(text)
    assert found.startswith("Traceback\n")
    assert found.endswith("\nValueError: at last")
    assert "\n… 980030 characters left out …\n" in found
    assert len(found) < 21_000
    assert formatting.last_line(text) == "ValueError: at last"
    assert formatting.traceback("short") == "short"


def test_what_is_too_large_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "MAX_PAYLOAD", 10)
    assert payloads.format_value(b"[1, 2]") == payloads.Value("[1, 2]")
    assert (
        payloads.format_value(b"[1, 2, 3, 4]").problem == "It is too large to be shown: 12 bytes."
    )
