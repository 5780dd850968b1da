"""The job search."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import get_queue
from tests.sample_jobs import echo

from ..admin_world import JOBS, World, job_page

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


def text_of(client: Client, status: int = 200, **query: str) -> str:
    answer = client.get(JOBS, query)
    assert answer.status_code == status
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", answer.content.decode())).split())


def text_of_page(client: Client, address: str) -> str:
    return html.unescape(re.sub("<[^>]*>", " ", client.get(address).content.decode()))


def many(world: World, count: int) -> None:
    with world.redis.pipeline(transaction=False) as pipeline:
        for number in range(count):
            fields = {"description": f"m.f({number})", "status": "queued", "origin": "default"}
            fields["enqueued_at"] = f"2026-01-02T{number // 3600:02}:{number // 60 % 60:02}:00Z"
            pipeline.hset(f"rq:job:j{number}", mapping=fields)
            pipeline.rpush("rq:queue:default", f"j{number}")
        pipeline.execute()


def test_a_long_queue_is_read_at_its_end(
    world: World, admin_client: Client, round_trips: list[int]
) -> None:
    many(world, 5000)
    admin_client.get(JOBS)  # connects
    round_trips.clear()
    shown = text_of(admin_client, q="m.f(49")
    assert len(round_trips) <= 4
    assert (
        "Searched the newest 1,000 of 5,000 queued jobs of “default”. 100 of those match." in shown
    )
    assert "100 jobs among those searched" in shown
    assert "j4999" in shown
    assert "j49 " not in shown
    oldest = text_of(admin_client, q="m.f(49", sort="oldest")
    assert (
        "Searched the oldest 1,000 of 5,000 queued jobs of “default”. 11 of those match." in oldest
    )


def test_fifty_stand_on_a_page(world: World, admin_client: Client) -> None:
    many(world, 120)
    pages = [text_of(admin_client, p=str(number)) for number in (1, 2, 3, 4)]
    counts = [len(re.findall(r"\bm\.f\(\d+\)", page)) for page in pages]
    assert counts == [50, 50, 20, 20]
    assert ["Older" in page for page in pages] == [True, True, False, False]
    assert ["Newer" in page for page in pages] == [False, True, True, True]
    assert "Searched all 120 jobs. 120 match." in pages[0]


def test_filters(world: World, admin_client: Client) -> None:
    world.queued("high", "waits")
    world.failed("low", "broke")
    world.finished("low", "went")
    for query, found in (
        ({"state": "failed"}, {"broke"}),
        ({"queue": "low"}, {"broke", "went"}),
        ({"error": "ValueError"}, {"broke"}),
        ({"error": "KeyError"}, set()),
        ({"function": "send"}, {"broke", "waits", "went"}),
        ({"function": "other"}, set()),
        ({"since": "15m", "state": "finished"}, {"went"}),
        ({"q": "wai"}, {"waits"}),
    ):
        page = admin_client.get(JOBS, query).content.decode()
        ids = {id_ for id_ in ("waits", "broke", "went") if f'"{job_page(id_)}"' in page}
        assert ids == found, query


def test_jobs_with_a_tag_are_found_from_the_page_of_one(world: World, admin_client: Client) -> None:
    for number, tags in enumerate((["import", "a&b <i>"], ["import"], [])):
        queue = get_queue(commit_mode="auto")
        queue.enqueue(echo, number, job_id=f"job-{number}", job_tags=tags)
    page = admin_client.get(job_page("job-0")).content.decode()
    (address,) = re.findall('href="([^"]*)">.{0,5}a&amp;b &lt;i&gt;', page)
    shown = " ".join(
        html.unescape(admin_client.get(html.unescape(address)).content.decode()).split()
    )
    assert 'name="tag" value="a&b <i>"' in shown
    assert ["job-0" in shown, "job-1" in shown, "job-2" in shown] == [True, False, False]
    shown = text_of(admin_client, tag="import")
    assert "Searched all 3 jobs. 2 match." in shown
    assert "Tags" not in text_of_page(admin_client, job_page("job-2"))


def test_failed_jobs_in_groups(world: World, admin_client: Client) -> None:
    for number in range(3):
        world.failed("low", reason=f"ValueError: {number}")
    world.failed("low", "other", reason="KeyError: 'x'")
    assert "Group by function and error" in text_of(admin_client, state="failed")
    shown = text_of(admin_client, state="failed", group="1")
    assert re.search(r"shop.jobs.send ValueError 3 .* shop.jobs.send KeyError 1", shown)
    assert "Searched all 4 jobs. 4 match." in shown
    page = admin_client.get(JOBS, {"state": "failed", "group": "1"}).content.decode()
    links = re.findall(r'<th scope="row" class="job-id"><a href="([^"]*)"', page)
    filtered = admin_client.get(JOBS + html.unescape(links[1])).content.decode()
    assert job_page("other") in filtered
    assert "1 job" in filtered


def test_stopped_jobs_are_one_group_whoever_stopped_them(
    world: World, admin_client: Client
) -> None:
    sentence = "Job stopped by user, work-horse terminated."
    for number, reason in enumerate(
        (sentence, *(f"{sentence} It was stopped by {n}." for n in "ab"))
    ):
        world.failed("low", f"j{number}", reason=reason)
        world.redis.hset(f"rq:job:j{number}", "status", "stopped")
    shown = text_of(admin_client, state="failed", group="1")
    assert "shop.jobs.send Job stopped by user, work-horse terminated 3 " in shown
    error = "Job stopped by user, work-horse terminated"
    assert "3 match." in text_of(admin_client, state="failed", error=error)


def fail_many(world: World, kinds: list[tuple[str, int]]) -> None:
    """Add failed jobs: a number for each kind of error, in order."""
    with world.redis.pipeline(transaction=False) as pipeline:
        for number, kind in enumerate(kind for kind, count in kinds for _ in range(count)):
            fields = {"description": "m.f()", "status": "failed", "x_error": f"{kind}: {number}"}
            pipeline.hset(f"rq:job:j{number}", mapping=fields)
            pipeline.zadd("rq:failed:low", {f"j{number}": 2e9 + number})
        pipeline.execute()


def test_groups_of_a_sample_are_not_shown_as_the_total(
    world: World, admin_client: Client, round_trips: list[int]
) -> None:
    # The first error is the most frequent, but few of its jobs are among the newest 1,000.
    fail_many(world, [("KeyError", 592), ("ValueError", 500), ("OSError", 400)])
    admin_client.get(JOBS)  # connects
    round_trips.clear()
    shown = text_of(admin_client, state="failed", group="1")
    assert len(round_trips) <= 4
    assert re.search(r"m\.f ValueError ≥ 500 .*m\.f OSError ≥ 400 .*m\.f KeyError ≥ 100 ", shown)
    assert "newest 1,000 of 1,492 failed jobs" in shown
    oldest = text_of(admin_client, state="failed", group="1", sort="oldest")
    assert "oldest 1,000 of 1,492 failed jobs" in oldest
    world.redis.zremrangebyrank("rq:failed:low", 0, 491)
    shown = text_of(admin_client, state="failed", group="1")
    assert re.search(r"m\.f ValueError 500 .*m\.f OSError 400 .*m\.f KeyError 100 ", shown)
    assert "≥" not in shown
    assert "of 1,492" not in shown


@pytest.mark.parametrize(
    "query", [{"state": "nope"}, {"since": "2h"}, {"sort": "best"}, {"p": "x"}, {"p": "9" * 5000}]
)
def test_values_that_no_form_sends(
    world: World, admin_client: Client, query: dict[str, str]
) -> None:
    text_of(admin_client, 404, **query)


def test_odd_values_find_nothing(world: World, admin_client: Client) -> None:
    world.queued()
    for value in ("\0", "<script>alert(1)</script>", "y" * 3000, "_FF", "💥"):
        for name in ("q", "queue", "function", "error"):
            answer = admin_client.get(JOBS, {name: value})
            assert answer.status_code == 200
            assert "<script>alert" not in answer.content.decode()
            assert "0 match." in answer.content.decode(), (name, value)
    assert "There is no such queue" in text_of(admin_client, queue="nobody")
    assert admin_client.get(f"{JOBS}?q=%FF%ED%A0%80&queue=%FF&p=0").status_code == 200


def test_a_server_that_is_down_hides_no_other(
    world: World, admin_client: Client, settings: Any
) -> None:
    settings.RQ_QUEUES = {
        "first": settings.RQ_QUEUES["default"],
        "down": {"HOST": "127.0.0.1", "PORT": 1},
        "last": {**settings.RQ_QUEUES["default"], "KEY_PREFIX": "{x}rq:"},
    }
    world.queued("first", "one")
    World(world.redis, "{x}rq:").queued("last", "three")
    shown = text_of(admin_client)
    assert "Redis at redis://127.0.0.1:1/0 is not available" in shown
    assert "one shop.jobs" in shown
    page = admin_client.get(JOBS).content.decode()
    assert job_page("three", on="last") in page
