"""The overview: what is stuck, since when, and why; counts and charts."""

from __future__ import annotations

import html
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import get_queue
from django_rqlite.admin.charts import DAY, HEIGHT, HOUR, WIDTH, charts
from django_rqlite.broker.clients import get_connection
from django_rqlite.queries import limits
from django_rqlite.queries import throughput as activity
from django_rqlite.queries.throughput import Runs, percentile_95
from django_rqlite.queues.suspension import suspend

from ..admin_world import QUEUES, WORKER, World, queue_page, worker_page

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


def concerns(client: Client) -> list[tuple[str, str]]:
    """The address and the sentence of each concern."""
    page = client.get(QUEUES).content.decode()
    listed = page.partition('class="rqlite-concerns"')[2].partition("</ul>")[0]
    found = re.findall(r'<a href="([^"]*)">([^<]*)</a>', listed)
    return [(address, html.unescape(sentence)) for address, sentence in found]


def old(world: World, job_id: str) -> None:
    world.redis.hset(f"rq:job:{job_id}", "enqueued_at", "2026-01-02T03:04:05Z")


def test_nothing_to_do(world: World, admin_client: Client) -> None:
    world.worker(WORKER, "default", "high", "low")
    world.finished()
    assert concerns(admin_client) == []
    assert "Nothing needs attention." in admin_client.get(QUEUES).content.decode()


def test_jobs_wait_and_nobody_listens(world: World, admin_client: Client) -> None:
    old(world, world.queued("high"))
    world.queued("high")
    ((address, sentence),) = concerns(admin_client)
    assert address == queue_page("high")
    assert re.fullmatch(
        r"2 jobs wait in “high”, the next for \d+ d.*: no worker listens on it\.", sentence
    )


def test_jobs_wait_although_workers_listen(world: World, admin_client: Client) -> None:
    world.worker(WORKER, "high")
    job_id = world.queued("high")
    assert concerns(admin_client) == []
    old(world, job_id)
    ((_address, sentence),) = concerns(admin_client)
    assert sentence.endswith(": its workers have free slots (0 of 1 in use).")


def test_a_queue_is_paused_and_workers_are_suspended(world: World, admin_client: Client) -> None:
    world.worker(WORKER, "high", "low")
    world.queued("high")
    world.queued("low")
    get_queue("high").pause()
    suspend(get_connection())
    assert [sentence for _address, sentence in concerns(admin_client)] == [
        "1 job waits in “low”: all workers are suspended.",
        "1 job waits in “high”: it is paused.",
    ]


def test_failures_come_after_what_is_stuck(world: World, admin_client: Client) -> None:
    world.failed("low")
    world.failed("low")
    world.queued("high")
    (_stuck, failed) = concerns(admin_client)
    assert failed == (queue_page("low", "failed"), "2 runs failed in the last hour in “low”.")


def test_a_queue_that_nobody_configured_is_watched_too(world: World, admin_client: Client) -> None:
    world.queued("stray")
    ((address, sentence),) = concerns(admin_client)
    assert address == queue_page("stray")
    assert sentence == "1 job waits in “stray”: no worker listens on it."


def test_what_cannot_be_read_is_no_all_clear(
    world: World, admin_client: Client, settings: Any
) -> None:
    world.worker()
    world.redis.set("rq:queue:high", "no list")
    ((_address, sentence),) = concerns(admin_client)
    assert sentence.startswith("high: The key of its queued can't be read")
    world.redis.delete("rq:queue:high")
    down = {"down": {"URL": "unix:///nowhere/redis.sock"}}
    settings.RQ_QUEUES = {**settings.RQ_QUEUES, **down}
    page = admin_client.get(QUEUES).content.decode()
    assert "Nothing needs attention." not in page
    assert "Needs attention" in page


