"""Cron entries of the settings with real workers."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from django_rqlite.broker.broker import Broker
from django_rqlite.engine.cron import PauseResult
from django_rqlite.engine.engine import Engine
from django_rqlite.protocol.keys import Keys
from tests.conftest import Server, wait_until
from tests.worker_process import worker

KEYS = Keys()


def settings_with(**entries: Any) -> dict[str, str]:
    return {"RQ_TEST_CRON": json.dumps(entries)}


def every_second(path: Path) -> dict[str, Any]:
    return {"func": "tests.sample_jobs.write", "args": [str(path), "ran\n"], "interval": 1}


def runs(path: Path) -> int:
    return path.read_text().count("ran") if path.exists() else 0


def finished(redis: redis_py.Redis) -> list[str]:
    return [job_id.decode() for job_id in redis.zrange(KEYS.finished("default"), 0, -1)]


def ticks(redis: redis_py.Redis) -> dict[int, bytes | None]:
    """The job of each tick that anybody enqueued."""
    found = {}
    for key in redis.keys(KEYS.cron_tick("*", "every")):
        tick = int(
            key.decode().removeprefix(KEYS.cron_tick("", "").removesuffix(":")).split(":")[0]
        )
        found[tick] = redis.get(key)
    return found


def test_one_worker(redis: redis_py.Redis, tmp_path: Path) -> None:
    path = tmp_path / "runs"
    with worker(tmp_path, environment=settings_with(every=every_second(path))) as process:
        process.ready()
        wait_until(lambda: runs(path) >= 2, "the job runs twice")
        wait_until(lambda: len(finished(redis)) >= 2, "its outcomes are stored")
        process.prints("enqueued by cron entry every")
        job = redis.hgetall(KEYS.job(finished(redis)[0]))
        assert job[b"x_cron"] == b"every"
        assert job[b"description"].startswith(b"every: tests.sample_jobs.write(")
        process.signal(signal.SIGTERM)
        assert process.ends() == 0, process.output


def test_a_pause_outlives_the_worker_and_ends_with_the_next_tick(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    path = tmp_path / "runs"
    environment = settings_with(every=every_second(path), other=every_second(tmp_path / "other"))
    arrows = Engine(Broker(redis))
    with worker(tmp_path, environment=environment) as process:
        wait_until(lambda: runs(path) >= 1, "the job runs")
        assert arrows.cron_pause("every") is PauseResult.CHANGED
        process.signal(signal.SIGTERM)
        assert process.ends() == 0, process.output
    before = set(ticks(redis))

    with worker(tmp_path, environment=environment) as process:
        others = runs(tmp_path / "other")
        wait_until(lambda: runs(tmp_path / "other") >= others + 3, "the other entry's job runs")
        assert set(ticks(redis)) == before
        resumed = int(redis.time()[0])
        assert arrows.cron_resume("every") is PauseResult.CHANGED
        wait_until(lambda: set(ticks(redis)) > before, "it ticks again")
        wait_until(lambda: runs(path) > len(before), "its job runs")
        process.signal(signal.SIGTERM)
        assert process.ends() == 0, process.output
    assert min(set(ticks(redis)) - before) > resumed


def test_three_workers_and_one_is_killed(redis: redis_py.Redis, tmp_path: Path) -> None:
    path = tmp_path / "runs"
    environment = settings_with(every=every_second(path))
    with (
        worker(tmp_path, environment=environment) as first,
        worker(tmp_path, environment=environment) as second,
        worker(tmp_path, "low", environment=environment) as of_another_queue,
    ):
        for process in (first, second, of_another_queue):
            process.ready()
        wait_until(lambda: runs(path) >= 2, "the job runs twice")
        first.process.kill()
        before = runs(path)
        wait_until(lambda: runs(path) >= before + 2, "it goes on running")
        for process in (second, of_another_queue):
            process.signal(signal.SIGTERM)
            assert process.ends() == 0, process.output

    enqueued = ticks(redis)
    jobs = redis.keys(KEYS.job("*"))
    assert len(enqueued) == len(set(enqueued.values())) == len(jobs), "each tick is one job"


def test_all_were_down_for_longer_than_a_tick(redis: redis_py.Redis, tmp_path: Path) -> None:
    path = tmp_path / "runs"
    hourly = {**every_second(path), "interval": "1h"}
    now = int(redis.time()[0])
    record = {"schedule": "every 3600 s", "since": now - 90_000, "last_tick": now - 86_400}
    redis.hset(KEYS.cron_entry("hourly"), mapping=record)

    with worker(tmp_path, environment=settings_with(hourly=hourly)) as process:
        process.prints("hourly")
        wait_until(lambda: finished(redis), "the job has run")
        process.signal(signal.SIGTERM)
        assert process.ends() == 0, process.output
    assert len(redis.keys(KEYS.job("*"))) == 1


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server of this test's own, with a log on disk, that may be killed and started again."""
    server = Server.start(append_only=True)
    yield server
    server.stop()


def test_redis_goes_away_and_comes_back(own_server: Server, tmp_path: Path) -> None:
    path = tmp_path / "runs"
    environment = {"RQ_TEST_URL": own_server.url, **settings_with(every=every_second(path))}
    with worker(tmp_path, environment=environment) as process:
        wait_until(lambda: runs(path) >= 1, "the job runs")
        own_server.kill()
        process.prints("Lost Redis")
        own_server.start_again()
        before = runs(path)
        wait_until(lambda: runs(path) >= before + 1, "it goes on running")
        assert process.output.count("Lost Redis") == 1
        process.signal(signal.SIGTERM)
        assert process.ends() == 0, process.output


def test_bad_entries_do_not_keep_a_worker_from_its_jobs(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    path = tmp_path / "runs"
    environment = settings_with(
        bad={"func": "nonsense here", "interval": 1},
        gone={"func": "tests.sample_jobs.gone", "interval": 1},
        raises={"func": "tests.importable.raises.job", "interval": 1},
        zone={"func": "a.b", "cron": "* * * * *", "timezone": "Mars"},
        every=every_second(path),
    )
    with worker(tmp_path, environment=environment) as process:
        wait_until(lambda: runs(path) >= 2, "the good entry's job runs twice")
        process.signal(signal.SIGTERM)
        assert process.ends() == 0, process.output
        for name in ("bad", "gone", "raises", "zone"):
            said = [line for line in process.output.splitlines() if "Cron: " in line]
            assert sum(f"'{name}'" in line for line in said) == 1, process.output
    assert redis.zcard(KEYS.failed("default")) >= 1, "jobs of the missing function are found there"
