"""Cron entries, their next ticks, and their records in Redis."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis as redis_py

from django_rqlite import get_connection, get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.cron import register
from django_rqlite.cron.config_file import take_registered
from django_rqlite.cron.cron_expression import cron_expression
from django_rqlite.cron.entries import Entries, Entry, from_settings
from django_rqlite.cron.schedule import Interval
from django_rqlite.cron.ticker import Ticker, next_look, plan
from django_rqlite.engine.engine import Engine
from django_rqlite.exceptions import ConfigurationError
from django_rqlite.protocol.keys import Keys
from tests import sample_jobs

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

    from tests.conftest import Server

KEYS = Keys()
HOUR = 3600
DAY = 24 * HOUR

#: 2026-05-04, 12:00 UTC
NOON = 1_777_896_000

ADD: dict[str, Any] = {"func": "tests.sample_jobs.add", "interval": 60, "args": [1, 2]}


def entry(name: str = "hourly", seconds: int = HOUR, **parts: Any) -> Entry:
    return Entry(name, "tests.sample_jobs.nothing", Interval(seconds), "default", "here", **parts)


def due(entries: list[Entry], floors: dict[str, int], now: float) -> list[tuple[str, int, int]]:
    return [(each.entry.name, each.tick, each.next_tick) for each in plan(entries, floors, now)]


# What is planned


def test_a_tick_is_due_from_its_second_on() -> None:
    floors = {"hourly": NOON - HOUR}
    assert due([entry()], floors, NOON - 0.001) == []
    assert due([entry()], floors, NOON) == [("hourly", NOON, NOON + HOUR)]
    assert due([entry()], floors, NOON + 59.9) == [("hourly", NOON, NOON + HOUR)]


def test_a_settled_tick_is_not_due() -> None:
    assert due([entry()], {"hourly": NOON}, NOON + 5) == []


def test_an_outage_longer_than_a_tick_is_made_up_for_once() -> None:
    floors = {"hourly": NOON - 3 * DAY}
    assert due([entry()], floors, NOON + 1) == [("hourly", NOON, NOON + HOUR)]


def test_an_entry_that_began_after_its_tick_owes_nothing() -> None:
    nightly = Entry(
        "nightly", "a.b", cron_expression("0 3 * * *", "UTC", where=""), "default", "here"
    )
    assert due([nightly], {"nightly": NOON}, NOON + 1) == []
    assert due([nightly], {"nightly": NOON}, NOON + 15 * HOUR) == [
        ("nightly", NOON + 15 * HOUR, NOON + 15 * HOUR + DAY)
    ]


def test_each_entry_has_its_own_ticks() -> None:
    entries = [entry("a", 60), entry("b", 90)]
    floors = {"a": NOON - 60, "b": NOON - 90}
    assert due(entries, floors, NOON) == [("a", NOON, NOON + 60), ("b", NOON, NOON + 90)]
    assert next_look(entries, NOON) == NOON + 60
    assert next_look(entries, NOON + 61) == NOON + 90


# Entries of the settings


def given(settings: SettingsWrapper, **entries: Any) -> Entries:
    settings.RQ = {"CRON": entries}
    return from_settings()


def test_reads_entries(settings: SettingsWrapper) -> None:
    found = given(
        settings,
        often={**ADD, "interval": "5m", "queue": "low"},
        nightly={
            "func": sample_jobs.add,
            "cron": "0 3 * * *",
            "timezone": "Europe/Berlin",
            "args": (1,),
            "kwargs": {"b": 2},
            "job_timeout": "1h",
            "result_ttl": 5,
            "failure_ttl": 6,
            "ttl": 7,
            "at_front": True,
            "description": "d",
            "meta": {"m": 1},
        },
    )
    assert found.problems == []
    often, nightly = found.good
    assert often.schedule == Interval(300)
    assert often.queue == "low"
    assert str(nightly.schedule) == "0 3 * * * Europe/Berlin"
    job, fields = nightly.job()
    assert (job.func_name, job.args, job.kwargs) == ("tests.sample_jobs.add", (1,), {"b": 2})
    assert (job.timeout, job.result_ttl, job.failure_ttl, job.ttl) == (3600, 5, 6, 7)
    assert (job.description, job.meta) == ("d", {"m": 1})
    assert fields["x_cron"] == "nightly"


def test_describes_jobs_by_entry_and_call(settings: SettingsWrapper) -> None:
    (found,) = given(settings, sums=ADD).good
    assert found.job()[0].description == "sums: tests.sample_jobs.add(1, 2)"


def test_the_zone_is_that_of_the_project(settings: SettingsWrapper) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    (found,) = given(settings, nightly={"func": "a.b", "cron": "0 3 * * *"}).good
    assert str(found.schedule) == "0 3 * * * Asia/Tokyo"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (5, "must be a dictionary, not int"),
        ({"interval": 5}, "has no 'func'"),
        ({**ADD, "func": "nonsense here"}, "['func']: 'nonsense here' is not a dotted path"),
        ({**ADD, "func": lambda: 1}, "can't be enqueued"),
        ({**ADD, "cron": "* * * * *"}, "has both 'cron' and 'interval'"),
        ({"func": "a.b"}, "has neither 'cron' nor 'interval'"),
        ({**ADD, "interval": "soon"}, "['interval'] is 'soon', which is not a duration"),
        ({**ADD, "interval": 0}, "['interval'] is 0, but the least is 1 s."),
        ({**ADD, "interval": -1}, "['interval'] is -1, but the least is 1 s."),
        ({"func": "a.b", "cron": "* * *"}, "has 3 fields"),
        ({"func": "a.b", "cron": 5}, "['cron'] must be text, not int"),
        ({"func": "a.b", "cron": "* * * * *", "timezone": "Mars"}, "no time zone 'Mars'"),
        ({**ADD, "queue": "lo"}, "RQ_QUEUES has no queue 'lo'. Configured queues: 'low'"),
        ({**ADD, "queue": ["low"]}, "RQ_QUEUES has no queue"),
        ({**ADD, "job_timeout": "x"}, "job_timeout is 'x', which is not a duration"),
        ({**ADD, "meta": 5}, "meta must be a dictionary"),
        ({**ADD, "args": "ab"}, "['args'] must be a tuple or a list, not str"),
        ({**ADD, "kwargs": [1]}, "['kwargs'] must be a dictionary, not list"),
        ({**ADD, "args": [lambda: 1]}, "argument 1 (a function) can't be serialized"),
    ],
)
def test_a_bad_entry_is_a_problem_and_the_others_stay(
    settings: SettingsWrapper, keys: Any, message: str
) -> None:
    found = given(settings, bad=keys, fine=ADD)
    assert [each.name for each in found.good] == ["fine"]
    (problem,) = found.problems
    assert problem.startswith("RQ['CRON']['bad']")
    assert message in problem


def test_what_is_no_dictionary_is_a_problem(settings: SettingsWrapper) -> None:
    settings.RQ = {"CRON": ["nightly"]}
    assert from_settings().problems == (
        "RQ['CRON'] must be a dictionary, not list. For example: "
        "{'nightly': {'func': 'myapp.jobs.tidy', 'cron': '0 3 * * *'}}",
    )


def test_without_the_extra_intervals_still_work(
    settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    unusual = {"func": "a.b", "cron": "17 4 3 2 1"}
    found = given(settings, sums=ADD, a=unusual, b=unusual)
    assert [each.name for each in found.good] == ["sums"]
    (problem,) = found.problems
    assert "pip install 'django-rqlite[cron]'" in problem
    assert problem.endswith("Left out: 'a', 'b'.")


# Telling Redis


def ticker(*entries: Entry) -> Ticker:
    return Ticker(Broker.of(get_connection()), entries)


def backdate(redis: redis_py.Redis, found: Entry, last_tick: int) -> None:
    """Have Redis know an entry whose last tick was then."""
    record = {"schedule": str(found.schedule), "since": last_tick, "last_tick": last_tick}
    redis.hset(KEYS.cron_entry(found.name), mapping=record)


def entries_of_jobs(redis: redis_py.Redis) -> list[bytes | None]:
    queue = get_queue("default")
    return [redis.hget(KEYS.job(job_id), "x_cron") for job_id in queue.job_ids]


def test_without_entries_it_is_never_due(redis: redis_py.Redis) -> None:
    assert ticker().due_at is None
    assert ticker().tick_if_due() == 0
    assert redis.keys() == []


def test_a_new_entry_waits_for_its_next_tick(redis: redis_py.Redis) -> None:
    mine = ticker(entry(seconds=DAY))
    assert mine.tick_if_due() == 0
    assert redis.zrange(KEYS.cron_entries, 0, -1) == [b"hourly"]
    record = redis.hgetall(KEYS.cron_entry("hourly"))
    assert record[b"schedule"] == b"every 86400 s"
    assert record[b"func"] == b"tests.sample_jobs.nothing"
    assert int(record[b"next_tick"]) % DAY == 0
    assert mine.due_at is not None


def test_what_was_missed_runs_once(redis: redis_py.Redis, caplog: pytest.LogCaptureFixture) -> None:
    late = entry(seconds=DAY)
    backdate(redis, late, NOON - 5 * DAY)
    assert sum(ticker(late).tick_if_due() for _ in range(3)) == 1
    assert entries_of_jobs(redis) == [b"hourly"]
    assert "hourly was due" in caplog.text
    assert "runs once for all ticks that it missed" in caplog.text


def test_a_paused_entry_is_passed_over_until_its_next_tick(
    redis: redis_py.Redis, round_trips: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    late = entry(seconds=DAY)
    backdate(redis, late, NOON - 5 * DAY)
    Engine(Broker(redis)).cron_pause(late.name)
    mine = ticker(late)
    with caplog.at_level(logging.INFO):
        assert mine.tick_if_due() == 0
        # It does not ask again and again, not even if it is woken.
        round_trips.clear()
        mine.due_at = 0
        assert mine.tick_if_due() == 0
    assert round_trips == []
    assert mine.due_at > time.monotonic() + 1
    assert caplog.text == ""
    # Nor does any other, once it is resumed: what passed is not made up for.
    Engine(Broker(redis)).cron_resume(late.name)
    assert ticker(late).tick_if_due() == mine.tick_if_due() == 0
    assert entries_of_jobs(redis) == []


def test_an_answer_that_was_lost(redis: redis_py.Redis) -> None:
    """The script ran, the connection broke: the tick is proposed again and stays one job."""
    late = entry(seconds=DAY)
    backdate(redis, late, NOON - DAY)
    mine = ticker(late)
    engine = mine._engine
    first = engine.cron_tick

    def breaks(*args: Any, **kwargs: Any) -> Any:
        first(*args, **kwargs)
        raise redis_py.ConnectionError("gone")

    class Broken:
        cron_tick = staticmethod(breaks)
        cron_announce = engine.cron_announce

    mine._engine = Broken()  # type: ignore[assignment]
    with pytest.raises(redis_py.ConnectionError):
        mine.tick_if_due()
    mine._engine = engine
    assert mine.tick_if_due() == 0
    assert entries_of_jobs(redis) == [b"hourly"]


def test_a_host_whose_clock_is_wrong_goes_by_the_servers(redis: redis_py.Redis) -> None:
    mine = ticker(entry(seconds=DAY))
    mine._offset += 10 * DAY  # as if time.time() had been asked on such a host
    assert mine.tick_if_due() == 0
    assert abs(mine.server_time - float(redis.time()[0])) < 2


def test_foreign_data_under_a_queue_is_said_once(
    redis: redis_py.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    bad, fine = entry("bad", DAY), entry("fine", DAY)
    for each in (bad, fine):
        backdate(redis, each, NOON - DAY)
    redis.set(KEYS.queue("default"), "foreign")

    mine = ticker(bad)
    assert mine.tick_if_due() == 0
    assert mine.tick_if_due() == 0
    assert caplog.text.count("entry 'bad' is left out") == 1

    redis.delete(KEYS.queue("default"))
    assert ticker(fine).tick_if_due() == 1


def test_a_job_that_can_no_longer_be_made_is_said_once(
    redis: redis_py.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    changed: list[Any] = []
    bad = entry("bad", DAY, args=changed)
    backdate(redis, bad, NOON - DAY)
    mine = ticker(bad)
    changed.append(lambda: 1)
    assert mine.tick_if_due() == 0
    assert "entry 'bad' is left out: its job can't be made" in caplog.text


def test_foreign_data_under_the_list_of_entries(redis: redis_py.Redis) -> None:
    redis.set(KEYS.cron_entries, "foreign")
    mine = ticker(entry(seconds=1))
    mine.tick_if_due()
    assert mine.due_at is not None, "the entry ticks all the same"
    assert redis.get(KEYS.cron_entries) == b"foreign"


def test_an_outage_is_the_callers(server: Server) -> None:
    nobody = redis_py.Redis(host="localhost", port=1)
    mine = Ticker(Broker(nobody), [entry()])
    with pytest.raises(redis_py.ConnectionError):
        mine.tick_if_due()


def of_the_worker() -> Ticker:
    return Ticker.from_settings(get_connection(), Broker.of(get_connection()))


def test_a_worker_evaluates_the_entries_of_its_server(settings: SettingsWrapper) -> None:
    settings.RQ_QUEUES = {
        **settings.RQ_QUEUES,
        "elsewhere": {"URL": "redis://localhost:1/0"},
    }
    settings.RQ = {"CRON": {"here": ADD, "there": {**ADD, "queue": "elsewhere"}}}
    assert [each.name for each in of_the_worker().entries] == ["here"]


def test_a_function_that_cannot_be_imported_is_said(
    settings: SettingsWrapper, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RQ = {
        "CRON": {
            "gone": {**ADD, "func": "tests.sample_jobs.gone"},
            "raises": {**ADD, "func": "tests.importable.raises.job"},
            "value": {**ADD, "func": "tests.cron.test_entries.HOUR"},
            "bad": {"func": "a.b"},
        }
    }
    with caplog.at_level(logging.ERROR):
        assert [each.name for each in of_the_worker().entries] == ["gone", "raises", "value"]
    assert "entry 'gone': the function 'tests.sample_jobs.gone' can't be imported" in caplog.text
    assert "entry 'raises': the function" in caplog.text
    assert "'tests.cron.test_entries.HOUR' can't be called" in caplog.text
    assert "RQ['CRON']['bad'] has neither" in caplog.text


# Files for rqcron


def test_registers_as_rq_does() -> None:
    take_registered()
    register(sample_jobs.add, "low", (1,), {"b": 2}, 60, None, 30, 5, 7, 6, {"m": 1})
    register(sample_jobs.add, queue_name="low", cron="*/5 * * * *", name="sums")
    register("tests.sample_jobs.add", interval="1h")

    first, second, third = take_registered()
    assert (first.name, first.schedule) == ("tests.sample_jobs.add", Interval(60))
    job, _ = first.job()
    assert (job.timeout, job.result_ttl, job.ttl, job.failure_ttl) == (30, 5, 7, 6)
    assert job.description == "tests.sample_jobs.add(1, b=2)"
    assert (second.name, str(second.schedule)) == ("sums", "*/5 * * * * UTC")
    assert third.queue == "default"
    assert take_registered() == []


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({}, "has neither 'cron' nor 'interval'"),
        ({"interval": 5, "cron": "* * * * *"}, "has both"),
        ({"interval": 5, "webhooks": [1]}, "webhooks are not supported"),
        ({"interval": 5, "queue_name": "nowhere"}, "has no queue 'nowhere'"),
        ({"interval": 5, "args": [lambda: 1]}, "can't be serialized"),
        ({"interval": 5, "func": lambda: 1}, "can't be enqueued"),
    ],
)
def test_refuses_at_once(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        register(**{"func": sample_jobs.add, **keywords})
    assert take_registered() == []
