"""The page of schedules: what runs next, and the actions on it."""

from __future__ import annotations

import html
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry

from django_rqlite import get_connection
from django_rqlite.broker.broker import Broker
from django_rqlite.cron.entries import from_settings
from django_rqlite.cron.ticker import Ticker

from ..admin_world import (
    QUEUES,
    SCHEDULE,
    World,
    cron_pause,
    cron_resume,
    cron_run_now,
    job_page,
    job_run_now,
    queue_page,
)
from ..outcomes_in_redis import fail, start
from .test_actions import post
from .test_harmless import keyspace
from .test_permissions import client_with

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


def source_of(client: Client) -> str:
    answer = client.get(SCHEDULE)
    assert answer.status_code == 200
    return str(answer.content.decode()).partition('id="content"')[2]


def text_of(client: Client) -> str:
    """The text of a page: without tags, with one space between words."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", "<" + source_of(client))).split())


def tick(world: World, settings: Any, **entries: Any) -> None:
    """Announce and propose, as a worker does at its start and when a tick is due."""
    settings.RQ = {"CRON": entries}
    found = from_settings()
    assert found.problems == []
    Ticker(Broker.of(get_connection()), found.good).tick_if_due()


def ticked_before(world: World, name: str, schedule: str, moment: datetime) -> None:
    record: dict[Any, Any] = {
        "schedule": schedule,
        "since": 1,
        "last_tick": int(moment.timestamp()),
    }
    world.redis.hset(world.keys.cron_entry(name), mapping=record)


def test_nothing_is_shown_when_there_is_none(world: World, admin_client: Client) -> None:
    shown = text_of(admin_client)
    assert "0 scheduled jobs" in shown
    assert "0 entries" in shown
    assert f'href="{SCHEDULE}"' in admin_client.get(QUEUES).text


def test_an_entry_that_a_worker_ticked(world: World, admin_client: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    long_ago = datetime(2026, 1, 2, 2, tzinfo=UTC)
    schedule = "0 3 * * * Europe/Berlin"
    ticked_before(world, "nightly report", schedule, long_ago)
    nightly = {"cron": "0 3 * * *", "timezone": "Europe/Berlin", "queue": "low"}
    tick(
        world,
        settings,
        **{"nightly report": {"func": "tests.sample_jobs.nothing", **nightly}},
        poll={"func": "tests.sample_jobs.add", "interval": "1h", "args": [1, 2]},
    )
    shown = text_of(admin_client)
    clock = r"\d{4}-\d\d-\d\d 03:00:00"
    (job,) = re.findall(
        rf"nightly report Run now Pause {re.escape(schedule)} {clock} \(in [^)]*\) "
        rf"{clock} \([^)]* ago\) queued "
        r"([0-9a-f-]{36}) tests\.sample_jobs\.nothing low",
        shown,
    )
    assert re.search(
        r"poll Run now Pause every 3600 s \d{4}-\S+ \S+ \(in [^)]*\) – – – "
        r"tests\.sample_jobs\.add default",
        shown,
    )
    assert "2 entries" in shown
    assert "not evaluated" not in shown
    page = source_of(admin_client)
    assert f'href="{job_page(job)}"' in page
    assert f'href="{queue_page("low")}"' in page
    assert "Times are in Europe/Berlin." in shown


def test_an_entry_that_nobody_evaluates_any_more(world: World, admin_client: Client) -> None:
    world.cron("nightly")
    assert "not evaluated" not in text_of(admin_client)
    world.redis.hset(world.keys.cron_entry("nightly"), "announced_at", 1_777_896_000)
    assert "nightly not evaluated" in text_of(admin_client)


def test_what_is_wrong_with_an_entry_is_said(world: World, admin_client: Client) -> None:
    world.cron("gone")
    world.cron("odd")
    world.cron("other")
    world.redis.delete(world.keys.cron_entry("gone"))
    world.redis.set(world.keys.cron_entry("odd"), "x")
    world.redis.hset(world.keys.cron_entry("other"), "next_tick", "soon")
    shown = text_of(admin_client)
    assert "Its record is gone" in shown
    assert "Its key can't be read: WRONGTYPE" in shown
    assert "'next_tick' holds 'soon' instead of unix seconds" in shown


def test_names_are_escaped_and_looking_writes_nothing(world: World, admin_client: Client) -> None:
    name = world.cron(SCRIPT)
    fields = ("schedule", "queue", "func", "last_job", "last_tick")
    record: dict[Any, Any] = dict.fromkeys(fields, SCRIPT)
    world.redis.hset(world.keys.cron_entry(name), mapping=record)
    before = keyspace(world.redis)
    page = source_of(admin_client)
    assert SCRIPT not in page
    assert page.count(html.escape(SCRIPT)) >= 5
    assert keyspace(world.redis) == before


def test_a_hundred_at_the_most(world: World, admin_client: Client) -> None:
    for number in range(103):
        world.cron(f"entry-{number:03}")
    shown = text_of(admin_client)
    assert sorted(set(re.findall(r"entry-\d{3}", shown))) == [f"entry-{n:03}" for n in range(100)]
    assert "100 entries and 3 more" in shown


def test_several_servers_of_which_one_is_down(
    world: World, admin_client: Client, settings: Any
) -> None:
    settings.RQ_QUEUES = {
        "first": settings.RQ_QUEUES["default"],
        "down": {"HOST": "127.0.0.1", "PORT": 1},
        "last": {**settings.RQ_QUEUES["default"], "KEY_PREFIX": "{x}rq:"},
    }
    world.cron("here")
    World(world.redis, "{x}rq:").cron("there")
    shown = text_of(admin_client)
    assert re.search(
        r"Cron entries unix://\S+ Entry .*\bhere\b.* Cron entries unix://\S+ \({x}rq:…\) Entry",
        shown,
    )
    assert "Redis at redis://127.0.0.1:1/0 is not available" in shown
    # Queues of the same name on two servers have different addresses.
    page = source_of(admin_client)
    assert queue_page("low", on="first") in page
    assert queue_page("low", on="last") in page


def test_who_may_not_see_jobs_gets_no_links_to_them(world: World) -> None:
    name = world.cron("nightly")
    world.redis.hset(world.keys.cron_entry(name), "last_job", "some-job")
    page = source_of(client_with("view_queue"))
    assert "some-job" in page
    assert job_page("some-job") not in page
    assert queue_page("low") not in page


ADD = {"func": "tests.sample_jobs.add", "interval": "1h", "queue": "low", "args": [1, 2]}


def scheduled(world: World, job_id: str, queue: str, due: float) -> None:
    fields = {"origin": queue, "created_at": "2026-01-02T03:04:05Z", "description": f"of {job_id}"}
    world.engine.schedule(job_id, queue, fields, minted=False, due=due)


def test_scheduled_jobs_of_all_queues_in_the_order_of_their_times(
    world: World, admin_client: Client
) -> None:
    now = time.time()
    for number, queue in enumerate(["low", "default", "stray", "low"]):
        scheduled(world, f"job-{number}", queue, now + 3600 - 60 * number)
    world.redis.sadd("rq:queues", "rq:queue:stray")
    scheduled(world, "late", "high", now - 3600)
    world.redis.zadd("rq:scheduled:low", {"gone": now + 4000})
    shown = text_of(admin_client)
    order = re.findall(r"\((?:in [^)]*|1 h[^)]*)\)(?: overdue)? (\S+)", shown)
    assert order == ["late", "job-3", "job-2", "job-1", "job-0", "gone"]
    assert "overdue late of late Its field 'data' is missing" in shown
    assert "gone expired or deleted low" in shown
    assert "6 scheduled jobs" in shown
    page = source_of(admin_client)
    assert f'href="{job_page("job-2")}"' in page
    assert f'action="{job_run_now("job-2")}"' in page
    assert job_run_now("gone") not in page
    # Without permission to view jobs there is no text of them, and without one to change no button.
    limited = source_of(client_with("view_queue"))
    assert "job-2" in limited
    assert "of job-2" not in limited
    assert job_page("job-2") not in limited
    assert "Run now" not in limited


def test_the_first_of_many_scheduled_jobs(world: World, admin_client: Client) -> None:
    world.redis.zadd("rq:scheduled:low", {f"low-{n:02}": 4e9 + 2 * n for n in range(40)})
    world.redis.zadd("rq:scheduled:high", {f"high-{n:02}": 4e9 + 2 * n + 1 for n in range(40)})
    shown = text_of(admin_client)
    assert len(re.findall(r"(?:low|high)-\d\d", shown)) == 25
    assert "low-12" in shown
    assert "high-12" not in shown
    assert "25 scheduled jobs and 55 more, due later" in shown


def test_a_key_of_scheduled_jobs_that_is_something_else(world: World, admin_client: Client) -> None:
    world.redis.set("rq:scheduled:low", "x")
    scheduled(world, "fine", "high", 4e9)
    shown = text_of(admin_client)
    assert "The scheduled jobs of low can't be read: WRONGTYPE" in shown
    assert "fine" in shown


@pytest.mark.parametrize("outcome", ["finished", "failed", "started", "gone"])
def test_the_outcome_of_the_last_job(world: World, admin_client: Client, outcome: str) -> None:
    job_id = "gone" if outcome == "gone" else getattr(world, outcome)("low", "last")
    world.cron("nightly")
    world.redis.hset(world.keys.cron_entry("nightly"), "last_job", job_id)
    shown = text_of(admin_client)
    expected = {"gone": "expired or deleted", "failed": "failed 0 s ago ValueError"}
    assert re.search(rf"{expected.get(outcome, outcome)}[^–]* {job_id} shop", shown), shown
    if outcome == "failed":
        assert "no such customer" in shown
        assert "no such customer" not in source_of(client_with("view_queue"))


@pytest.mark.parametrize("outcome", ["finished", "failed", "stopped", "odd"])
def test_the_outcome_of_a_last_job_that_is_gone(
    world: World, admin_client: Client, outcome: str
) -> None:
    world.cron("nightly")
    failed = outcome in ("failed", "stopped")
    record: dict[Any, Any] = {
        "last_job": "gone",
        "last_outcome": outcome,
        "last_ended_at": int(time.time()) - 6 * 3600 - 60,
        "last_error": f"ValueError: {SCRIPT}" if failed else "",
    }
    world.redis.hset(world.keys.cron_entry("nightly"), mapping=record)
    error = f" ValueError: {SCRIPT}" if failed else ""
    shown = text_of(admin_client)
    assert re.search(rf"– {outcome} 6 h ago{re.escape(error)} gone shop", shown), shown
    assert SCRIPT not in source_of(admin_client)
    assert "ValueError" not in source_of(client_with("view_queue"))


def test_the_outcome_stays_when_the_job_expires(
    world: World, admin_client: Client, settings: Any
) -> None:
    ticked_before(world, "sums", "every 3600 s", datetime(2026, 1, 2, 2, tzinfo=UTC))
    tick(world, settings, sums=ADD)
    hold = start("low")
    fail(hold)
    before = text_of(admin_client)
    assert f"failed 0 s ago ValueError: no {hold.job_id}" in re.sub(r"\d s ago", "0 s ago", before)
    world.redis.delete(world.keys.job(hold.job_id))
    after = text_of(admin_client)
    assert f"failed 0 s ago ValueError: no {hold.job_id}" in re.sub(r"\d s ago", "0 s ago", after)
    post(admin_client, cron_run_now("sums"))
    assert "ValueError" not in text_of(admin_client)


def test_a_last_job_that_is_there_says_itself_how_it_is(world: World, admin_client: Client) -> None:
    world.cron("nightly")
    record = {"last_job": world.queued("low", "again"), "last_outcome": "failed"}
    record |= {"last_ended_at": "1", "last_error": "ValueError"}
    world.redis.hset(world.keys.cron_entry("nightly"), mapping=record)  # type: ignore[arg-type]
    shown = text_of(admin_client)
    assert "queued again shop" in shown
    assert "ValueError" not in shown


def test_a_stored_outcome_that_cannot_be_read(world: World, admin_client: Client) -> None:
    world.cron("nightly")
    record: dict[Any, Any] = {"last_job": "gone", "last_outcome": "finished"}
    record |= {"last_ended_at": "soon", "last_error": b"\xff"}
    world.redis.hset(world.keys.cron_entry("nightly"), mapping=record)
    shown = text_of(admin_client)
    assert "finished gone shop" in shown
    assert "'last_ended_at' holds 'soon' instead of unix seconds" in shown


def test_pause_and_resume_an_entry(world: World, admin_client: Client) -> None:
    world.cron("nightly")
    key = world.keys.cron_entry("nightly")
    assert cron_pause("nightly") in source_of(admin_client)
    done = "“nightly”: Paused: its runs are skipped."
    for expected in (done, "“nightly”: Was paused already."):
        assert post(admin_client, cron_pause("nightly")) == (SCHEDULE, [expected])
        assert world.redis.hexists(key, "paused_at")
    shown = text_of(admin_client)
    assert re.search(r"nightly paused Resume .* every 60 s paused \d s ago –", shown)
    assert cron_pause("nightly") not in source_of(admin_client)
    done = "“nightly”: Resumed: its next run enqueues a job again."
    for expected in (done, "“nightly”: Was not paused."):
        assert post(admin_client, cron_resume("nightly")) == (SCHEDULE, [expected])
        assert not world.redis.hexists(key, "paused_at")
    entry = LogEntry.objects.order_by("pk")[0]
    assert (entry.object_repr, entry.content_type.model) == ("nightly", "queue")  # type: ignore[union-attr]
    assert entry.change_message == "Cron entry: Paused: its runs are skipped."
    assert LogEntry.objects.count() == 4


def test_a_pause_whose_time_cannot_be_read_is_a_pause(world: World, admin_client: Client) -> None:
    world.cron("nightly")
    world.redis.hset(world.keys.cron_entry("nightly"), "paused_at", "soon")
    assert "nightly paused Its field 'paused_at' holds 'soon'" in text_of(admin_client)
    assert cron_resume("nightly") in source_of(admin_client)


def test_an_entry_that_is_not_there_any_more(world: World, admin_client: Client) -> None:
    for address in (cron_pause("nobody"), cron_resume("nobody"), cron_run_now("nobody")):
        assert admin_client.post(address).status_code == 404
    assert world.redis.keys("*") == []
    world.cron("gone")
    world.redis.delete(world.keys.cron_entry("gone"))
    world.cron("odd")
    world.redis.set(world.keys.cron_entry("odd"), "x")
    page = source_of(admin_client)
    for name in ("gone", "odd"):
        assert cron_pause(name) not in page
        _address, (message,) = post(admin_client, cron_pause(name))
        assert message.startswith(f"“{name}”: Not changed: its record is gone")
    assert world.redis.get(world.keys.cron_entry("odd")) == b"x"


def test_run_an_entry_now(world: World, admin_client: Client, settings: Any) -> None:
    tick(world, settings, sums=ADD)
    record = world.redis.hgetall(world.keys.cron_entry("sums"))
    assert cron_run_now("sums") in source_of(admin_client)
    address, (message,) = post(admin_client, cron_run_now("sums"))
    (job_id,) = (each.decode() for each in world.redis.lrange("rq:queue:low", 0, -1))
    assert address == job_page(job_id)
    assert message.startswith("“sums”: Enqueued now")
    assert message.endswith(f": {job_id}")
    job = world.redis.hgetall(world.keys.job(job_id))
    assert job[b"x_cron"] == b"sums"
    assert job[b"description"] == b"sums: tests.sample_jobs.add(1, 2)"
    # It is the entry's last job now; the schedule stays as it is.
    expected = {**record, b"last_job": job_id.encode()}
    assert world.redis.hgetall(world.keys.cron_entry("sums")) == expected
    assert LogEntry.objects.get().change_message.endswith(job_id)
    # A paused entry too. Without permission to view jobs, the page of schedules follows.
    post(admin_client, cron_pause("sums"))
    assert post(client_with("change_queue"), cron_run_now("sums"))[0] == SCHEDULE
    assert world.redis.llen("rq:queue:low") == 2


@pytest.mark.parametrize(
    ("entries", "source", "why"),
    [
        ({}, "settings", 'the RQ["CRON"] of this site does not have it.'),
        ({"sums": ADD}, "myapp.cron_config", "it comes from myapp.cron_config."),
        ({"sums": {**ADD, "queue": "nowhere"}}, "settings", "does not have it."),
        (["sums"], "settings", "does not have it."),
    ],
)
def test_an_entry_of_somebody_else_is_not_run(
    world: World, admin_client: Client, settings: Any, entries: Any, source: str, why: str
) -> None:
    world.cron("sums")
    world.redis.hset(world.keys.cron_entry("sums"), "source", source)
    settings.RQ = {"CRON": entries}
    assert why in text_of(admin_client)
    assert cron_run_now("sums") not in source_of(admin_client)
    assert cron_pause("sums") in source_of(admin_client)
    address, (message,) = post(admin_client, cron_run_now("sums"))
    assert address == SCHEDULE
    assert why in message
    assert world.redis.llen("rq:queue:low") == 0


def test_an_entry_whose_job_cannot_be_made(
    world: World, admin_client: Client, settings: Any
) -> None:
    world.cron("sums")
    settings.RQ = {"CRON": {"sums": {**ADD, "interval": "soon"}}}
    _address, (message,) = post(admin_client, cron_run_now("sums"))
    assert "Its job can’t be made: RQ['CRON']['sums']['interval'] is 'soon'" in message
    assert world.redis.llen("rq:queue:low") == 0


def test_a_queue_of_the_same_name_as_the_page(world: World, admin_client: Client) -> None:
    world.queued("_schedule", "waits")
    assert queue_page("_schedule") != SCHEDULE
    assert "waits" in admin_client.get(queue_page("_schedule")).text


def test_only_the_entry_of_the_server_that_is_meant(
    world: World, admin_client: Client, settings: Any
) -> None:
    default = settings.RQ_QUEUES["default"]
    settings.RQ_QUEUES = {"here": default, "there": {**default, "KEY_PREFIX": "there:"}}
    there = World(world.redis, "there:")
    world.cron("nightly")
    there.cron("nightly")
    assert cron_pause("nightly", on="there") in source_of(admin_client)
    post(admin_client, cron_pause("nightly", on="there"))
    assert there.redis.hexists(there.keys.cron_entry("nightly"), "paused_at")
    assert not world.redis.hexists(world.keys.cron_entry("nightly"), "paused_at")
