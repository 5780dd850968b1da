"""Whatever a job does, its outcome names the cause, and the next job runs."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import get_queue
from django_rqlite.jobs.job import Job
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import alive, run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")

CALL_BACK = "tests.sample_jobs.tell_failure"

FAILING: dict[str, tuple[Callable[..., Any] | str, tuple[Any, ...], dict[str, Any], str]] = {
    "raises": (sample_jobs.divide, (1, 0), {}, "ZeroDivisionError: division by zero"),
    "function gone": ("tests.sample_jobs.gone", (), {}, "has no attribute 'gone'"),
    "module gone": ("tests.gone.function", (), {}, "No module named 'tests.gone'"),
    "exits the process": (sample_jobs.leave, (3,), {}, "exit code 3"),
    "calls sys.exit": (sample_jobs.sys_exit, (), {}, "SystemExit: 4"),
    "segfaults": (sample_jobs.segfault, (), {}, "SIGSEGV (signal 11)"),
    "is killed": (sample_jobs.kill_itself, (), {}, "SIGKILL (signal 9)"),
    "takes too long": (sample_jobs.sleep, (30,), {"job_timeout": 1}, "its timeout of 1 s"),
    "swallows its timeout": (
        *(sample_jobs.swallow_timeouts, (30,), {"job_timeout": 1}),
        "it ran longer than its timeout of 1 s and did not end within 1 s",
    ),
    "swallows its timeout and returns": (
        *(sample_jobs.swallow_timeouts, (1.5,), {"job_timeout": 1}),
        "was swallowed",
    ),
    "arguments do not fit": (sample_jobs.add, (1, 2, 3, 4), {}, "TypeError: add() takes"),
    "recurses for ever": (sample_jobs.recurse, (), {}, "RecursionError"),
    "raises what can't be shown": (sample_jobs.raise_unshowable, (), {}, "Unshowable"),
    "closes all files": (sample_jobs.close_all_files, (), {}, "before it could report an outcome"),
    "writes into its pipe": (sample_jobs.scribble, (), {}, "wrote into the pipe"),
}


@pytest.fixture(params=FAILING, ids=lambda name: name.replace(" ", "-"))
def failing(request: pytest.FixtureRequest) -> Any:
    return FAILING[request.param]


@pytest.mark.parametrize("reused", [(), ("--max-jobs-per-child", "0")], ids=["forked", "reused"])
def test_each_kind_of_failure_names_its_cause_and_the_next_job_runs(
    tmp_path: Path, reused: tuple[str, ...]
) -> None:
    queue = get_queue()
    failing = {
        name: queue.enqueue(function, *args, **options)
        for name, (function, args, options, _) in FAILING.items()
    }
    last = queue.enqueue(sample_jobs.add, 1, b=2)

    run_burst(tmp_path, *reused, environment={"RQ_TEST_TIMEOUT_GRACE": "1"})

    reasons = {name: job.exc_info or "" for name, job in failing.items()}
    missed = {name: reason for name, reason in reasons.items() if FAILING[name][3] not in reason}
    assert not missed
    assert {job.get_status() for job in failing.values()} == {"failed"}
    assert last.return_value() == 3
    assert set(queue.failed_job_registry.get_job_ids()) == {job.id for job in failing.values()}


def test_a_failure_that_is_not_to_be_kept(tmp_path: Path, redis: redis_py.Redis) -> None:
    job = get_queue().enqueue(sample_jobs.divide, 1, 0, failure_ttl=0)
    output = run_burst(tmp_path)
    assert f"Job failed ({job.id})" in output
    wait_until(lambda: not Job.exists(job.id), "nothing of it is kept", seconds=5)
    assert not redis.exists(f"rq:results:{job.id}")
    other = get_queue().enqueue(sample_jobs.sleep, 30, job_timeout=0.5)
    assert Job.fetch(other.id).timeout == 1
    run_burst(tmp_path)  # which also sweeps
    assert "its timeout of 1 s" in (other.exc_info or "")
    assert get_queue().failed_job_registry.get_job_ids() == [other.id]


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [
        ("status", "rate_limited", "its status 'rate_limited' is not one of created, queued"),
        ("timeout", "None", "its field 'timeout' holds 'None' instead of a whole number"),
        ("result_ttl", "soon", "its field 'result_ttl' holds 'soon'"),
        ("created_at", "yesterday", "its field 'created_at' holds 'yesterday' instead of a time"),
        ("data", "garbage", "can't be read by the serializer"),
        ("data", None, "its field 'data' is missing"),
    ],
)
def test_a_hash_that_makes_no_sense_is_a_failed_job(
    redis: redis_py.Redis, tmp_path: Path, field: str, value: str | None, cause: str
) -> None:
    broken = get_queue().enqueue(sample_jobs.add, 1)
    sound = get_queue().enqueue(sample_jobs.add, 2)
    redis.hdel(broken.key, "x_sig")
    redis.hset(broken.key, field, value) if value else redis.hdel(broken.key, field)

    run_burst(tmp_path)

    assert cause in (broken.exc_info or "")
    assert broken.is_failed
    assert sound.is_finished


def test_an_id_that_nobody_should_have_made_fails_too(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    redis.hset("rq:job:a:b c", mapping={"status": "queued", "origin": "default", "data": "x"})
    redis.rpush("rq:queue:default", b"a:b c")
    redis.rpush("rq:queue:default", b"\xff\xfe", b"gone")
    sound = get_queue().enqueue(sample_jobs.add, 2)

    output = run_burst(tmp_path)

    assert sound.is_finished
    assert redis.zrange("rq:failed:default", 0, -1) == [b"a:b c"]
    assert b"its id has characters" in redis.hget("rq:job:a:b c", "exc_info")
    assert re.search(r"\bgone\b.*\bdropped\b.*\bdefault\b", output)


def test_data_changed_in_redis_is_not_loaded(redis: redis_py.Redis, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    job = get_queue().enqueue(sample_jobs.add, 1)
    evil = get_queue().create_job(sample_jobs.write, (str(marker), "evil"))
    redis.hset(job.key, "data", evil.to_fields()["data"])

    run_burst(tmp_path)

    assert job.is_failed
    assert "does not bear this project's signature" in (job.exc_info or "")
    assert not marker.exists()


def test_every_form_of_call_runs(tmp_path: Path) -> None:
    queue = get_queue()
    jobs = {
        3: queue.enqueue(sample_jobs.add, 1, b=2),
        5: queue.enqueue("tests.sample_jobs.add", 2, 3),
        7: queue.enqueue(sample_jobs.add_later, 3, 4),
        8: sample_jobs.decorated.delay(4),
        12: sample_jobs.decorated_high.delay(4),
        "Hello, you": queue.enqueue(sample_jobs.Greeter("Hello").greet, "you"),
        "Hello! you": queue.enqueue(sample_jobs.Greeter("Hello"), "you"),
        "LOUD": queue.enqueue(sample_jobs.Greeter.shout, "loud"),
        "LOUDER": queue.enqueue("tests.sample_jobs.Greeter.shout", "louder"),
        11: queue.enqueue_call(sample_jobs.add, args=(5,), kwargs={"b": 6}),
        2: queue.enqueue(len, args=([1, 2],)),
    }

    run_burst(tmp_path)

    assert {job.return_value(): job.get_status() for job in jobs.values()} == dict.fromkeys(
        jobs, "finished"
    )


def test_a_queue_whose_serializer_is_json(tmp_path: Path) -> None:
    queue = get_queue(serializer="json")
    job = queue.enqueue(sample_jobs.add, 1, b=2)

    run_burst(tmp_path, "--serializer", "json")

    assert Job.fetch(job.id, serializer="json").return_value() == 3


def test_a_job_reads_and_saves_its_meta(tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.count_in_meta, meta={"progress": 25})

    run_burst(tmp_path)

    assert job.return_value() == 75
    assert job.get_meta() == {"progress": 75}


@pytest.mark.parametrize(("result_ttl", "expires"), [(0, None), (-1, -1), (77, 77), (None, 500)])
def test_a_result_is_kept_for_its_time(
    redis: redis_py.Redis, tmp_path: Path, result_ttl: int | None, expires: int | None
) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1, result_ttl=result_ttl)

    run_burst(tmp_path)

    if expires is None:
        assert not [key for key in redis.scan_iter() if job.id.encode() in key]
        assert job.id not in get_queue().finished_job_registry.get_job_ids()
    else:
        for key in (job.key, f"rq:results:{job.id}"):
            assert expires - 10 <= redis.ttl(key) <= expires


def test_large_arguments_and_results_pass_through(tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.echo, b"\0\xff" * 2_000_000)

    run_burst(tmp_path)

    assert job.return_value() == b"\0\xff" * 2_000_000


def test_a_timeout_takes_the_job_s_own_processes_along(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    get_queue().enqueue(sample_jobs.start_process_and_hang, str(file), job_timeout=1)

    run_burst(tmp_path, environment={"RQ_TEST_TIMEOUT_GRACE": "1"})

    assert not alive(int(file.read_text()))


@pytest.mark.parametrize("reused", [(), ("--max-jobs-per-child", "0")], ids=["forked", "reused"])
def test_the_processes_of_a_job_that_timed_out_end_with_it(
    tmp_path: Path, reused: tuple[str, ...]
) -> None:
    queue = get_queue()
    before = queue.enqueue(os.getpid)
    ends = ("raises", "raises another", "swallows")
    jobs = {}
    for end in ends:
        file = str(tmp_path / end)
        jobs[end] = queue.enqueue(
            sample_jobs.start_process_and_time_out, file, end, job_timeout=1, on_failure=CALL_BACK
        )
    well = queue.enqueue(sample_jobs.start_process_and_return, str(tmp_path / "well"))
    after = queue.enqueue(os.getpid)

    with worker(tmp_path, *reused, environment={"RQ_TEST_TELL": str(tmp_path / "told")}) as running:
        wait_until(lambda: after.is_finished, "all have run")
        pids = {end: int((tmp_path / end).read_text()) for end in (*ends, "well")}
        wait_until(lambda: not any(alive(pids[end]) for end in ends), "their processes ended")
        assert alive(pids["well"]), "what a job leaves running on purpose goes on"
        os.kill(pids["well"], signal.SIGKILL)
        running.signal(signal.SIGTERM)
        assert running.ends() == 0, running.output

    reasons = {end: str(job.exc_info).splitlines()[-1] for end, job in jobs.items()}
    assert "JobTimeoutException" in reasons["raises"]
    assert reasons["raises another"] == "ValueError: what happened?"
    assert "was swallowed" in reasons["swallows"]
    assert (tmp_path / "told").read_text().count("failure") == 3, "each could still call back"
    assert well.is_finished
    assert before.return_value() != after.return_value(), "nor does their own process go on"


def test_a_process_that_outlives_its_job_does_not_keep_the_worker(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    job = get_queue().enqueue(sample_jobs.start_process, str(file))

    run_burst(tmp_path)

    pid = int(file.read_text())
    assert job.is_finished
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_exception_handlers_are_told(tmp_path: Path) -> None:
    file = tmp_path / "told"
    get_queue().enqueue(sample_jobs.divide, 1, 0)

    run_burst(tmp_path, environment={"RQ_TEST_HANDLER_FILE": str(file)})

    assert file.read_text() == "ZeroDivisionError in tests.sample_jobs.divide(1, 0)\n"


def test_what_a_job_prints_is_seen(tmp_path: Path) -> None:
    get_queue().enqueue(print, "hello from the job")

    assert "hello from the job\n" in run_burst(tmp_path)


def test_a_job_deleted_while_it_runs_is_not_brought_back(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--max-jobs", "1") as process:
        process.prints(job.id)
        job.delete()
        pipe.write_text("go on")
        assert process.ends() == 0
        process.prints("was dropped")

    assert not [key for key in redis.scan_iter() if job.id.encode() in key]
    assert redis.zcard("rq:finished:default") == 0
    assert redis.zcard("rq:wip:default") == 0