def hold_and_fall_silent(world: World, *queues: str) -> None:
    """Have the worker run a job of each queue, then send no heartbeats."""
    world.worker(WORKER, *queues)
    for queue in queues:
        world.started(queue, f"of-{queue}")
        world.redis.zadd(
            f"rq:wip:{queue}", dict.fromkeys(world.redis.zrange(f"rq:wip:{queue}", 0, -1), 1)
        )
    world.redis.hset(f"rq:worker:{WORKER}", "last_heartbeat", "2026-01-02T03:04:05Z")


def test_a_silent_worker_listens_on_nothing(
    world: World, admin_client: Client, round_trips: list[int]
) -> None:
    hold_and_fall_silent(world, "high")
    world.queued("high")
    admin_client.get(QUEUES)  # connects
    round_trips.clear()
    stuck, silent = concerns(admin_client)
    assert len(round_trips) <= 5
    assert stuck[1] == "1 job waits in “high”: no worker listens on it."
    assert silent[0] == worker_page(WORKER)
    assert re.fullmatch(
        rf"Worker “{WORKER}” has sent no heartbeat for \d+ d.* and holds 1 job\.", silent[1]
    )
    # Another worker is alive and listens.
    world.worker("alive", "high")
    assert [address for address, _sentence in concerns(admin_client)] == [worker_page(WORKER)]


