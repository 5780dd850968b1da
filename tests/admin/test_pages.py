"""The content of the pages."""

from __future__ import annotations

import html
import pickle
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import get_queue

from ..admin_world import (
    JOBS,
    JOBS_ACTION,
    QUEUES,
    SCHEDULE,
    WORKER,
    WORKERS,
    World,
    job_page,
    job_requeue,
    queue_page,
    worker_page,
)

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

    from ..conftest import Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


def text_of(client: Client, address: str, status: int = 200) -> str:
    """The text of a page: without tags, with one space between words."""
    answer = client.get(address)
    assert answer.status_code == status, address
    main = answer.content.decode().partition('id="content"')[2].partition('id="footer"')[0]
    main = re.sub(r"</?bdi>", "", main)  # it may be inside a word
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", "<" + main)).split())


def source_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


# Queues


def test_a_paused_queue_says_so(world: World, admin_client: Client) -> None:
    assert "paused" not in text_of(admin_client, QUEUES)
    get_queue("high").pause()
    assert "high paused" in text_of(admin_client, QUEUES)


def test_every_queue_with_what_is_where(world: World, admin_client: Client, server: Server) -> None:
    for _ in range(3):
        world.queued("high")
    world.failed("default")
    world.finished("default")
    world.worker(WORKER, "default", "high")
    shown = text_of(admin_client, QUEUES)
    ended = r"default 0 0 1 1 1 slots 0/1 – 1 0.03 ≤ \d s ≤ \d+ ms 0 0 0"
    assert re.search(ended, shown)
    assert re.search(r"high 3 0 0 0 1 slots 0/1 \d s ago 0 0 – – 0 0 0", shown)
    assert "low 0 0 0 0 0 – 0 0 – – 0 0 0" in shown
    # There is only one server.
    assert server.url.removeprefix("unix://") not in shown
    assert "3 queues" in shown
    rows = [shown.index(f"{name} ") for name in ("default 0", "high 3", "low 0")]
    assert rows == sorted(rows)


@pytest.mark.parametrize("name", ["old/er?", "100%", "ä 队列", "<b>", "a_b", "..", "\udcff"])
def test_a_queue_that_is_not_configured(world: World, admin_client: Client, name: str) -> None:
    world.queued(name, "only-one")
    page = source_of(admin_client, QUEUES)
    assert "not in RQ_QUEUES" in page
    assert queue_page(name) in page
    assert "only-one" in text_of(admin_client, queue_page(name))


def test_other_keys_in_the_set_of_queues_are_no_queues(world: World, admin_client: Client) -> None:
    world.redis.sadd("rq:queues", "rq:queue:failed", "nonsense", b"\xff")
    assert "3 queues" in text_of(admin_client, QUEUES)


def test_several_servers_of_which_one_is_down(
    world: World, admin_client: Client, settings: Any, server: Server
) -> None:
    settings.RQ_QUEUES = {
        "first": settings.RQ_QUEUES["default"],
        "down": {"HOST": "127.0.0.1", "PORT": 1, "PASSWORD": "s3cret-word"},
        "last": {**settings.RQ_QUEUES["default"], "KEY_PREFIX": "{x}rq:"},
    }
    here, there = World(world.redis), World(world.redis, "{x}rq:")
    here.queued("first", "one")
    here.queued("stray", "two")
    there.queued("last", "three")
    there.queued("stray", "four")
    there.worker("worker-there", "last")
    shown = text_of(admin_client, QUEUES)
    assert re.search(r"first 1 0 0 0 0 \d+ m?s ago 0 0 – – 0 0 0", shown)
    assert f"unix://{server.url.removeprefix('unix://')}" in shown
    assert re.search(r"down Redis at redis://127.0.0.1:1/0 is not available: .*refused", shown)
    assert re.search(r"last 1 0 0 0 1 slots 0/1 \d+ m?s ago 0 0 – – 0 0 0", shown)
    assert shown.count("not in RQ_QUEUES") == 2
    # Queues of the same name on two servers have different addresses.
    assert "two" in text_of(admin_client, queue_page("stray", on="first"))
    assert "four" in text_of(admin_client, queue_page("stray", on="last"))
    page = source_of(admin_client, QUEUES)
    assert queue_page("stray", on="first") in page
    assert queue_page("stray", on="last") in page
    # The other pages find what exists, and report a server that cannot be asked.
    assert "three" in text_of(admin_client, queue_page("last"))
    assert "No answer from Redis" in text_of(admin_client, queue_page("down"), 503)
    assert "127.0.0.1:1" in text_of(admin_client, job_page("nowhere"), 503)
    assert "There is no job" in text_of(admin_client, job_page("nowhere", on="last"), 404)
    assert "last {x}rq: " not in shown
    workers = text_of(admin_client, WORKERS)
    assert "worker-there" in workers
    assert "127.0.0.1:1" in workers
    assert "worker-there" in text_of(admin_client, worker_page("worker-there"))
    for address in (QUEUES, WORKERS, queue_page("down"), job_page("nowhere")):
        assert "s3cret" not in admin_client.get(address).text


