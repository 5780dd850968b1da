"""Numbers, dates and JSON in Redis may hold anything; pages and workers go on."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import Job, get_queue
from django_rqlite.protocol import codec
from django_rqlite.protocol.keys import Keys
from django_rqlite.protocol.records import read_job
from django_rqlite.protocol.stored_worker import read_worker
from tests import sample_jobs
from tests.admin_world import (
    JOBS,
    QUEUES,
    SCHEDULE,
    WORKERS,
    job_page,
    queue_page,
    worker_page,
)
from tests.conftest import wait_until
from tests.worker_process import run_burst, worker

VALUES = {
    "nan": b"nan",
    "infinite": b"inf",
    "below all": b"-inf",
    "overflows": b"1e999",
    "400 digits": b"9" * 400,
    "minus 400 digits": b"-" + b"9" * 400,
    "5000 digits": b"9" * 5000,
    "beyond 64 bits": b"99999999999999999999",
    "negative": b"-7",
    "fraction": b"0.5",
    "hexadecimal": b"0x10",
    "another script": "٣".encode(),
    "superscript": "²".encode(),
    "empty": b"",
    "no UTF-8": b"\xff\xfe",
}
NUMBERS = (
    *("timeout", "result_ttl", "failure_ttl", "ttl", "retries_left", "number_of_retries"),
    *("repeats_left", "success_callback_timeout", "failure_callback_timeout", "x_attempts"),
    *("stopped_callback_timeout", "x_repeats", "x_crashes", "x_unique_for", "x_retries_max"),
    *("x_repeats_max", "enqueue_at_front_on_retry", "allow_dependency_failures"),
    *("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
)
WORKER_NUMBERS = (
    *("pid", "birth", "death", "last_heartbeat", "shutdown_requested_date", "x_lease"),
    *("current_job_working_time", "successful_job_count", "failed_job_count"),
    *("total_working_time", "x_memory", "x_child_memory"),
)
CRON_NUMBERS = (
    *("last_tick", "next_tick", "enqueued_at", "last_ended_at", "since", "announced_at"),
    "paused_at",
)
CALL = pickle.dumps(("tests.sample_jobs.add", None, (1,), {}))
FAILING = pickle.dumps(("tests.sample_jobs.divide", None, (1, 0), {}))


@pytest.fixture(params=VALUES)
def value(request: pytest.FixtureRequest) -> bytes:
    return VALUES[request.param]


def plant(redis: redis_py.Redis, value: bytes) -> None:
    now = time.time()
    for place in ("finished", "failed", "deferred", "scheduled", "canceled", "wip"):
        status = "started" if place == "wip" else place
        member = "evil-wip:x" if place == "wip" else f"evil-{place}"
        fields = {**dict.fromkeys(NUMBERS, value), "status": status, "origin": "default"}
        redis.hset(f"rq:job:evil-{place}", mapping={**fields, "worker_name": "evil"})
        redis.zadd(f"rq:{place}:default", {member: _score(value)})
    redis.hset("rq:job:evil", mapping={**dict.fromkeys(NUMBERS, value), "status": "queued"})
    redis.rpush("rq:queue:default", "evil")
    times = dict.fromkeys(("execution_started_at", "execution_ended_at"), value)
    redis.xadd("rq:results:evil-finished", {"type": "1", **times})
    redis.hset("rq:job:evil-finished", "meta", pickle.dumps({"progress": float("inf")}))
    for name, state in (("evil", "busy"), ("idle", "idle")):
        record = {**dict.fromkeys(WORKER_NUMBERS, value), "state": state, "queues": "default"}
        redis.hset(f"rq:worker:{name}", mapping={**record, "current_job": "evil-wip"})
        redis.sadd("rq:workers", f"rq:worker:{name}")
    redis.hdel("rq:worker:evil", "death")
    redis.hset("rq:x:cron:entry:nightly", mapping=dict.fromkeys(CRON_NUMBERS, value))
    redis.zadd("rq:x:cron:entries", {"nightly": _score(value)})
    keys = Keys("rq:")
    for hour in (int(now) // 3600 - 1, int(now) // 3600):
        names = (b"59:done", b"0:failed", b"1:w:62", b"1:r:-3", b"2:r:" + value, value)
        redis.hset(keys.activity("default", hour), mapping=dict.fromkeys(names, value))
    redis.zadd("rq:cron_schedulers", {"evil": _score(value)})
    redis.set("rq:suspended", value)
    redis.set(keys.scheduler_lock("default"), value)


def _score(value: bytes) -> float:
    try:
        score = float(value or 0)
    except ValueError:
        return 1e18
    return 0.0 if score != score else score


@pytest.mark.django_db
def test_pages(redis: redis_py.Redis, admin_client: Any, value: bytes) -> None:
    plant(redis, value)
    places = ("queued", "started", "finished", "failed", "deferred", "scheduled", "canceled")
    for page in (
        *(QUEUES, f"{QUEUES}?span=day", SCHEDULE, JOBS, WORKERS, f"{QUEUES}stats.json"),
        *(f"{JOBS}?state=failed&group=1", f"{JOBS}?since=1h", worker_page("evil")),
        *(worker_page("idle"), f"{QUEUES}metrics", job_page("evil"), job_page("evil-wip")),
        *(queue_page("default", place) for place in places),
        *(job_page(f"evil-{place}") for place in places[2:]),
    ):
        assert admin_client.get(page).status_code in (200, 404), page
    for page in (WORKERS, worker_page("evil"), job_page("evil-finished")):
        assert admin_client.get(page).status_code == 200


def test_records_hold_usable_numbers(value: bytes) -> None:
    job = read_job("a", dict.fromkeys([name.encode() for name in NUMBERS], value))
    worker_record = read_worker("w", dict.fromkeys([n.encode() for n in WORKER_NUMBERS], value))
    numbers = [job.timeout, job.ttl, job.retries_left, job.crashes, worker_record.pid]
    numbers += [worker_record.total_working_time, worker_record.current_job_working_time]
    for number in numbers:
        assert number is None or abs(number) <= codec.LARGEST_NUMBER


def test_a_worker(redis: redis_py.Redis, tmp_path: Path) -> None:
    """Jobs of all kinds of nonsense: each of them ends, and so does the good one behind them."""
    ids = []
    for kind, value in VALUES.items():
        for name in NUMBERS:
            job_id = f"{name}-{kind}".replace(" ", "_")
            fields: dict[str, Any] = {"status": "queued", "origin": "default", "data": CALL}
            if name.startswith(("retr", "x_attempts", "enqueue_at_front", "x_retries")):
                fields |= {"data": FAILING, "retries_left": 1, "retry_intervals": "[0]"}
            if name.startswith(("repeat", "x_repeats")):
                fields |= {"repeats_left": 1, "repeat_intervals": "[0]"}
            if name == "repeats_left" or name == "retries_left":
                fields |= {"x_repeats_max": 1, "x_retries_max": 1}
            redis.hset(f"rq:job:{job_id}", mapping={**fields, name: value})
            ids.append(job_id)
    for number, stored in enumerate(
        [b"[%s]" % b"9" * 400, b"[-5]", b"[]", b"{}", b"[1e999]", b"[NaN]", b"[true]", b"[" * 5000]
    ):
        for name in ("retry_intervals", "repeat_intervals", "dependency_ids"):
            job_id = f"{name}-{number}"
            fields = {"status": "queued", "data": FAILING, "retries_left": 1, name: stored}
            redis.hset(f"rq:job:{job_id}", mapping=fields)
            ids.append(job_id)
    for number, extras in enumerate(
        [
            *("NaN", "Infinity", "-1", "1e999", "true", "9" * 400, "[]", '"x"'),
        ]
    ):
        job_id = f"jitter-{number}"
        fields = {"retries_left": 1, "retry_intervals": "[1]", "x_retry": f'{{"jitter": {extras}}}'}
        redis.hset(f"rq:job:{job_id}", mapping={"status": "queued", "data": FAILING, **fields})
        ids.append(job_id)
    redis.rpush("rq:queue:default", *ids)
    good = get_queue().enqueue(sample_jobs.add, 1)

    run_burst(tmp_path, "--concurrency", "2", "--max-jobs-per-child", "0")
    assert good.is_finished
    assert redis.llen("rq:queue:default") == redis.zcard("rq:wip:default") == 0
    # What lasted for no time, or for ever, is where its numbers say; the others have ended.
    left = [job for job in Job.fetch_many(ids) if job]
    assert {str(job.get_status()) for job in left} <= {"finished", "failed", "scheduled"}
    assert len(left) > len(ids) / 2


def test_what_a_worker_reads_beside_jobs(redis: redis_py.Redis, tmp_path: Path) -> None:
    entries = {}
    for number, (kind, value) in enumerate(VALUES.items()):
        name = f"entry-{number}"
        entries[name] = {"func": "tests.sample_jobs.nothing", "interval": 3600}
        for fields in (CRON_NUMBERS[:-1],):
            redis.hset(f"rq:x:cron:entry:{name}", mapping=dict.fromkeys(fields, value))
        redis.hset(f"rq:x:cron:entry:{name}", "schedule", "every 3600 s")
        record = {**dict.fromkeys(WORKER_NUMBERS, value), "queues": "default", "state": "busy"}
        redis.hset(f"rq:worker:dead.{number}", mapping=record)
        redis.sadd("rq:workers", f"rq:worker:dead.{number}")
        redis.sadd("rq:workers:default", f"rq:worker:dead.{number}")
        job_id = f"lost-{number}"
        lost = {"status": "started", "data": CALL, "worker_name": f"dead.{number}"}
        redis.hset(f"rq:job:{job_id}", mapping={**lost, "x_crashes": value, "started_at": value})
        redis.zadd("rq:wip:default", {f"{job_id}:x": 1})
        redis.zadd("rq:scheduled:default", {f"later-{kind}": max(_score(value), 4e9)})
    environment = {"RQ_TEST_CRON": json.dumps(entries), "RQ_TEST_LEASE": "1"}
    with worker(tmp_path, environment=environment) as process:
        process.ready()
        wait_until(
            lambda: redis.pubsub_numsub("rq:x:scheduled:default")[0][1] > 0, "the worker listens"
        )
        for value in VALUES.values():
            redis.publish("rq:x:scheduled:default", value)
        wait_until(lambda: redis.zcard("rq:wip:default") == 0, "what was lost has ended", 40)
        good = get_queue().enqueue(sample_jobs.add, 1)
        wait_until(lambda: good.is_finished, "the worker goes on")
    assert "Traceback" not in process.output


def test_what_scripts_calculate_with(redis: redis_py.Redis, tmp_path: Path) -> None:
    """Jobs that are due or released, and the records of a worker and its execution."""
    ids = []
    for number, value in enumerate(VALUES.values()):
        fields: dict[str, Any] = {"status": "scheduled", "origin": "default", "data": CALL}
        redis.hset(f"rq:job:due-{number}", mapping={**fields, "ttl": value})
        redis.zadd("rq:scheduled:default", {f"due-{number}": 1})
        parent = get_queue().enqueue(sample_jobs.nothing)
        child = get_queue().enqueue(sample_jobs.nothing, depends_on=parent)
        redis.hset(child.key, mapping={"ttl": value, "x_due": value})
        ids += [f"due-{number}", parent.id]
    pipes = [tmp_path / f"pipe-{number}" for number in range(len(VALUES))]
    environment = {"RQ_TEST_LEASE": "1"}
    with worker(tmp_path, "default", "high", "--name", "w", environment=environment) as process:
        process.ready()
        wait_until(lambda: redis.zcard("rq:scheduled:default") <= len(VALUES), "all are promoted")
        for value, pipe in zip(VALUES.values(), pipes, strict=True):
            blocked = get_queue("high").enqueue(sample_jobs.wait_for, str(pipe))
            wait_until(lambda job=blocked: job.is_started, "it runs")
            (execution,) = redis.keys(f"rq:execution:{blocked.id}:*")
            redis.hset(execution, "created_at", value)
            redis.hset("rq:worker:w", mapping=dict.fromkeys(WORKER_NUMBERS[7:], value))
            pipe.touch()
            wait_until(lambda job=blocked: job.is_finished, "and ends")
    assert "Traceback" not in process.output
    for job in Job.fetch_many(ids):
        assert job is None or job.get_status() in ("finished", "failed")


@pytest.mark.parametrize("kind", ["superscript", "400 digits", "negative"])
def test_a_name_that_was_taken(redis: redis_py.Redis, tmp_path: Path, kind: str) -> None:
    import socket

    record = {**dict.fromkeys(WORKER_NUMBERS, VALUES[kind]), "queues": "default"}
    redis.hset("rq:worker:w", mapping={**record, "hostname": socket.gethostname()})
    redis.hdel("rq:worker:w", "death")
    with worker(tmp_path, "--burst", "--name", "w") as process:
        process.ends()
    assert "Traceback" not in process.output
