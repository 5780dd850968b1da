"""Somebody may write every key of Redis, and nothing else: nothing that they name is imported.

Real workers, with ``REQUIRE_SIGNATURE``. The attacker uses redis-py only.
"""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import Callback, Job, Repeat, Retry, get_queue
from django_rqlite.exceptions import SignatureError
from django_rqlite.protocol import codec
from django_rqlite.protocol.records import read_job
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
from tests.worker.maintenance.test_reaper import lose_a_worker
from tests.worker_process import run_burst, worker

EVIL = "tests.importable.of_an_attacker.call"
ENDS = ("success", "failure", "stopped")
CALLBACKS = {
    name: value
    for end in ENDS
    for name, value in ((f"{end}_callback_name", EVIL), (f"{end}_callback_timeout", 5))
}
#: Every field of a job's hash that is, or could be, understood.
JOB_FIELDS = (
    *("origin", "description", "worker_name", "group_id", "x_error", "x_retry", "x_unique"),
    *("timeout", "result_ttl", "failure_ttl", "ttl", "retries_left", "number_of_retries"),
    *("repeats_left", "x_attempts", "x_repeats", "x_crashes", "x_unique_for", "x_cron"),
    *("x_retries_max", "x_repeats_max", "enqueue_at_front_on_retry", "enqueue_at_front"),
    *("allow_dependency_failures", "retry_intervals", "repeat_intervals", "dependency_ids"),
    *("dependency_id", "exc_info", "data", "meta", "result", "x_sig", "x_sig_meta", "x_sig_result"),
    *("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat", "x_found_status"),
    *("serializer", "job_class", "exception_handlers", "func", "webhooks", *CALLBACKS),
)


class Bomb:
    """Its pickle, when it is loaded, leaves a trace."""

    def __reduce__(self) -> Any:
        return os.system, (f'echo loaded >> "{os.environ["RQ_TEST_TRACE"]}"',)


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that grows once something of the attacker's is imported or loaded, here too."""
    path = tmp_path / "trace"
    monkeypatch.setenv("RQ_TEST_TRACE", str(path))
    return path


@pytest.fixture
def strict(tmp_path: Path, settings: Any) -> dict[str, str]:
    """The environment of workers that require signatures; this process does too."""
    settings.RQ = {**settings.RQ, "REQUIRE_SIGNATURE": True}
    return {
        "RQ_TEST_REQUIRE_SIGNATURE": "1",
        "RQ_TEST_LEASE": "1",
        "RQ_TEST_TELL": str(tmp_path / "told"),
    }


def push(redis: redis_py.Redis, job_id: str, fields: dict[str, Any]) -> None:
    redis.hset(f"rq:job:{job_id}", mapping={"status": "queued", "origin": "default", **fields})
    redis.rpush("rq:queue:default", job_id)
    redis.sadd("rq:queues", "rq:queue:default")


def evil_call() -> bytes:
    return pickle.dumps((EVIL, None, (Bomb(),), {}))


def test_the_trace_can_be_left(
    redis: redis_py.Redis, tmp_path: Path, trace: Path, strict: dict[str, str]
) -> None:
    job = get_queue().enqueue(sample_jobs.nothing, on_success=EVIL)
    run_burst(tmp_path, environment=strict)
    assert trace.read_text() == "imported\ncalled\n", job.exc_info