def test_settings_that_cannot_be_used(world: World, admin_client: Client, settings: Any) -> None:
    settings.RQ_QUEUES = {"default": {"DB": 1}}
    for address in (QUEUES, JOBS, WORKERS, queue_page("default"), job_page("x"), worker_page("x")):
        assert "RQ_QUEUES['default']" in text_of(admin_client, address, 503), address


def test_a_queue_nobody_knows(world: World, admin_client: Client) -> None:
    assert "no such queue" in text_of(admin_client, queue_page("nobody"), 404)
    assert "“nobody”" in text_of(admin_client, queue_page("default", on="nobody"), 404)
    assert "default" in text_of(admin_client, queue_page("default"))


def test_pages_say_by_their_status_that_redis_is_down(
    admin_client: Client, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RQ_QUEUES = {"down": {"HOST": "127.0.0.1", "PORT": 1}}
    pages = (QUEUES, SCHEDULE, JOBS, WORKERS, queue_page("down"), job_page("x"), worker_page("x"))
    for address in pages:
        assert "127.0.0.1:1" in text_of(admin_client, address, 503), address
    form = {"action": "requeue", "all": "1"}
    assert admin_client.post(JOBS_ACTION, form).status_code == 503
    # Every open page repeats its request, and Django mails errors to ADMINS.
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


# Jobs of a queue


def test_the_places_of_a_queue(world: World, admin_client: Client) -> None:
    running = world.started(job_id="runs-now")
    world.queued(job_id="waits")
    world.finished("low", "is-done")
    world.failed("low", "has-failed")
    for place, score in (("deferred", 0), ("scheduled", 2e9), ("canceled", 1e9)):
        world.redis.hset(f"rq:job:{place}-job", mapping={"status": place, "origin": "high"})
        world.redis.zadd(f"rq:{place}:high", {f"{place}-job": score})
    default = text_of(admin_client, queue_page("default", "started"))
    assert "Queued 1 Started 1 Finished 0" in default
    assert f"{running} shop.jobs.send('bob', copies=2)" in default
    assert "in 5" in default  # the lease ends in 59 s
    assert WORKER in default
    assert "waits" not in default
    assert "waits" in text_of(admin_client, queue_page("default"))
    done = text_of(admin_client, queue_page("low", "finished"))
    assert "is-done" in done
    assert "has-failed" not in done
    failed = text_of(admin_client, queue_page("low", "failed"))
    assert "has-failed" in failed
    assert "ValueError: no such customer" in failed
    for place in ("deferred", "scheduled", "canceled"):
        assert f"{place}-job" in text_of(admin_client, queue_page("high", place))


def test_the_error_of_a_job_that_rq_failed(world: World, admin_client: Client) -> None:
    job_id = world.failed()
    world.redis.hdel(f"rq:job:{job_id}", "x_error", "exc_info")
    assert "ValueError: no such customer" in text_of(admin_client, queue_page("default", "failed"))
    assert 'File "shop/jobs.py", line 41' in text_of(admin_client, job_page(job_id))


def test_pages_of_a_hundred(world: World, admin_client: Client) -> None:
    ids = [f"job-{number:03}" for number in range(250)]
    for job_id in ids:
        world.redis.rpush("rq:queue:default", job_id)

    def listed(page: object) -> list[str]:
        shown = text_of(admin_client, queue_page("default", p=page))
        return sorted(set(re.findall(r"\bjob-\d{3}\b", shown)))

    assert listed(1) == ids[:100]
    assert listed(2) == ids[100:200]
    assert listed(3) == ids[200:]
    assert listed(4) == ids[200:]
    assert listed(10**9) == ids[200:]
    assert "250 jobs" in text_of(admin_client, queue_page("default"))
    assert queue_page("default", p=3) in source_of(admin_client, queue_page("default"))


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1.5", "²", "9" * 5000, "1 OR 1"])
def test_no_page(world: World, admin_client: Client, page: str) -> None:
    assert "not a valid page number" in text_of(admin_client, queue_page("default", p=page), 404)


@pytest.mark.parametrize("place", ["nowhere", "QUEUED", "add", "1"])
def test_no_place(world: World, admin_client: Client, place: str) -> None:
    assert "queued, started" in text_of(admin_client, queue_page("default", place), 404)


def test_ids_without_a_job(world: World, admin_client: Client) -> None:
    world.redis.rpush("rq:queue:default", "vanished")
    assert "vanished expired or deleted" in text_of(admin_client, queue_page("default"))


def test_what_is_wrong_with_a_job_is_said(world: World, admin_client: Client) -> None:
    world.queued(job_id="odd", fields={"created_at": "yesterday"})
    world.redis.set("rq:job:no-hash", "x")
    world.redis.rpush("rq:queue:default", "no-hash")
    world.redis.hdel("rq:job:odd", "data")
    for address in (queue_page("default"), job_page("odd")):
        shown = text_of(admin_client, address)
        assert "'created_at' holds 'yesterday' instead of a time" in shown
        assert "field 'data' is missing" in shown
    for address in (queue_page("default"), job_page("no-hash")):
        assert "Its key can't be read: WRONGTYPE" in text_of(admin_client, address)


# One job


def test_all_about_a_failed_job(world: World, admin_client: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    job_id = world.failed("low")
    world.engine.requeue([job_id])
    world._claim("low")
    world.redis.hset(f"rq:job:{job_id}", "meta", pickle.dumps({"progress": 40}))
    world.redis.hset(f"rq:job:{job_id}", "status", "failed")
    shown = text_of(admin_client, job_page(job_id))
    assert "Status failed" in shown
    assert "Queue low" in shown
    assert "Function shop.jobs.send Argument 1 'bob' copies= 2" in shown
    assert "Meta {'progress': 40}" in shown
    assert "Created 2026-01-02 04:04:05 (" in shown
    assert re.search(r"Enqueued \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(\d s ago\)", shown)
    assert "Timeout 3 min" in shown
    assert "Expires never" in shown
    assert re.search(r"Executions, newest first .*ValueError: no such customer", shown)
    assert 'File "shop/jobs.py", line 41' in shown
    assert job_requeue(job_id) in source_of(admin_client, job_page(job_id))


def test_all_about_a_finished_job(world: World, admin_client: Client) -> None:
    job_id = world.finished(result={"words": [1, 2]})
    page = source_of(admin_client, job_page(job_id))
    shown = text_of(admin_client, job_page(job_id))
    assert "Result {'words': [1, 2]}" in shown
    assert "Expires in 1 h 23 min" in shown
    assert job_requeue(job_id) not in page
    world.redis.hdel(f"rq:job:{job_id}", "result")  # as RQ 2 stores it
    assert "Result {'words': [1, 2]}" in text_of(admin_client, job_page(job_id))
    assert "Result None" in text_of(admin_client, job_page(world.finished()))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'["shop.f", null, [1], {"a": "b"}]', "Function shop.f Argument 1 1 a= 'b'"),
        (pickle.dumps(("m.f", {"the": "self"}, (), {})), "Bound to {'the': 'self'}"),
        (b"\x80\x05nonsense", "It can't be shown: neither a pickle nor JSON"),
        (pickle.dumps("just text"), "keywords) but 'just text'"),
        (pickle.dumps(("f", None, tuple(range(300)), {})), "200 more are not shown"),
    ],
)
def test_the_call_of_a_job(world: World, admin_client: Client, data: bytes, expected: str) -> None:
    assert expected in text_of(admin_client, job_page(world.queued(call=data)))


