"""Each state in which something does not run, and the sentence that reports it."""

from __future__ import annotations

import html
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils.html import strip_tags

from django_rqlite import get_connection, get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.cron import Announcement
from django_rqlite.engine.engine import Engine
from django_rqlite.queries import limits
from django_rqlite.queues.suspension import suspend

from ..admin_world import QUEUES, SCHEDULE, WORKER, WORKERS, World, queue_page
from .test_harmless import keyspace
from .test_permissions import client_with

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db

ALL = ("default", "high", "low")
CRON = {"tidy": {"func": "shop.jobs.tidy", "every": 60}}
ALL_CLEAR = "Nothing needs attention."


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


@pytest.fixture(autouse=True)
def without_cron(settings: Any) -> None:
    settings.RQ = {**settings.RQ, "CRON": {}}


def told(client: Client) -> list[tuple[str, str]]:
    """Sentence and address (or ``''``) of each concern."""
    page = client.get(QUEUES).text
    listed = page.partition('class="rqlite-concerns"')[2].partition("</ul>")[0]
    found = re.findall(r"<li[^>]*>(.*?)</li>", listed, re.DOTALL)
    assert (ALL_CLEAR in page) == (not found)
    addresses = [re.search(r'href="([^"]*)"', each) for each in found]
    return [
        (html.unescape(strip_tags(each)), html.unescape(address[1]) if address else "")
        for each, address in zip(found, addresses, strict=True)
    ]


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    return ago(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def schedule(world: World, queue: str, job_id: str, due: float) -> None:
    fields = {"origin": queue, "created_at": "2026-01-02T03:04:05Z"}
    world.engine.schedule(job_id, queue, fields, minted=False, due=4e9)
    world.redis.zadd(f"rq:scheduled:{queue}", {job_id: due})


def entry(world: World, name: str, *, late: float, heard: float = 0, source: str = "") -> None:
    """An entry whose next run was due ``late`` seconds ago, announced ``heard`` seconds ago."""
    announced = Announcement(
        name, "every 60 s", "low", "shop.jobs.tidy", source or "settings", int(time.time() - late)
    )
    Engine(Broker(world.redis, world.keys.prefix)).cron_announce([announced])
    at = int(time.time() - heard)
    world.redis.hset(f"rq:x:cron:entry:{name}", "announced_at", at)
    world.redis.zadd("rq:x:cron:entries", {name: at})


def five_late_entries(world: World) -> None:
    for number in range(5):
        entry(world, f"e{number}", late=7200, heard=7300, source="/srv/cron.py")


def a_worker_everywhere(world: World) -> None:
    world.worker(WORKER, *ALL)


def no_worker(world: World) -> None:
    world.redis.sadd("rq:queues", "rq:queue:default")


def scheduled_where_nobody_listens(world: World) -> None:
    world.worker(WORKER, "default", "low")
    schedule(world, "high", "j1", time.time() + 3600)


def deferred_where_nobody_listens(world: World) -> None:
    world.worker(WORKER, "default", "low")
    world.redis.zadd("rq:deferred:high", {"j1": time.time(), "j2": time.time()})


def both_where_nobody_listens(world: World) -> None:
    deferred_where_nobody_listens(world)
    schedule(world, "high", "j3", time.time() + 3600)


def queued_and_deferred_where_nobody_listens(world: World) -> None:
    deferred_where_nobody_listens(world)
    world.queued("high")


def overdue_where_nobody_listens(world: World) -> None:
    world.worker(WORKER, "default", "low")
    for number in range(3):
        schedule(world, "high", f"j{number}", time.time() - 7200)


def overdue_although_workers_listen(world: World) -> None:
    a_worker_everywhere(world)
    schedule(world, "high", "j1", time.time() - 7200)


def paused_and_empty(world: World) -> None:
    a_worker_everywhere(world)
    get_queue("high").pause()


def suspended_and_empty(world: World) -> None:
    a_worker_everywhere(world)
    suspend(get_connection())


def lease_over(world: World) -> None:
    """The expired lease of a worker that is no longer listed."""
    a_worker_everywhere(world)
    world.started("high", "j1")
    world.redis.hset("rq:job:j1", "worker_name", "nobody")
    (member,) = world.redis.zrange("rq:wip:high", 0, -1)
    world.redis.delete(f"rq:execution:{member.decode()}")
    world.redis.zadd("rq:wip:high", {member: time.time() - 7200})


def waits_since_nobody_knows_when(world: World) -> None:
    a_worker_everywhere(world)
    world.redis.hdel(f"rq:job:{world.queued('high')}", "enqueued_at")


def failed_where_nobody_configured_it(world: World) -> None:
    world.worker(WORKER, *ALL, "stray")
    world.failed("stray")


def told_to_shut_down(world: World) -> None:
    """A worker that was told to shut down."""
    world.worker(WORKER, "default", "low")
    world.worker("other", "high")
    world.redis.hset("rq:worker:other", "shutdown_requested_date", stamp(10))
    world.queued("high")


def entries_late(world: World) -> None:
    a_worker_everywhere(world)
    entry(world, "tidy", late=7200)


def entries_without_evaluation(world: World) -> None:
    a_worker_everywhere(world)
    entry(world, "tidy", late=-3600, heard=3600, source="/srv/cron.py")


def entry_paused(world: World) -> None:
    a_worker_everywhere(world)
    entry(world, "tidy", late=-3600)
    Engine(Broker(world.redis, world.keys.prefix)).cron_pause("tidy")


def one_queue_without_workers(world: World) -> None:
    world.worker(WORKER, "default", "low")


@pytest.mark.parametrize(
    ("state", "sentences"),
    [
        (a_worker_everywhere, []),
        (
            no_worker,
            [
                (
                    r"No worker is running: jobs wait until one is started "
                    r"\(manage\.py rqworker\)\.",
                    WORKERS,
                )
            ],
        ),
        (one_queue_without_workers, [(r"No worker listens on “high”\.", "")]),
        (
            scheduled_where_nobody_listens,
            [
                (
                    r"No worker listens on “high”, which has 1 scheduled job\.",
                    queue_page("high"),
                )
            ],
        ),
        (
            deferred_where_nobody_listens,
            [
                (
                    r"No worker listens on “high”, which has 2 deferred jobs\.",
                    queue_page("high"),
                )
            ],
        ),
        (
            both_where_nobody_listens,
            [
                (
                    r"No worker listens on “high”, which has scheduled jobs \(1\) and deferred "
                    r"jobs \(2\)\.",
                    queue_page("high"),
                )
            ],
        ),
        (
            queued_and_deferred_where_nobody_listens,
            [(r"1 job waits in “high”: no worker listens on it\.", queue_page("high"))],
        ),
        (
            overdue_where_nobody_listens,
            [
                (
                    r"3 scheduled jobs of “high” are overdue, the first for 2 h: no worker listens "
                    r"on it\.",
                    queue_page("high", "scheduled"),
                )
            ],
        ),
        (
            overdue_although_workers_listen,
            [
                (
                    r"1 scheduled job of “high” is overdue, for 2 h: its workers do not enqueue "
                    r"them\.",
                    queue_page("high", "scheduled"),
                )
            ],
        ),
        (
            paused_and_empty,
            [(r"“high” is paused: no worker takes a job from it\.", queue_page("high"))],
        ),
        (
            suspended_and_empty,
            [(r"All workers are suspended: no job runs until they are resumed\.", WORKERS)],
        ),
        (
            lease_over,
            [
                (
                    r"The lease of 1 started job in “high” expired 2 h ago: its workers have not "
                    r"recovered them\.",
                    queue_page("high", "started"),
                )
            ],
        ),
        (
            waits_since_nobody_knows_when,
            [(r"1 job waits in “high”; it is not known since when\.", queue_page("high"))],
        ),
        (
            failed_where_nobody_configured_it,
            [(r"1 run failed in the last hour in “stray”\.", queue_page("stray", "failed"))],
        ),
        (
            told_to_shut_down,
            [(r"1 job waits in “high”: no worker listens on it\.", queue_page("high"))],
        ),
        (
            entries_late,
            [
                (
                    r"1 cron entry is overdue, for 2 h: workers are running, but .* \(“tidy”\)\.",
                    SCHEDULE,
                )
            ],
        ),
        (
            entries_without_evaluation,
            [(r"No worker evaluates 1 cron entry: “tidy”\.", SCHEDULE)],
        ),
        (entry_paused, [(r"1 cron entry is paused: “tidy”\.", SCHEDULE)]),
    ],
)
def test_what_will_not_run_is_said(
    world: World,
    admin_client: Client,
    state: Callable[[World], None],
    sentences: list[tuple[str, str]],
) -> None:
    state(world)
    before = keyspace(world.redis)
    found = told(admin_client)
    assert len(found) == len(sentences), found
    for (sentence, address), (expected, expected_address) in zip(found, sentences, strict=True):
        assert re.fullmatch(expected, sentence)
        assert address == expected_address
    assert keyspace(world.redis) == before


def test_cron_entries_are_late_since_no_worker_lives(world: World, admin_client: Client) -> None:
    five_late_entries(world)
    late, nobody = told(admin_client)
    assert late == (
        "5 cron entries are overdue, the first for 2 h: no worker is running "
        "(“e0”, “e1”, “e2”, “e3”, “e4”).",
        SCHEDULE,
    )
    assert nobody[0].startswith("No worker is running")
    a_worker_everywhere(world)
    ((sentence, _address),) = told(admin_client)
    assert "the first for 2 h: no worker evaluates them" in sentence


def test_entries_of_the_settings_are_expected_even_where_none_was_announced(
    world: World, admin_client: Client, settings: Any
) -> None:
    settings.RQ = {**settings.RQ, "CRON": CRON}
    a_worker_everywhere(world)
    ((sentence, _address),) = told(admin_client)
    assert sentence == "No worker evaluates 1 cron entry: “tidy”."
    entry(world, "tidy", late=-30)
    assert told(admin_client) == []
    entry(world, "tidy", late=7200, heard=7300)
    assert "1 cron entry is overdue, for 2 h" in told(admin_client)[0][0]


def test_what_was_given_up_is_not_expected(world: World, admin_client: Client) -> None:
    a_worker_everywhere(world)
    entry(world, "taken out of the settings", late=7200, heard=7300)
    entry(world, "taken out of the file", late=7200, heard=7300, source="/srv/cron.py")
    entry(world, "left in the file", late=-30, source="/srv/cron.py")
    assert told(admin_client) == []


def test_a_queue_that_no_worker_runs_needs_none(
    world: World, admin_client: Client, settings: Any
) -> None:
    world.worker(WORKER, "default", "low")
    assert [sentence for sentence, _address in told(admin_client)] == [
        "No worker listens on “high”."
    ]
    high = {**settings.RQ_QUEUES["high"], "ASYNC": False}
    settings.RQ_QUEUES = {**settings.RQ_QUEUES, "high": high}
    assert told(admin_client) == []


def test_what_was_not_looked_at_is_no_all_clear(
    world: World, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_FOUND", 1)
    world.worker("w1", *ALL)
    world.worker("w2", *ALL)
    for name in ("a", "b", "c"):
        world.redis.sadd("rq:queues", f"rq:queue:{name}")
    for name in ("e1", "e2"):
        entry(world, name, late=-30)
    sentences = [sentence for sentence, _address in told(admin_client)]
    assert sentences[-3:] == [
        "2 more queues were not checked.",
        "1 more worker was not checked.",
        "1 more cron entry was not checked.",
    ]


def test_of_several_servers_it_is_said_which_is_meant(
    world: World, admin_client: Client, settings: Any
) -> None:
    there = {**settings.RQ_QUEUES["default"], "KEY_PREFIX": "there:"}
    settings.RQ_QUEUES = {**settings.RQ_QUEUES, "there": there}
    a_worker_everywhere(world)
    ((sentence, _address),) = told(admin_client)
    assert re.fullmatch(r"unix://.* \(there:…\): No worker is running: .*", sentence)
    far = World(world.redis, "there:")
    far.worker(WORKER, "there")
    assert told(admin_client) == []
    far.redis.set("there:suspended", 1)
    ((sentence, _address),) = told(admin_client)
    assert re.fullmatch(r"unix://.* \(there:…\): All workers are suspended: .*", sentence)


def test_links_are_for_those_who_may_follow_them(world: World) -> None:
    world.redis.sadd("rq:queues", "rq:queue:default")
    entry(world, "tidy", late=7200)
    client = client_with("view_queue")
    assert [address for _sentence, address in told(client)] == [SCHEDULE, ""]


def occupy(world: World, queue: str, names: list[str], seconds: float) -> None:
    """Have the worker run these jobs, which started ``seconds`` ago."""
    for name in names:
        world.started(queue, name)
        world.redis.hset(
            f"rq:job:{name}",
            mapping={"started_at": stamp(seconds), "description": f"shop.jobs.long_import({name})"},
        )


def wait_long(world: World, queue: str) -> None:
    world.redis.hset(f"rq:job:{world.queued(queue)}", "enqueued_at", stamp(840))


@pytest.mark.parametrize(
    ("concurrency", "jobs", "seconds", "why"),
    [
        (
            3,
            3,
            665,
            "all 3 slots of its workers are busy, for up to 11 min 5 s, with "
            "shop.jobs.long_import ×3",
        ),
        (
            1,
            1,
            665,
            "the 1 slot of its workers has been busy for 11 min 5 s with shop.jobs.long_import",
        ),
        (2, 2, 5, "all 2 slots of its workers are busy"),
        (3, 1, 665, r"its workers have free slots \(1 of 3 in use\)"),
    ],
)
def test_why_jobs_wait_although_workers_listen(
    world: World, admin_client: Client, concurrency: int, jobs: int, seconds: float, why: str
) -> None:
    world.worker(WORKER, *ALL, x_concurrency=str(concurrency))
    # Jobs of any queue occupy the slots of the queue's workers.
    occupy(world, "low", [f"j{number}" for number in range(jobs)], seconds)
    wait_long(world, "high")
    ((sentence, address),) = told(admin_client)
    # A second may pass.
    why = why.replace("5 s", r"\d s")
    assert re.fullmatch(rf"1 job waits in “high”, for 14 min( \d+ s)?: {why}\.", sentence)
    assert address == queue_page("high")
    assert f"slots {jobs}/{concurrency}" in admin_client.get(QUEUES).text


def test_slots_of_workers_that_are_not_all_known_are_not_told(
    world: World, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_FOUND", 1)
    world.worker("w1", *ALL)
    world.worker("w2", *ALL)
    wait_long(world, "high")
    assert told(admin_client)[0][0].endswith(": its workers are busy with other jobs.")
    assert "slots" not in admin_client.get(QUEUES).text


def test_jobs_that_run_longer_than_usual_are_told(world: World, admin_client: Client) -> None:
    world.worker(WORKER, *ALL, x_concurrency="4")
    for _ in range(19):
        world.finished("low")
    occupy(world, "low", ["j1", "j2"], 665)
    assert told(admin_client) == []  # too few to know what is usual
    world.finished("low")
    occupy(world, "low", ["j3"], 30)
    ((sentence, address),) = told(admin_client)
    assert re.fullmatch(
        r"2 jobs in “low” have run for up to 11 min \d s \(p95: .* m?s\): "
        r"shop\.jobs\.long_import ×2\.",
        sentence,
    )
    assert address == queue_page("low", "started")
