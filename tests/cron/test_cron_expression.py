"""When schedules tick, also in the nights in which clocks change."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from django_rqlite.cron.cron_expression import cron_expression
from django_rqlite.cron.schedule import Interval, Schedule
from django_rqlite.exceptions import ConfigurationError, MissingExtraError

BERLIN = ZoneInfo("Europe/Berlin")

#: 2026-03-29: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00.
GAP, REPEATED = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)


def berlin(expression: str) -> Schedule:
    return cron_expression(expression, "Europe/Berlin", where="here")


def unix(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def in_the_day(schedule: Schedule, start: datetime, hours: int = 25) -> list[str]:
    """Ticks after the second before ``start``, as the clocks of Berlin and in UTC show them."""
    found = []
    tick, end = int(start.timestamp()) - 1, int((start + timedelta(hours=hours)).timestamp())
    while (tick := schedule.following(tick)) < end:
        moment = datetime.fromtimestamp(tick, BERLIN)
        found.append(f"{moment:%H:%M%z}".removesuffix("00"))
    return found


def test_an_interval_ticks_at_multiples_since_1970() -> None:
    schedule = Interval(300)
    now = unix("2026-05-04T12:07:03Z")
    assert schedule.latest(now) == unix("2026-05-04T12:05:00Z")
    assert schedule.following(now) == unix("2026-05-04T12:10:00Z")
    assert schedule.latest(schedule.following(now)) == schedule.following(now)


def test_an_expression_is_read_in_its_zone() -> None:
    now = unix("2026-05-04T12:07:03Z")
    assert berlin("0 9 * * *").latest(now) == unix("2026-05-04T09:00:00+02:00")
    assert berlin("0 9 * * *").following(now) == unix("2026-05-05T09:00:00+02:00")
    utc = cron_expression("0 9 * * mon-fri", "UTC", where="here")
    assert utc.latest(now) == unix("2026-05-04T09:00:00Z")


def test_a_tick_is_the_latest_at_its_own_second() -> None:
    schedule = berlin("*/5 * * * *")
    tick = unix("2026-05-04T12:05:00Z")
    assert schedule.latest(tick - 1) == tick - 300
    assert schedule.latest(tick) == tick
    assert schedule.following(tick) == tick + 300


@pytest.mark.parametrize(
    ("expression", "ticks"),
    [
        # What the gap swallows runs at its end; several become one.
        ("30 2 * * *", ["03:00+02"]),
        ("15,45 2 * * *", ["03:00+02"]),
        ("0 3 * * *", ["03:00+02"]),
        ("0 2,3 * * *", ["03:00+02"]),
        ("30 1-3 * * *", ["01:30+01", "03:00+02", "03:30+02"]),
        # What runs all the time is not made up for.
        (
            "0 * * * *",
            [f"{hour:02}:00+{1 if hour < 2 else 2:02}" for hour in range(24) if hour != 2],
        ),
    ],
)
def test_the_hour_that_a_clock_skips(expression: str, ticks: list[str]) -> None:
    assert in_the_day(berlin(expression), GAP, 23) == ticks


@pytest.mark.parametrize(
    ("expression", "ticks"),
    [
        # A fixed hour: once.
        ("30 2 * * *", ["02:30+02"]),
        ("0 2,3 * * *", ["02:00+02", "03:00+01"]),
        ("30 1-3 * * *", ["01:30+02", "02:30+02", "03:30+01"]),
    ],
)
def test_the_hour_that_a_clock_repeats(expression: str, ticks: list[str]) -> None:
    assert in_the_day(berlin(expression), REPEATED) == ticks


def test_what_runs_all_the_time_runs_through_the_repeated_hour() -> None:
    ticks = in_the_day(berlin("*/30 * * * *"), REPEATED)
    assert len(ticks) == 50
    assert ticks[4:8] == ["02:00+02", "02:30+02", "02:00+01", "02:30+01"]


@pytest.mark.parametrize("start", [GAP, REPEATED])
@pytest.mark.parametrize(
    "expression",
    [
        *("30 2 * * *", "15,45 2 * * *", "*/30 * * * *", "30 1-3 * * *", "0 3 * * *"),
        *("30 */2 * * *", "0 2 * * sun", "59 1 * * *", "5 0 1 * *"),
    ],
)
def test_the_latest_tick_is_the_last_that_followed(expression: str, start: datetime) -> None:
    schedule = berlin(expression)
    end = int((start + timedelta(days=1)).timestamp())
    tick = schedule.following(int((start - timedelta(days=40)).timestamp()))
    while tick < end:
        upcoming = schedule.following(tick)
        assert upcoming > tick
        if upcoming > start.timestamp():
            middle = (tick + upcoming) // 2
            assert [schedule.latest(at) for at in (tick, middle, upcoming - 1)] == [tick] * 3
            assert schedule.following(middle) == upcoming
        tick = upcoming


def test_aliases() -> None:
    assert berlin("@Daily") == berlin("0 0 * * *")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("* * * *", "has 4 fields"),
        ("* * * * * *", "every few seconds use an interval"),
        ("61 * * * *", "can't be read: Bad minute"),
        ("@never", "has 1 fields"),
        ("0 0 30 2 *", "can't be read: Bad day-of-month"),
        ("0 0 31 4,6 *", "can't be read"),
        ("", "has 0 fields"),
    ],
)
def test_expressions_that_mean_nothing(expression: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        berlin(expression)
    assert str(caught.value).startswith("here: ")


@pytest.mark.parametrize("zone", ["Europe/Berlyn", "", "../etc/passwd", "Europe"])
def test_zones_that_are_none(zone: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no time zone"):
        cron_expression("* * * * *", zone, where="here")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'django-rqlite\[cron\]'"):
        cron_expression("1 2 3 4 5", "UTC", where="never cached")