def test_a_job_that_is_gone(world: World, admin_client: Client) -> None:
    shown = text_of(admin_client, job_page("gone"), 404)
    assert "There is no job “gone”" in shown
    assert "Back to: Jobs" in shown


def test_a_job_is_found_by_its_id(world: World, admin_client: Client) -> None:
    job_id = world.queued()
    answer = admin_client.get(JOBS, {"q": f" {job_id} "})
    assert answer.headers["Location"] == job_page(job_id)
    assert "No job has this ID" in text_of(admin_client, f"{JOBS}?q=nothing")
    assert '<option value="high">high</option>' in source_of(admin_client, JOBS)


# Workers


def test_all_workers(world: World, admin_client: Client) -> None:
    memory = {"x_memory": "47185920", "x_child_memory": "104857600"}
    world.worker(WORKER, "default", "low", python_version="3.13.1", **memory)
    job_id = world.started()
    shown, page = text_of(admin_client, WORKERS), source_of(admin_client, WORKERS)
    call = r"shop\.jobs\.send\('bob', copies=2\)"
    row = rf"{WORKER} busy: 1 of 1 \d s ago {job_id} for \d s {call} default , low 0 0"
    assert re.search(row, shown)
    assert re.search(r"4711 on host-1 45\.0\sMB", shown)
    assert "django_rqlite 0.1" in shown
    assert "silent" not in shown
    for address in (job_page(job_id), queue_page("low"), worker_page(WORKER)):
        assert address in page
    alone = text_of(admin_client, worker_page(WORKER))
    assert job_id in alone
    assert "Python 3.13.1" in alone
    assert re.search(r"Memory 45\.0\sMB Peak memory of its last job 100\.0\sMB", alone)


@pytest.mark.parametrize(
    ("version", "seconds", "silent"),
    [
        ("django_rqlite 0.1", 110, False),
        ("django_rqlite 0.1", 130, True),
        ("2.12.0", 470, False),
        ("2.12.0", 490, True),
    ],
)
def test_a_worker_that_is_probably_dead(
    world: World, admin_client: Client, version: str, seconds: int, silent: bool
) -> None:
    world.worker(version=version)
    before = datetime.now(UTC) - timedelta(seconds=seconds)
    world.redis.hset(f"rq:worker:{WORKER}", "last_heartbeat", before.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert ("silent" in text_of(admin_client, WORKERS)) is silent
    assert ("probably dead" in text_of(admin_client, worker_page(WORKER))) is silent


def test_a_worker_that_never_was(world: World, admin_client: Client) -> None:
    assert "There is no worker “left”" in text_of(admin_client, worker_page("left"), 404)
