"""What a job's process does not share, and how many commands a worker sends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import get_queue
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import ROOT, run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")


def places(redis: redis_py.Redis) -> Counter[str]:
    """How often each job's id stands in a place."""
    found: Counter[str] = Counter()
    found.update(key.decode() for key in redis.lrange("rq:queue:default", 0, -1))
    found.update(
        member.decode().rpartition(":")[0] for member in redis.zrange("rq:wip:default", 0, -1)
    )
    for registry in ("finished", "failed", "scheduled", "deferred", "canceled"):
        found.update(key.decode() for key in redis.zrange(f"rq:{registry}:default", 0, -1))
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_worker_leaves_every_job_in_exactly_one_place(
    redis: redis_py.Redis, tmp_path: Path, seed: int
) -> None:
    queue = get_queue()
    ids = {queue.enqueue(sample_jobs.add, number).id for number in range(1000)}
    when = random.Random(seed).randrange(1, 300)
    with worker(tmp_path, "--concurrency", str(seed)) as process:
        wait_until(lambda: redis.zcard("rq:finished:default") >= when, f"{when} jobs have ended")
        process.signal(signal.SIGKILL)
        process.ends()

    assert places(redis) == Counter(ids)
    assert redis.llen("rq:queue:default") > 0, "killed while there was work"


def test_an_idle_worker_says_nothing_between_its_heartbeats(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    def calls(command: str) -> int:
        return int(redis.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])

    def listening() -> bool:
        return bool(redis.info("clients")["blocked_clients"] == 3)

    with worker(tmp_path, environment={"RQ_TEST_LEASE": "4"}) as process:
        process.ready()
        wait_until(listening, "it listens to three queues")
        redis.config_resetstat()
        wait_until(
            lambda: calls("evalsha") >= 6, "three heartbeats, each with a look at the queues"
        )
        assert calls("blmove") == 0, "what it listens with blocks until there is a job"
        assert calls("eval") == 0

        job = get_queue().enqueue(sample_jobs.nothing)
        wait_until(lambda: redis.zscore("rq:finished:default", job.id), "the job has run")
        wait_until(listening, "it listens again")
        assert calls("blmove") == 1, "only to the queue that had a job"


def test_a_job_costs_the_worker_one_round_trip(redis: redis_py.Redis, tmp_path: Path) -> None:
    get_queue().enqueue(sample_jobs.nothing)
    run_burst(tmp_path, "default")  # from now on the server knows the scripts
    for _ in range(50):
        get_queue().enqueue(sample_jobs.nothing)
    redis.config_resetstat()

    run_burst(tmp_path, "default")

    stats = redis.info("commandstats")
    calls = stats["cmdstat_evalsha"]["calls"] + stats.get("cmdstat_eval", {"calls": 0})["calls"]
    # One for each job, and a handful to come, look around and go.
    assert 50 <= calls <= 64


def test_a_job_s_database_connection_is_its_own(tmp_path: Path) -> None:
    jobs = [get_queue().enqueue(sample_jobs.use_database) for _ in range(3)]

    run_burst(tmp_path, environment={"RQ_TEST_DATABASE": str(tmp_path / "db.sqlite3")})

    for job in jobs:
        assert job.return_value() == {"open at the start": [], "answer": 1}, job.exc_info


def test_the_worker_imports_the_apps_jobs_and_survives_one_that_can_t_be(
    tmp_path: Path,
) -> None:
    app = tmp_path / "brokenapp"
    app.mkdir()
    (app / "__init__.py").write_text("")
    (app / "jobs.py").write_text("import there_is_no_such_module\n")
    (app / "tasks.py").write_text("def works():\n    return 'yes'\n")
    works = get_queue().enqueue("brokenapp.tasks.works")
    broken = get_queue().enqueue("brokenapp.jobs.function")

    output = run_burst(
        tmp_path,
        environment={
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
            "RQ_TEST_APP": "brokenapp",
        },
    )

    assert "brokenapp.jobs" in output
    assert works.return_value() == "yes"
    assert "No module named 'there_is_no_such_module'" in (broken.exc_info or "")


def test_queues_on_different_servers_are_refused(tmp_path: Path) -> None:
    with worker(tmp_path, environment={"RQ_TEST_ELSEWHERE": "redis://127.0.0.1:1/3"}) as process:
        assert process.ends() == 1
    assert "'default' (unix://" in process.output
    assert "'elsewhere' (redis://127.0.0.1:1/3)" in process.output
    assert "a worker for each" in process.output


def test_an_unknown_queue_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with worker(tmp_path, "hihg") as process:
        assert process.ends() == 1
    assert "hihg" in process.output
    assert "high" in process.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--max-jobs", "0"), ("--max-jobs", "'0'", "at least 1")),
        (("--max-child-memory", "1G"), ("--max-child-memory", "'1G'", "at least 1")),
        (("--grace", "soon"), ("--grace", "'soon'", "at least 0")),
        (("--serializer", "no.such"), ("no.such",)),
        (("--worker-class", "builtins.dict"), ("builtins.dict", "django_rqlite.Worker")),
        (("--pid", "/no/such/folder/pid"), ("--pid", "/no/such/folder/pid")),
    ],
)
def test_bad_options_say_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], said: tuple[str, ...]
) -> None:
    with worker(tmp_path, *arguments) as process:
        assert process.ends() != 0
    for name in said:
        assert name in process.output
    assert "Traceback" not in process.output


def test_a_key_prefix_is_kept_by_all(redis: redis_py.Redis, tmp_path: Path) -> None:
    environment = {"RQ_TEST_KEY_PREFIX": "{mail}rq:"}
    script = "from django_rqlite import enqueue; enqueue('tests.sample_jobs.divide', 1, 0)"
    enqueue_in_another_process(script, environment)

    run_burst(tmp_path, "default", environment=environment)

    assert redis.llen("{mail}rq:queue:failed") == 1
    assert all(key.startswith(b"{mail}rq:") for key in redis.keys())  # noqa: SIM118


def enqueue_in_another_process(script: str, environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {script}"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        check=True,
    )