def test_nothing_that_a_refused_job_names(
    redis: redis_py.Redis, tmp_path: Path, trace: Path, strict: dict[str, str]
) -> None:
    signed = get_queue().create_job(sample_jobs.add, (1,), job_id="other")
    other = dict(signed.to_fields())
    refused = {
        "unsigned": {"data": evil_call()},
        "harmless-call": {"data": pickle.dumps(("builtins.print", None, (), {}))},
        "wrong": {"data": evil_call(), "x_sig": "0" * 32},
        "empty": {"data": evil_call(), "x_sig": ""},
        "of-another": other,  # its signature is of another id
        "no-data": {},
        "packed": {"data": codec.compress(evil_call() + b"x" * 2000)},
    }
    for job_id, fields in refused.items():
        push(redis, job_id, {**fields, **CALLBACKS})
    for field in JOB_FIELDS:
        for kind, value in (("name", EVIL.encode()), ("json", json.dumps([EVIL])), ("bomb", None)):
            stored = pickle.dumps(Bomb()) if value is None else value
            push(redis, f"{field}-{kind}", {"data": evil_call(), **CALLBACKS, field: stored})
    everything = {**dict.fromkeys(JOB_FIELDS, EVIL), **CALLBACKS, "data": evil_call()}
    push(redis, "everything", everything)

    output = run_burst(tmp_path, environment=strict)

    assert not trace.exists()
    assert redis.llen("rq:queue:default") == 0
    for job_id in refused:
        job = Job.fetch(job_id)
        assert job.get_status() == "failed", job_id
        assert "ignature" in (job.exc_info or "") or job_id == "no-data", job.exc_info
    assert "The failure callback of job wrong is not called" in output


CHANGES: dict[str, dict[str, Any]] = {
    **{
        f"{end}-callback": {f"{end}_callback_name": EVIL, f"{end}_callback_timeout": "60"}
        for end in ENDS
    },
    "retries": {"retries_left": "20"},
    "retries-of-any-number": {
        "retries_left": "20",
        "x_retries_max": "20",
        "retry_intervals": "[0]",
    },
    "repeats": {"repeats_left": "20"},
    "repeats-of-any-number": {
        "repeats_left": "20",
        "x_repeats_max": "20",
        "repeat_intervals": "[0]",
    },
    "cron-entry": {"x_cron": "nightly"},
    "call": {"data": evil_call},
}


def test_signed_jobs_that_were_changed_are_refused(
    redis: redis_py.Redis, tmp_path: Path, trace: Path, strict: dict[str, str]
) -> None:
    """They have run once as they were enqueued; changed, they are pushed again."""
    jobs = [
        get_queue().enqueue(
            sample_jobs.write, str(tmp_path / name), "x", job_id=name, result_ttl=-1
        )
        for name in CHANGES
    ]
    run_burst(tmp_path, environment=strict)
    assert all(job.is_finished for job in jobs)

    redis.delete("rq:finished:default")
    for name, change in CHANGES.items():
        push(redis, name, {key: v() if callable(v) else v for key, v in change.items()})
    run_burst(tmp_path, environment=strict)

    assert not trace.exists()
    for job in jobs:
        assert job.is_failed, job.id
        assert (tmp_path / job.id).read_text() == "x", job.id


def test_a_wrong_signature_is_refused_also_where_none_is_required(
    redis: redis_py.Redis, tmp_path: Path, trace: Path
) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    redis.hset(job.key, mapping=CALLBACKS)
    redis.copy(job.key, "rq:job:copied")
    redis.rpush("rq:queue:default", "copied")
    run_burst(tmp_path)
    assert job.is_failed
    assert Job.fetch("copied").is_failed
    assert not trace.exists()


SAID: dict[str, Any] = {
    "on_success": Callback("tests.sample_jobs.tell_success", timeout=30),
    "on_failure": Callback("tests.sample_jobs.tell_failure", timeout=30),
    "on_stopped": Callback("tests.sample_jobs.tell_stopped", timeout=30),
    "retry": Retry(2, interval=5, jitter=0.1, on=[ZeroDivisionError]),
    "repeat": Repeat(2, interval=7),
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((f"{end}_callback_{what}", value) for end in ENDS for what, value in
          (("name", EVIL), ("timeout", "3600"))),
        ("x_retries_max", "9"),
        ("retry_intervals", "[0]"),
        ("enqueue_at_front_on_retry", "1"),
        ("x_retry", "{}"),
        ("x_repeats_max", "9"),
        ("repeat_intervals", "[0]"),
    ],
)  # fmt: skip
def test_every_term_is_signed(strict: dict[str, str], field: str, value: str) -> None:
    job = get_queue().create_job(sample_jobs.add, (1,), **SAID)
    fields = {
        name.encode(): item if isinstance(item, bytes) else str(item).encode()
        for name, item in job.to_fields().items()
    }
    assert _read(job.id, fields).args == (1,)
    assert fields[field.encode()] != value.encode() if field.encode() in fields else True
    for changed in ({**fields, field.encode(): value.encode()}, _without(fields, field)):
        if changed != fields:
            with pytest.raises(SignatureError, match="callbacks, retries, repeats"):
                _ = _read(job.id, changed).args


