"""The redis-cli session of the description this project was created from, replayed.

Keys, types and fields are compared as they stand there (RQ 0.5.6), before and after a worker ran,
for a job that fails and for one that succeeds. What RQ 2.12 adds may stand beside them.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import Job, get_queue
from tests.worker_process import run_burst

TIMESTAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SEED_FIELDS = {
    *("origin", "status", "created_at", "enqueued_at", "data", "description", "timeout"),
}
SEED_FIELDS_FAILED = SEED_FIELDS | {"ttl", "ended_at", "exc_info"}
SEED_FIELDS_FINISHED = SEED_FIELDS | {"ttl", "ended_at", "result"}


def keys(redis: redis_py.Redis) -> set[str]:
    return {key.decode() for key in redis.scan_iter()}


def keys_of_charts(redis: redis_py.Redis) -> set[str]:
    return {key for key in keys(redis) if key.startswith("rq:x:activity:")}


def fields(redis: redis_py.Redis, job: Job) -> dict[str, bytes]:
    return {name.decode(): value for name, value in redis.hgetall(f"rq:job:{job.id}").items()}


@pytest.fixture
def job(redis: redis_py.Redis) -> Job:
    return get_queue().enqueue("tests.sample_jobs.count_words_at", "one two three")


def test_a_job_that_waits(redis: redis_py.Redis, job: Job) -> None:
    assert keys(redis) == {f"rq:job:{job.id}", "rq:queue:default", "rq:queues"}
    assert redis.type("rq:queues") == b"set"
    assert redis.smembers("rq:queues") == {b"rq:queue:default"}
    assert redis.type("rq:queue:default") == b"list"
    assert redis.lrange("rq:queue:default", 0, 12) == [job.id.encode()]
    assert redis.type(f"rq:job:{job.id}") == b"hash"

    stored = fields(redis, job)
    assert set(stored) == SEED_FIELDS | {"x_sig", "x_created"}
    assert stored["origin"] == b"default"
    assert stored["status"] == b"queued"
    assert stored["timeout"] == b"180"
    assert stored["description"] == b"tests.sample_jobs.count_words_at('one two three')"
    assert TIMESTAMP.fullmatch(stored["created_at"])
    assert TIMESTAMP.fullmatch(stored["enqueued_at"])
    assert pickle.loads(stored["data"]) == (
        "tests.sample_jobs.count_words_at",
        None,
        ("one two three",),
        {},
    )


def test_a_job_whose_module_the_worker_does_not_have(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue("my_module.count_words_at_url", "http://www.example.com")

    output = run_burst(tmp_path, "default")

    assert re.search(r"RQ worker 'rq:worker:[\w-]+\.\d+' started, version ", output)
    assert "*** Listening on default..." in output
    line = f"default: my_module.count_words_at_url('http://www.example.com') ({job.id})"
    assert line in output
    assert "No module named 'my_module'" in output

    assert keys(redis) >= {"rq:queue:failed", "rq:queues", f"rq:job:{job.id}"}
    assert redis.lrange("rq:queue:default", 0, 12) == []
    assert redis.type("rq:queue:failed") == b"list"
    assert redis.lrange("rq:queue:failed", 0, 12) == [job.id.encode()]
    # A mirror is no queue: tools that list queues must not offer to run or empty it.
    assert redis.smembers("rq:queues") == {b"rq:queue:default"}

    stored = fields(redis, job)
    assert set(stored) >= SEED_FIELDS_FAILED
    assert stored["status"] == b"failed"
    assert stored["ttl"] == b"-1"
    assert TIMESTAMP.fullmatch(stored["ended_at"])
    assert b"ModuleNotFoundError: No module named 'my_module'" in stored["exc_info"]


def test_the_worker_s_record(redis: redis_py.Redis, job: Job, tmp_path: Path) -> None:
    run_burst(tmp_path, "default")

    (key,) = (key for key in keys(redis) if key.startswith("rq:worker:"))
    assert re.fullmatch(r"rq:worker:[\w-]+\.\d+", key)
    assert redis.type(key) == b"hash"
    record = redis.hgetall(key)
    assert record.keys() >= {b"birth", b"queues", b"state"}
    assert record[b"queues"] == b"default"
    assert TIMESTAMP.fullmatch(record[b"birth"])


def test_a_job_that_succeeds(redis: redis_py.Redis, job: Job, tmp_path: Path) -> None:
    output = run_burst(tmp_path, "default")

    assert f"default: tests.sample_jobs.count_words_at('one two three') ({job.id})" in output
    assert "Job OK" in output
    (worker,) = (key for key in keys(redis) if key.startswith("rq:worker:"))
    assert keys(redis) == {
        *(worker, "rq:finished:default", "rq:queues", f"rq:job:{job.id}"),
        f"rq:results:{job.id}",  # RQ 2.12
        *keys_of_charts(redis),
    }
    assert redis.type("rq:finished:default") == b"zset"
    assert redis.zrange("rq:finished:default", 0, -1) == [job.id.encode()]

    stored = fields(redis, job)
    assert set(stored) >= SEED_FIELDS_FINISHED
    assert stored["status"] == b"finished"
    assert stored["ttl"] == b"-1"
    assert pickle.loads(stored["result"]) == 3
