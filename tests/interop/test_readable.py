"""RQ reads whatever we write: any job with any options, after any arrows."""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis as redis_py
import rq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rq.defaults import UNSERIALIZABLE_RETURN_VALUE_PAYLOAD
from rq.executions import Execution
from rq.job import Job as RQJob
from rq.registry import StartedJobRegistry
from rq.results import Result
from rq.serializers import JSONSerializer

from django_rqlite import Job, Queue, get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.conf.signer import signer
from django_rqlite.engine.engine import Engine, Hold, NextClaim
from django_rqlite.jobs.policies import Repeat, Retry
from django_rqlite.protocol import codec
from django_rqlite.protocol.keys import Keys
from django_rqlite.protocol.stored_result import ResultType
from tests import sample_jobs
from tests.conftest import wait_until
from tests.interop import jobs
from tests.worker_process import worker

if TYPE_CHECKING:
    from tests.conftest import Server

WORKER = "host-1.4711"
QUEUE = "default"
FOREVER = 31_536_000

ids = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=60)
texts = st.text(max_size=60)
seconds = st.integers(1, FOREVER)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
waits = st.integers(0, 3600) | st.lists(st.integers(0, 3600), min_size=1, max_size=3)
options = st.fixed_dictionaries(
    {},
    optional={
        "job_id": ids,
        "job_timeout": seconds | st.just(-1) | st.just("1h30m"),
        "result_ttl": seconds | st.just(-1),
        "failure_ttl": seconds | st.just(-1),
        "ttl": seconds | st.just(-1),
        "description": texts,
        "at_front": st.booleans(),
        "meta": st.dictionaries(texts, plain, max_size=3),
        "retry": st.builds(
            Retry,
            max=st.integers(1, 99),
            interval=waits,
            enqueue_at_front=st.booleans(),
            jitter=st.floats(0, 1),
            not_on=st.lists(st.just(KeyError), max_size=1),
        ),
        "repeat": st.builds(Repeat, times=st.integers(1, 99), interval=waits),
    },
)
arrows = st.lists(
    st.sampled_from(
        [
            *("claim", "claim", "finish", "fail", "release", "requeue", "heartbeat", "meta"),
            *("again", "again_later", "promote", "reap"),
        ]
    ),
    max_size=15,
)


class Life:
    """One job, led along arrows; those that do not apply to its state are passed over."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.engine = Engine(Broker(job.connection))
        self.hold: Hold | None = None
        self.executions = 0

    def go(self, arrow: str, value: Any, reason: str) -> None:
        getattr(self, arrow)(value, reason)

    def claim(self, value: Any, reason: str) -> None:
        self.executions += 1
        wanted = NextClaim(f"{self.executions:032x}", (QUEUE,), 60)
        self.hold = self.hold or self.engine.claim(WORKER, wanted).hold

    def finish(self, value: Any, reason: str) -> None:
        if self.hold:
            result = self.job.serializer.dumps(value) if value is not None else b""
            ttl = 500 if self.job.result_ttl is None else self.job.result_ttl
            self.engine.finish(
                WORKER,
                self.hold,
                worker_name=WORKER,
                result_ttl=ttl,
                result=result,
                signature=signer().sign("result", self.job.id, result) if result else "",
                encoded_result=codec.base64_payload(result) if result else b"",
            )
        self.hold = None

    def fail(self, value: Any, reason: str) -> None:
        if self.hold:
            self.engine.fail(
                WORKER,
                self.hold,
                worker_name=WORKER,
                failure_ttl=self.job.failure_ttl or FOREVER,
                reason=reason,
                encoded_reason=codec.base64_traceback(reason),
                headline=reason[:100],
            )
        self.hold = None

    def release(self, value: Any, reason: str) -> None:
        if self.hold:
            self.engine.release(WORKER, self.hold)
        self.hold = None

    def again(self, value: Any, reason: str, delay: int = 0) -> None:
        if self.hold:
            self.engine.retry_or_repeat(
                WORKER,
                self.hold,
                worker_name=WORKER,
                delay=delay,
                at_front=False,
                counter="retries_left",
                change=-1,
                tally="x_attempts",
                kind=ResultType.RETRIED,
                payload_field="exc_string",
                payload=codec.base64_traceback(reason),
                headline=reason[:100],
                succeeded=False,
            )
        self.hold = None

    def again_later(self, value: Any, reason: str) -> None:
        self.again(value, reason, 3600)

    def promote(self, value: Any, reason: str) -> None:
        self.job.connection.zadd(Keys().scheduled(QUEUE), {self.job.id: 1}, xx=True)
        self.engine.promote([QUEUE])

    def reap(self, value: Any, reason: str) -> None:
        if not self.hold:
            return
        member = f"{self.job.id}:{self.hold.execution}"
        self.job.connection.zadd(Keys().started(QUEUE), {member: 1}, xx=True)
        (reaped,) = self.engine.reap([QUEUE], most_crashes=3, patience=0)
        if reaped.verdict == "requeued":
            self.hold = None
        else:
            self.fail(value, reason)

    def requeue(self, value: Any, reason: str) -> None:
        self.engine.requeue([self.job.id])

    def heartbeat(self, value: Any, reason: str) -> None:
        holds = [self.hold] if self.hold else []
        self.engine.heartbeat(WORKER, "busy", holds, ttl=120, lease=60)

    def meta(self, value: Any, reason: str) -> None:
        self.job.meta["written"] = value
        self.job.save_meta()


def rq_reads(life: Life, serializer: Any) -> None:
    """Everything of the job, as RQ's own classes see it."""
    ours = Job.fetch(life.job.id, life.job.connection, serializer=life.job.serializer)
    theirs = RQJob.fetch(life.job.id, life.job.connection, serializer=serializer)
    assert theirs.get_status() == ours.get_status()
    assert theirs.id == ours.id
    assert theirs.origin == ours.origin == QUEUE
    assert (theirs.func_name, tuple(theirs.args), theirs.kwargs) == (
        ours.func_name,
        tuple(ours.args),
        ours.kwargs,
    )
    assert theirs.meta == ours.meta
    for name in (
        *("timeout", "result_ttl", "failure_ttl", "ttl", "worker_name"),
        *("retries_left", "retry_intervals", "repeats_left", "repeat_intervals"),
    ):
        assert getattr(theirs, name) == getattr(ours, name), name
    for name in ("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"):
        known = getattr(ours, name)
        assert getattr(theirs, name) == (known and known.replace(microsecond=0)), name
    assert (theirs.description or "") == (ours.description or "")
    assert theirs.return_value() == ours.return_value()
    for result in Result.all(theirs, serializer=serializer):
        kinds = (Result.Type.SUCCESSFUL, Result.Type.FAILED, Result.Type.RETRIED)
        assert result.type in kinds
        assert result.worker_name == WORKER
        assert result.execution_started_at <= result.execution_ended_at
        if result.type is Result.Type.FAILED:
            assert isinstance(result.exc_string, str)
    registry = StartedJobRegistry(QUEUE, life.job.connection)
    running = registry.get_job_and_execution_ids()
    assert [member[0] for member in running] == ([theirs.id] if life.hold else [])
    for job_id, execution in running:
        found = Execution.fetch(execution, job_id, life.job.connection)
        assert found.job_id == job_id


