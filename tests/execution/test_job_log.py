"""What a job logs is kept beside it, if the settings ask for that, and goes when the job goes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis as redis_py

from django_rqlite import Job, get_queue
from tests.admin_world import World, job_page
from tests.keyspace import commands
from tests.outcomes_in_redis import engine
from tests.sample_jobs import log_and_die, log_lines, nothing
from tests.worker_process import run_burst

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.usefixtures("redis")

LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING shop\.mail: line 2 of 3"


def kept(redis: redis_py.Redis, job: Job) -> list[str]:
    return [line.decode() for line in redis.lrange(f"rq:x:log:{job.id}", 0, -1)]


def run(folder: Path, lines: int) -> None:
    run_burst(folder, environment={"RQ_TEST_JOB_LOGS": str(lines)})


def test_lines_are_kept_in_their_order(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(log_lines, 3, "at last")
    quiet = get_queue().enqueue(nothing)
    run(tmp_path, 100)
    lines = kept(redis, job)
    assert len(lines) == 4
    assert re.fullmatch(LINE, lines[2])
    assert lines[3].endswith("ERROR shop.mail: at last")
    assert 0 < redis.ttl(f"rq:x:log:{job.id}") <= redis.ttl(job.key)
    assert kept(redis, quiet) == []


def test_nothing_is_kept_unless_asked_for(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(log_lines, 3)
    run(tmp_path, 0)
    assert job.is_finished
    assert kept(redis, job) == []


def test_no_more_are_kept_than_asked_for(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(log_lines, 5000, "x" * 10_000)
    run(tmp_path, 20)
    lines = kept(redis, job)
    assert len(lines) == 20
    assert lines[-2].endswith("line 4999 of 5000")
    assert 4000 < len(lines[-1].encode()) < 4100


def test_the_last_words_of_a_process_that_dies(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(log_and_die)
    run(tmp_path, 20)
    assert job.is_failed
    assert kept(redis, job)[-1].endswith("last words")


def test_they_go_with_the_job(redis: redis_py.Redis, tmp_path: Path) -> None:
    job, short = get_queue().enqueue(log_lines, 1), get_queue().enqueue(log_lines, 1, result_ttl=0)
    run(tmp_path, 20)
    assert kept(redis, short) == []
    assert kept(redis, job)
    job.delete()
    assert redis.keys("rq:x:log:*") == []


def test_a_job_that_is_gone_leaves_no_lines(redis: redis_py.Redis) -> None:
    assert not engine().append_log("gone", [b"line"], 5)
    assert redis.keys() == []


def test_lines_are_sent_in_one_step(redis: redis_py.Redis) -> None:
    job = get_queue().enqueue(nothing)
    engine().append_log(job.id, [b"first"], 5)  # which loads the script
    lines = [b"%d" % number for number in range(9)]
    assert commands(redis, lambda: engine().append_log(job.id, lines, 5)) == ["EVALSHA"]
    assert kept(redis, job) == ["4", "5", "6", "7", "8"]


@pytest.mark.django_db
def test_the_page_of_a_job_shows_them(redis: redis_py.Redis, admin_client: Client) -> None:
    job_id = World(redis).failed()
    assert "<h2>Log</h2>" not in admin_client.get(job_page(job_id)).content.decode()
    redis.rpush(
        f"rq:x:log:{job_id}", "<script>one", b"\xff two", "y" * 1_000_000, *["z" * 999] * 99
    )
    shown = admin_client.get(job_page(job_id)).content.decode()
    assert len(shown) < 150_000
    redis.ltrim(f"rq:x:log:{job_id}", 0, 1)
    shown = admin_client.get(job_page(job_id)).content.decode()
    assert "&lt;script&gt;one\n\\xff two" in shown
    redis.delete(f"rq:x:log:{job_id}")
    redis.set(f"rq:x:log:{job_id}", "no list")
    assert admin_client.get(job_page(job_id)).status_code == 200
