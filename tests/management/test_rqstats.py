"""``manage.py rqstats``."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import yaml

from django_rqlite import get_connection, get_queue
from django_rqlite.metrics.statistics import get_statistics
from django_rqlite.queues.suspension import suspend
from tests import sample_jobs
from tests.command_process import manage
from tests.conftest import Server, wait_until
from tests.keyspace import commands, dumped
from tests.worker_process import ROOT, WorkerProcess, run_burst

pytestmark = pytest.mark.usefixtures("redis")

#: What django-rq 4.2 has for each queue.
FIELDS = {
    *("name", "jobs", "oldest_job_timestamp", "index", "connection_kwargs", "scheduler_pid"),
    *("workers", "finished_jobs", "started_jobs", "deferred_jobs", "failed_jobs"),
    "scheduled_jobs",
}


class StatsProcess(WorkerProcess):
    COMMAND = "rqstats"


@contextmanager
def stats(folder: Path, *arguments: str) -> Iterator[StatsProcess]:
    process = StatsProcess(folder / "stats.log", arguments, {})
    try:
        yield process
    finally:
        process.stop()


@pytest.fixture
def down() -> Iterator[str]:
    """The URL of a server that does not answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield f"redis://someone:secret@127.0.0.1:{probe.getsockname()[1]}/0"


@pytest.fixture
def some_jobs(redis: redis_py.Redis, tmp_path: Path) -> None:
    """``default`` has a finished, a failed and two waiting jobs; ``low`` has a scheduled one."""
    get_queue().enqueue(sample_jobs.add, 1)
    get_queue().enqueue(sample_jobs.divide, 1, 0)
    run_burst(tmp_path, "default")
    for _ in range(2):
        get_queue().enqueue(sample_jobs.add, 1)
    get_queue("low").enqueue_at(datetime(2100, 1, 1, tzinfo=UTC), sample_jobs.add, 1)


def by_name(statistics: Any) -> dict[str, Any]:
    return {queue["name"]: queue for queue in statistics["queues"]}


@pytest.mark.usefixtures("some_jobs")
def test_json_has_what_django_rq_has(redis: redis_py.Redis) -> None:
    before = dumped(redis)
    statistics = json.loads(manage("rqstats", "--json").stdout)
    assert dumped(redis) == before

    assert [queue["name"] for queue in statistics["queues"]] == ["default", "high", "low"]
    assert [queue["index"] for queue in statistics["queues"]] == [0, 1, 2]
    assert all(set(queue) >= FIELDS for queue in statistics["queues"])
    queues = by_name(statistics)
    default = queues["default"]
    numbers = {key: value for key, value in default.items() if isinstance(value, int)}
    assert numbers == {
        "jobs": 2,
        "finished_jobs": 1,
        "failed_jobs": 1,
        **dict.fromkeys(("started_jobs", "deferred_jobs", "scheduled_jobs"), 0),
        **dict.fromkeys(("workers", "index", "paused", "suspended"), 0),
    }
    datetime.strptime(default["oldest_job_timestamp"], "%Y-%m-%d, %H:%M:%S")
    assert default["scheduler_pid"] is None
    assert queues["low"]["scheduled_jobs"] == 1
    assert queues["high"]["oldest_job_timestamp"] == "-"
    assert {"path", "host"} & set(default["connection_kwargs"]), "where the server is"


@pytest.mark.usefixtures("some_jobs")
def test_yaml_says_the_same() -> None:
    said = manage("rqstats", "-y").stdout
    assert yaml.safe_load(said) == json.loads(manage("rqstats", "-j").stdout)
    assert "&id" not in said, "nothing in it points elsewhere"