@pytest.mark.parametrize(("ours", "theirs"), [(None, None), ("json", JSONSerializer)])
@settings(
    max_examples=200,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    args=st.lists(plain, max_size=3),
    kwargs=st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), plain, max_size=2),
    given_options=options,
    steps=arrows,
    value=plain,
    reason=st.text(),
)
def test_every_hash_and_every_result(
    redis: redis_py.Redis,
    ours: str | None,
    theirs: Any,
    args: list[Any],
    kwargs: dict[str, Any],
    given_options: dict[str, Any],
    steps: list[str],
    value: Any,
    reason: str,
) -> None:
    redis.flushdb()
    queue = Queue(QUEUE, connection=redis, serializer=ours)
    job = queue.enqueue("tests.interop.jobs.echo", args=args, kwargs=kwargs, **given_options)
    life = Life(job)
    rq_reads(life, theirs)
    for arrow in steps:
        life.go(arrow, value, reason)
        rq_reads(life, theirs)


def test_a_job_run_in_place(redis: redis_py.Redis) -> None:
    queue = get_queue(is_async=False)
    done, failed = queue.enqueue(jobs.add, 1, 2), queue.enqueue(jobs.divide, 1, 0)

    assert RQJob.fetch(done.id, redis).return_value() == 3
    assert "ZeroDivisionError" in RQJob.fetch(failed.id, redis).latest_result().exc_string


def test_a_result_that_can_not_be_serialized(redis: redis_py.Redis) -> None:
    job = get_queue(is_async=False).enqueue(sample_jobs.make_lock)

    theirs = RQJob.fetch(job.id, redis)
    assert theirs.get_status() == "finished"
    assert theirs.return_value() == job.return_value() == UNSERIALIZABLE_RETURN_VALUE_PAYLOAD


def test_workers(
    redis: redis_py.Redis, rq_link: redis_py.Redis, tmp_path: Path, pipe: Path, server: Server
) -> None:
    with worker(tmp_path, "high", "default", "--name", "ours.1") as process:
        process.ready()
        (idle,) = rq.Worker.all(rq_link)
        assert idle.name == "ours.1"
        assert idle.queue_names() == ["high", "default"]
        assert idle.get_state() == "idle"
        assert idle.pid == process.pid
        assert idle.hostname
        assert idle.birth_date <= idle.last_heartbeat
        assert (idle.successful_job_count, idle.failed_job_count) == (0, 0)
        assert idle.get_current_job() is None

        get_queue().enqueue(jobs.divide, 1, 0)
        job = get_queue().enqueue(jobs.block_on, str(pipe))
        wait_until(lambda: job.get_status() == "started", "it runs")
        (busy,) = rq.Worker.all(queue=rq.Queue("default", connection=rq_link))
        assert busy.get_state() == "busy"
        assert busy.get_current_job().id == job.id
        assert rq.Worker.find_by_key("rq:worker:ours.1", rq_link).failed_job_count == 1
        assert rq.Worker.count(rq_link) == 1

        pipe.write_text("go")
        wait_until(lambda: job.is_finished, "it has ended")
        after = rq.Worker.all(rq_link)[0]
        assert after.successful_job_count == 1
        assert after.total_working_time > 0
        assert after.get_current_job() is None
        os.kill(process.pid, 15)
        assert process.ends() == 0
    assert rq.Worker.all(rq_link) == []
    assert rq.Worker.count(rq_link) == 0