def _read(job_id: str, fields: dict[bytes, bytes]) -> Job:
    return Job.from_record(read_job(job_id, fields))


def _without(fields: dict[bytes, bytes], field: str) -> dict[bytes, bytes]:
    return {name: value for name, value in fields.items() if name != field.encode()}


def test_a_counter_never_counts_for_more_than_was_signed(
    redis: redis_py.Redis, tmp_path: Path, strict: dict[str, str]
) -> None:
    repeated = get_queue().enqueue(
        sample_jobs.write, str(tmp_path / "repeated"), "x", repeat=Repeat(1)
    )
    retried = get_queue().enqueue(
        sample_jobs.fail_and_note, str(tmp_path / "retried"), retry=Retry(1)
    )
    redis.hset(repeated.key, "repeats_left", 20)
    redis.hset(retried.key, "retries_left", 20)
    assert Job.fetch(repeated.id).repeats_left == Job.fetch(retried.id).retries_left == 1
    run_burst(tmp_path, environment=strict)
    assert (tmp_path / "repeated").read_text() == "xx"
    assert (tmp_path / "retried").read_text() == "ff"


def test_callbacks_of_jobs_that_were_taken_from_a_dead_worker(
    redis: redis_py.Redis, tmp_path: Path, trace: Path, strict: dict[str, str]
) -> None:
    signed = get_queue().enqueue(sample_jobs.add, 1)
    lose_a_worker(redis, signed, crashes=3)
    redis.hset(signed.key, mapping=CALLBACKS)
    push(redis, "unsigned", {"data": evil_call(), **CALLBACKS})
    lose_a_worker(redis, Job.fetch("unsigned"), crashes=3)
    with worker(tmp_path, environment=strict) as process:
        wait_until(lambda: signed.is_failed, "the signed one has failed")
        wait_until(lambda: Job.fetch("unsigned").is_failed, "and so has the other")
        process.prints("failure callback of job", times=2)
    assert not trace.exists()