def test_listeners_where_not_all_workers_are_read(
    world: World, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_FOUND", 1)
    world.worker("a", "high")
    world.redis.hset("rq:worker:a", "last_heartbeat", "2026-01-02T03:04:05Z")
    world.worker("b", "low")
    world.queued("high")
    assert concerns(admin_client)[0][1] == "1 job waits in “high”: no worker listens on it."
    world.worker("c", "high")
    assert [address for address, _sentence in concerns(admin_client)] == [worker_page("a")]


def test_listeners_of_a_queue_whose_name_has_a_comma(world: World, admin_client: Client) -> None:
    world.worker(WORKER, "a,b")
    world.queued("a,b")
    assert concerns(admin_client) == []


def test_a_silent_worker_that_holds_nothing(world: World, admin_client: Client) -> None:
    world.worker("alive", "low")
    world.worker(WORKER, "high")
    world.redis.hset(f"rq:worker:{WORKER}", "last_heartbeat", "2026-01-02T03:04:05Z")
    ((_address, sentence),) = concerns(admin_client)
    assert re.fullmatch(rf"Worker “{WORKER}” has sent no heartbeat for \d+ d[^a]*\.", sentence)
    world.redis.hdel(f"rq:worker:{WORKER}", "last_heartbeat")
    ((_address, sentence),) = concerns(admin_client)
    assert re.fullmatch(f".*“{WORKER}” has no time of a heartbeat.", sentence)


def test_a_worker_whose_record_expired(world: World, admin_client: Client) -> None:
    hold_and_fall_silent(world, "high", "low")
    world.redis.delete(f"rq:worker:{WORKER}")
    world.worker("nothing held", "high")
    world.redis.delete("rq:worker:nothing held")
    world.worker("alive", "default")
    ((address, sentence),) = concerns(admin_client)
    assert (address, sentence) == (
        worker_page(WORKER),
        f"Worker “{WORKER}” is dead and holds 2 jobs.",
    )
    world.queued("low")
    assert concerns(admin_client)[0][1] == "1 job waits in “low”: no worker listens on it."


def test_silence_stands_between_stuck_and_paused(world: World, admin_client: Client) -> None:
    world.worker("alive", "high")
    hold_and_fall_silent(world, "low")
    world.queued("high")
    get_queue("high").pause()
    world.queued("stray")
    addresses = [address for address, _sentence in concerns(admin_client)]
    assert addresses == [queue_page("stray"), worker_page(WORKER), queue_page("high")]


def test_what_is_too_much_is_counted(world: World, admin_client: Client) -> None:
    for number in range(23):
        world.queued(f"stray-{number}")
    page = admin_client.get(QUEUES).content.decode()
    assert len(concerns(admin_client)) == 20
    assert "and 4 more" in page  # one is about the queues in which no job waits


def test_since_when_jobs_wait_where_nobody_configured_it(
    world: World, admin_client: Client
) -> None:
    old(world, world.queued("stray"))
    ((_address, sentence),) = concerns(admin_client)
    assert re.fullmatch(r"1 job waits in “stray”, for \d+ d.*: no worker listens on it\.", sentence)


@pytest.mark.parametrize("span", ["hour", "day"])
def test_the_charts_have_what_ran(world: World, admin_client: Client, span: str) -> None:
    world.finished()
    world.failed("low")
    page = admin_client.get(f"{QUEUES}?span={span}").content.decode()
    assert page.count('role="img"') == page.count("<desc ") == 3
    assert "Failures" in page
    assert page.count('<rect class="failed"') == page.count('<rect class="done"') == 1
    assert page.count("1 job done.") == page.count("1 run failed.") == 2
    assert admin_client.get(f"{QUEUES}?span=year").status_code == 404


def test_counts_that_are_none_are_passed_over(world: World, admin_client: Client) -> None:
    hour = int(time.time()) // 3600
    for each, name in ((hour, "default"), (hour - 1, "default")):
        garbage = {"0:done": "x", "99:done": "1", "1:w999": "1", b"\xff": "1", "2:done": "9" * 99}
        world.redis.hset(f"rq:x:activity:{name}:{each}", mapping=garbage)
    world.redis.set(f"rq:x:activity:low:{hour}", "no hash")
    page = admin_client.get(QUEUES).content.decode()
    assert "0 jobs done." in page


def test_what_the_fields_say() -> None:
    answer = {b"5:done": b"3", b"5:failed": b"1", b"5:w-2": b"4", b"59:r10": b"2"}
    found = activity.read([100, 101], [answer, Exception("WRONGTYPE")])
    assert found == {
        6005: Runs(3, 1, {-2: 4}),  # type: ignore[arg-type]
        6059: Runs(0, 0, ran={10: 2}),  # type: ignore[arg-type]
    }


@pytest.mark.parametrize(
    ("buckets", "seconds"),
    [({}, None), ({0: 1}, 1), ({0: 95, 5: 5}, 1), ({0: 94, 5: 6}, 32), ({-3: 1}, 0.125)],
)
def test_95_of_100(buckets: dict[int, int], seconds: float | None) -> None:
    assert percentile_95(buckets) == seconds


def test_few_failures_are_seen_beside_many_jobs() -> None:
    now = 1_700_000_000
    drawn = charts([{now // 60: Runs(100_000, 3), now // 60 - 1: Runs(5, 1)}], HOUR, now)
    throughput, failures, _latency = drawn.charts
    assert [bar.height for bar in throughput.bars] == [1, HEIGHT]
    assert [bar.height for bar in failures.bars] == [round(HEIGHT / 3), HEIGHT]
    assert {bar.kind for bar in failures.bars} == {"failed"}
    assert (failures.top, failures.sentence) == ("3", "4 runs failed.")


@pytest.mark.parametrize("span", [HOUR, DAY])
def test_bars_stay_within_the_picture(span: object) -> None:
    now = 1_700_000_000
    minutes = range(now // 60 - 2000, now // 60 + 1)
    busy = {minute: Runs(minute % 7, minute % 1000) for minute in minutes}
    for runs in busy.values():
        runs.waited.update({5: 1})
    drawn = charts([busy, busy], span, now)  # type: ignore[arg-type]
    assert len(drawn.table) == span.bars  # type: ignore[attr-defined]
    for chart in drawn.charts:
        assert chart.bars
        for bar in chart.bars:
            assert 0 <= bar.x < bar.x + bar.width <= WIDTH
            assert 0 <= bar.y < bar.y + bar.height <= HEIGHT