def test_yaml_without_its_package_names_the_command(tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text("raise ImportError('not installed')")
    environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = manage("rqstats", "--yaml", status=1, environment=environment)
    assert "pip install 'django-rqlite[yaml]'" in done.stderr


@pytest.mark.usefixtures("some_jobs")
def test_the_table(redis: redis_py.Redis) -> None:
    get_queue("low").pause()
    header, ruler, default, high, low = manage("rqstats").stdout.splitlines()
    assert header.split() == (
        ["Name", "Queued", "Active", "Deferred", "Scheduled", "Finished", "Failed", "Workers"]
    )
    assert set(ruler) == {"-"}
    assert default.split() == ["default", "2", "0", "0", "0", "1", "1", "0"]
    assert high.split() == ["high", *"0000000"]
    assert low.split() == ["low", *"0001000", "paused"]

    suspend(get_connection())
    assert [line.split()[-1] for line in manage("rqstats").stdout.splitlines()[2:]] == (
        ["suspended"] * 3
    )


def test_two_round_trips_whatever_waits(redis: redis_py.Redis) -> None:
    for number in range(20):
        get_queue("low").enqueue(sample_jobs.add, number)
    get_statistics()  # which connects
    sent = commands(redis, get_statistics)
    assert set(sent) <= {"EXISTS", "GET", "LLEN", "ZCARD", "SCARD", "SISMEMBER", "HGET", "EVAL"}
    assert len(sent) < 60, "none for each job"


def test_a_scheduler_of_rq_is_named(redis: redis_py.Redis) -> None:
    redis.set("rq:scheduler-lock:default", "abcdef")
    redis.hset("rq:scheduler:abcdef", "pid", "123")
    redis.set("rq:scheduler-lock:high", "456")  # as before RQ 2.10
    redis.set("rq:scheduler-lock:low", "gone")
    queues = by_name(get_statistics())
    assert [queues[name]["scheduler_pid"] for name in ("default", "high", "low")] == [
        123,
        456,
        None,
    ]


def test_foreign_data_is_reported_and_not_raised(redis: redis_py.Redis) -> None:
    redis.set("rq:queue:default", "text")
    redis.rpush("rq:queue:high", b"\xff\xfe")
    redis.rpush("rq:queue:low", "bad-date")
    redis.hset("rq:job:bad-date", "enqueued_at", "yesterday")
    redis.rpush("rq:scheduler-lock:low", "a list")
    redis.hset("rq:failed:low", "a", "hash")
    statistics = json.loads(manage("rqstats", "-j").stdout)
    queues = by_name(statistics)
    assert "WRONGTYPE" in queues["default"]["problems"][0]
    assert queues["high"]["jobs"] == 1
    assert queues["low"]["oldest_job_timestamp"] == "-"
    assert re.search(r"\bfailed\b.* read", manage("rqstats").stdout)


def test_a_server_that_is_down_hides_no_other(down: str) -> None:
    get_queue().enqueue(sample_jobs.add, 1)
    environment = {"RQ_TEST_ELSEWHERE": down}
    done = manage("rqstats", "--json", status=1, environment=environment)
    queues = by_name(json.loads(done.stdout))
    assert queues["default"]["jobs"] == 1
    assert queues["elsewhere"]["jobs"] is None
    assert "is not available" in queues["elsewhere"]["error"]
    assert "Redis at" in done.stderr
    assert "secret" not in done.stdout + done.stderr
    table = manage("rqstats", status=1, environment=environment).stdout
    assert ["elsewhere", *"???????"] in [line.split() for line in table.splitlines()]


def test_a_password_is_never_printed(server: Server) -> None:
    environment = {"RQ_TEST_ELSEWHERE": "redis://:secret@localhost:1/7"}
    for form in ("--json", "--yaml"):
        said = manage("rqstats", form, status=1, environment=environment)
        assert "secret" not in said.stdout + said.stderr
        assert "port" in said.stdout


def test_again_after_each_interval_until_ctrl_c(redis: redis_py.Redis, tmp_path: Path) -> None:
    with stats(tmp_path, "--interval", "0.05") as process:
        process.prints("Queued", times=2)
        get_queue("high").enqueue(sample_jobs.add, 1)
        shown = re.compile(r"^high +1 ", re.MULTILINE)
        wait_until(lambda: shown.search(process.output), "it shows what has happened since")
        assert "\x1b" not in process.output, "a file is no terminal"
        process.signal(signal.SIGINT)
        assert process.ends() == 0
        assert "Traceback" not in process.output


def test_json_again_is_one_document_a_line(tmp_path: Path) -> None:
    with stats(tmp_path, "-j", "-i", "0.05") as process:
        process.prints("\n", times=3)
        process.signal(signal.SIGINT)
        assert process.ends() == 0
        assert len(list(map(json.loads, process.output.splitlines()))) >= 3


@pytest.mark.parametrize("given", ["0", "-1", "often", "nan", "inf", "1e9"])
def test_an_interval_that_makes_no_sense_is_refused(given: str) -> None:
    done = manage("rqstats", f"--interval={given}", status=2)
    assert repr(given) in done.stderr


def test_one_form_at_a_time() -> None:
    assert "not allowed with" in manage("rqstats", "-j", "-y", status=2).stderr
