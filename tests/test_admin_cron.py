"""Cron entries on the page of the queues."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import get_connection
from django_rqlite.cron import from_settings
from django_rqlite.maintenance.cron import Ticker
from django_rqlite.worker.outage import passes

from .admin_world import QUEUES, World, job_page, queue_page
from .test_admin_harmless import keyspace
from .test_admin_permissions import client_with

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


def source_of(client: Client) -> str:
    answer = client.get(QUEUES)
    assert answer.status_code == 200
    return str(answer.content.decode()).partition('id="content"')[2]


def text_of(client: Client) -> str:
    """What a person reads: no tags, one space between words."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", "<" + source_of(client))).split())


def tick(world: World, settings: Any, **entries: Any) -> None:
    """As a worker does at its start and when a tick is due: announce, then propose."""
    settings.RQ = {"CRON": entries}
    found = from_settings()
    assert found.problems == []
    Ticker(get_connection(), world.keys, found.good, passes).tick_if_due()


def ticked_before(world: World, name: str, schedule: str, moment: datetime) -> None:
    record: dict[Any, Any] = {
        "schedule": schedule,
        "since": 1,
        "last_tick": int(moment.timestamp()),
    }
    world.redis.hset(world.keys.cron_entry(name), mapping=record)


def test_nothing_is_shown_when_there_is_none(world: World, admin_client: Client) -> None:
    assert "Cron" not in text_of(admin_client)


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
        rf"nightly report tests\.sample_jobs\.nothing {re.escape(schedule)} low "
        rf"{clock} \([^)]* ago\) {clock} \(in [^)]*\) ([0-9a-f-]{{36}})",
        shown,
    )
    assert re.search(
        r"poll tests\.sample_jobs\.add every 3600 s default – \d{4}-.* \(in .*\) –", shown
    )
    assert "2 entries" in shown
    assert "nobody evaluates it" not in shown
    page = source_of(admin_client)
    assert f'href="{job_page(job)}"' in page
    assert page.count(f'href="{queue_page("low")}"') == 4  # attention, name, count, entry


def test_an_entry_that_nobody_evaluates_any_more(world: World, admin_client: Client) -> None:
    world.cron("nightly")
    assert "nobody evaluates it" not in text_of(admin_client)
    world.redis.hset(world.keys.cron_entry("nightly"), "announced_at", 1_777_896_000)
    assert "nightly nobody evaluates it" in text_of(admin_client)


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
    assert text_of(admin_client).count("Cron") == 1
    World(world.redis, "{x}rq:").cron("there")
    shown = text_of(admin_client)
    assert re.search(r"Cron unix://\S+ Entry .*\bhere\b.* Cron unix://\S+ \({x}rq:…\) Entry", shown)
    assert "Redis at redis://127.0.0.1:1/0 is not available" in shown
    # Two queues of one name on two servers have two addresses.
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