def test_callbacks_that_are_named_while_the_job_runs(
    redis: redis_py.Redis, tmp_path: Path, trace: Path, strict: dict[str, str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    dies = get_queue("high").enqueue(sample_jobs.wait_and_die, str(tmp_path / "now"))
    environment = {**strict, "RQ_TEST_LEASE": "60"}
    with worker(
        tmp_path, "default", "high", "--concurrency", "2", environment=environment
    ) as process:
        process.prints(dies.id)
        process.prints(job.id)
        for each in (job, dies):
            redis.hset(each.key, mapping=CALLBACKS)
        (tmp_path / "now").touch()
        process.prints("before it could report an outcome")
        (name,) = redis.smembers("rq:workers")
        channel = name.decode().replace("rq:worker:", "rq:pubsub:")
        for nonsense in (
            {"command": EVIL},
            {"command": "stop-job", "job_id": EVIL},
            {"command": ["stop-job"], "job_id": {"x": EVIL}},
        ):
            redis.publish(channel, json.dumps(nonsense))
        redis.publish(channel, pickle.dumps(Bomb()))
        redis.publish("rq:x:scheduled:default", pickle.dumps(Bomb()))
        redis.publish(channel, json.dumps({"command": "stop-job", "job_id": job.id}))
        wait_until(lambda: job.get_status() == "stopped", "the job is stopped")
    assert not trace.exists()


def plant(redis: redis_py.Redis) -> None:
    """Name it under every other key that a worker or a page reads."""
    bomb = pickle.dumps(Bomb())
    entry = dict.fromkeys(
        (
            *("schedule", "queue", "func", "source", "last_tick", "next_tick", "last_job", "since"),
            *("enqueued_at", "announced_at", "last_outcome", "last_error", "last_ended_at"),
            *("args", "kwargs", "job_class", "serializer"),
        ),
        EVIL,
    )
    for name in ("nightly", EVIL):
        redis.hset(f"rq:x:cron:entry:{name}", mapping=entry)
        redis.zadd("rq:x:cron:entries", {name: 1})
        redis.hset(f"rq:cron_scheduler:{name}", mapping=entry)
        redis.zadd("rq:cron_schedulers", {name: 2e9})
    record = dict.fromkeys(
        (
            *("queues", "state", "current_job", "version", "hostname", "pid", "last_heartbeat"),
            *("x_memory", "x_lease", "x_execution", "x_claimed_job", "x_claimed_queue", "birth"),
        ),
        EVIL,
    )
    for name in ("gone", EVIL):
        redis.hset(f"rq:worker:{name}", mapping=record)
        redis.sadd("rq:workers", f"rq:worker:{name}")
        redis.sadd("rq:workers:default", f"rq:worker:{name}")
    redis.sadd("rq:groups", EVIL)
    redis.sadd(f"rq:group:{EVIL}", EVIL)
    redis.sadd("rq:queues", f"rq:queue:{EVIL}")
    redis.rpush(f"rq:queue:{EVIL}", EVIL)
    for place in ("finished", "failed", "deferred", "scheduled", "canceled", "wip"):
        redis.zadd(f"rq:{place}:default", {EVIL: 1, "evil": 1, f"{EVIL}:{EVIL}": 1})
    outcome = dict.fromkeys(("type", "worker_name", "execution_id", "x_sig"), EVIL)
    base64 = codec.base64_payload(bomb)
    redis.hset("rq:job:evil", mapping={**dict.fromkeys(JOB_FIELDS, bomb), "status": "finished"})
    redis.hset("rq:job:evil", mapping={"origin": "default"})
    redis.xadd("rq:results:evil", {**outcome, "type": "1", "return_value": base64})
    redis.sadd("rq:job:evil:dependents", EVIL, "other")
    redis.rpush("rq:x:log:evil", bomb, EVIL)


def test_keys_beside_the_jobs(
    redis: redis_py.Redis, tmp_path: Path, trace: Path, strict: dict[str, str]
) -> None:
    plant(redis)
    told = get_queue().enqueue(sample_jobs.look_at, "evil", result_ttl=-1)
    entry = {"nightly": {"func": "tests.sample_jobs.nothing", "interval": 1}}
    environment = {**strict, "RQ_TEST_CRON": json.dumps(entry), "RQ_TEST_LEASE": "60"}
    with worker(tmp_path, environment=environment) as process:
        process.prints(f"Job OK ({told.id})")
        process.prints("enqueued by cron entry nightly")
        wait_until(lambda: told.is_finished, "the outcome is stored, which the log precedes")
    assert not trace.exists()
    assert set(told.return_value().values()) == {"SignatureError"}


@pytest.mark.django_db
@pytest.mark.usefixtures("strict")
def test_the_web_process(redis: redis_py.Redis, admin_client: Any, trace: Path) -> None:
    plant(redis)
    for page in (
        *(QUEUES, SCHEDULE, JOBS, WORKERS, f"{JOBS}?q=vi", f"{QUEUES}stats.json"),
        *(queue_page("default", place) for place in ("queued", "finished", "failed", "started")),
        *(job_page("evil"), worker_page("gone"), worker_page(EVIL)),
    ):
        assert admin_client.get(page).status_code == 200, page
    admin_client.post(f"{job_page('evil')}copy/")
    assert set(sample_jobs.look_at("evil").values()) == {"SignatureError"}
    assert not trace.exists()
