"""People watch our jobs with RQ's tools, while they run and afterwards. Nothing changes by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import get_queue
from django_rqlite.jobs.policies import Retry
from tests.conftest import wait_until
from tests.interop import jobs
from tests.interop.traces import keys
from tests.interop.watchers import Dashboard, DjangoRQ, Exporter, Info, Registries, Watcher
from tests.worker_process import worker

#: What time alone changes, with each heartbeat.
PASSING = {b"last_heartbeat", b"current_job_working_time"}


@pytest.fixture(
    params=[Registries, Info, Exporter, Dashboard, DjangoRQ], ids=lambda kind: kind.__name__
)
def watcher(request: pytest.FixtureRequest, rq_link: redis_py.Redis) -> Iterator[Watcher]:
    watcher: Watcher = request.param(rq_link)
    with watcher.closing:
        yield watcher


def everything(redis: redis_py.Redis) -> dict[str, object]:
    """All that there is, but for times that pass."""
    found: dict[str, object] = {}
    for key in keys(redis, "rq:"):
        kind = redis.type(key)
        if kind == b"hash":
            fields = redis.hgetall(key)
            found[key] = {name: fields[name] for name in fields.keys() - PASSING}
        elif kind == b"zset":
            found[key] = redis.zrange(key, 0, -1)
        elif kind == b"set":
            found[key] = redis.smembers(key)
        elif kind == b"list":
            found[key] = redis.lrange(key, 0, -1)
        elif kind == b"stream":
            found[key] = redis.xrange(key)
        else:
            found[key] = redis.get(key)
    return found


def test_looking_changes_nothing(
    redis: redis_py.Redis, watcher: Watcher, tmp_path: Path, pipe: Path
) -> None:
    queue = get_queue()
    ran = tmp_path / "ran"
    with worker(tmp_path, "default", "high", "--name", "host.1-a") as process:
        done = queue.enqueue(jobs.echo, {"a": [1, 2.5, None]}, meta={"mine": 1})
        nothing = queue.enqueue(jobs.nothing)
        method = queue.enqueue(jobs.Greeter("Hello").greet, "you", result_ttl=-1)
        failed = queue.enqueue(jobs.divide, 1, 0, description="divides")
        retried = queue.enqueue(jobs.divide, 1, 0, retry=Retry(max=2, interval=3600, jitter=0.1))
        later = queue.enqueue_in(timedelta(hours=1), jobs.nothing)
        running = queue.enqueue(jobs.write_and_block, str(ran), str(pipe), job_timeout=-1)
        waiting = queue.enqueue(jobs.echo, "x" * 5000, ttl=3600)
        wait_until(ran.exists, "it runs")
        ids = [job.id for job in (done, nothing, method, failed, retried, later, running, waiting)]
        expected = {"queued": 1, "started": 1, "finished": 3, "failed": 1, "scheduled": 2}

        before = everything(redis)
        seen = watcher.look(ids)
        assert everything(redis) == before
        assert seen.items() >= {place: expected[place] for place in seen.keys() & expected}.items()

        pipe.write_text("went on")
        wait_until(lambda: waiting.is_finished, "both have ended")
        before = everything(redis)
        seen = watcher.look(ids)
        assert everything(redis) == before
        assert seen["queued"] == 0
        assert seen.get("finished", 5) == 5

        process.signal(15)
        assert process.ends() == 0
    assert running.return_value() == "went on"
    assert ran.read_text().splitlines() == ["ran"]
    watcher.look(ids)
