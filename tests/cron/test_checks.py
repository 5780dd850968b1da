"""What ``manage.py check`` says of ``RQ["CRON"]``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks

from django_rqlite import checks

if TYPE_CHECKING:
    from django.core.checks import CheckMessage
    from pytest_django.fixtures import SettingsWrapper

ADD: dict[str, Any] = {"func": "tests.sample_jobs.add", "interval": 60}


def check(settings: SettingsWrapper, entries: Any) -> list[tuple[str, CheckMessage]]:
    settings.RQ = {"CRON": entries}
    found = checks.check_cron(None)
    return [(str(message.id).removeprefix("django_rqlite."), message) for message in found]


@pytest.mark.parametrize(
    "entries",
    [
        None,
        {},
        {"sums": ADD},
        {"sums": {"func": "tests.sample_jobs.add", "cron": "@daily", "timezone": "Asia/Tokyo"}},
        {"sums": {**ADD, "queue": "low", "args": (1,), "kwargs": {"b": 2}, "ttl": "1h"}},
    ],
)
def test_finds_nothing_in_good_entries(settings: SettingsWrapper, entries: Any) -> None:
    assert check(settings, entries) == []


@pytest.mark.parametrize(
    ("entries", "expected", "message"),
    [
        (["sums"], "E025", "RQ['CRON'] must be a dictionary, not list"),
        ({"sums": 5}, "E026", "RQ['CRON']['sums'] must be a dictionary"),
        ({"": ADD}, "E026", "must be non-empty text"),
        ({5: ADD}, "E026", "must be non-empty text"),
        ({"sums": {**ADD, "queue": "lo"}}, "E026", "Configured queues: 'low'"),
        ({"sums": {**ADD, "interval": "x"}}, "E026", "is not a duration"),
        ({"sums": {**ADD, "args": [lambda: 1]}}, "E026", "can't be serialized"),
        ({"sums": {**ADD, "func": "tests.sample_jobs.gone"}}, "E027", "can't be imported"),
        ({"sums": {**ADD, "func": "tests.importable.raises.job"}}, "E027", "can't be imported"),
        ({"sums": {**ADD, "func": "no_such_app.jobs.f"}}, "E027", "No module named"),
        ({"sums": {**ADD, "func": "tests.settings.SECRET_KEY"}}, "E027", "can't be called"),
        ({"sums": {**ADD, "ques": "low"}}, "W011", "unknown key 'ques'"),
        ({"sums": {**ADD, "timezone": "UTC"}}, "W012", "no effect beside an interval"),
    ],
)
def test_finds_mistakes(
    settings: SettingsWrapper, entries: Any, expected: str, message: str
) -> None:
    ((code, found),) = check(settings, entries)
    assert code == expected
    assert message in found.msg


def test_names_the_nearest_key(settings: SettingsWrapper) -> None:
    ((_, found),) = check(settings, {"sums": {**ADD, "job_timout": 5}})
    assert found.hint == "Did you mean 'job_timeout'?"


def test_reports_all_mistakes_at_once(settings: SettingsWrapper) -> None:
    bad = {"func": "nonsense here", "queue": "lo", "ttl": "x", "colour": 1}
    found = check(settings, {"bad": bad, "worse": 5})
    assert [code for code, _ in found] == ["E026", "E026", "E026", "E026", "W011", "E026"]


def test_the_missing_extra_is_said_once(
    settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    unusual = {"func": "tests.sample_jobs.add", "cron": "17 4 3 2 1"}
    ((code, found),) = check(settings, {"a": unusual, "b": unusual, "fine": ADD})
    assert code == "E028"
    assert "pip install 'django-rqlite[cron]'" in found.msg


def test_is_registered(settings: SettingsWrapper) -> None:
    settings.RQ = {"CRON": {"sums": 5}}
    assert "django_rqlite.E026" in [message.id for message in run_checks()]


def test_leaves_what_is_no_dictionary_to_another_check(settings: SettingsWrapper) -> None:
    settings.RQ = 5
    assert checks.check_cron(None) == []
