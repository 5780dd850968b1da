"""What ``enqueue`` writes, in how many commands, and what it refuses before it writes anything."""

from __future__ import annotations

import functools
import pickle
import re
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import Job, enqueue, get_connection, get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.engine import Engine, Hold, NextClaim
from django_rqlite.exceptions import (
    ConfigurationError,
    DuplicateJobError,
    InvalidDurationError,
    InvalidFunctionError,
    InvalidJobError,
    InvalidJobIdError,
    RedisUnavailableError,
    RQLiteError,
    SignatureError,
    UnknownQueueError,
    UnserializableError,
)
from django_rqlite.queues.queue import Queue
from tests import sample_jobs
from tests.keyspace import commands, dumped, places
from tests.sample_jobs import Greeter, add, echo

pytestmark = pytest.mark.usefixtures("redis")


def stored(redis: redis_py.Redis, job: Job) -> dict[str, bytes]:
    return {name.decode(): value for name, value in redis.hgetall(f"rq:job:{job.id}").items()}


def run(redis: redis_py.Redis, job: Job) -> Any:
    """Call what a worker would call."""
    fetched = Job.fetch(job.id)
    return fetched.func(*fetched.args, **fetched.kwargs)


# What is written


def test_the_least_a_job_is(redis: redis_py.Redis) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    job = enqueue(add, 1, b=2)

    fields = stored(redis, job)
    created = fields.pop("created_at")
    assert before <= datetime.fromisoformat(created.decode()) <= datetime.now(UTC)
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
    assert re.fullmatch(rb"[0-9a-f]{32}", fields.pop("x_sig"))
    assert fields.pop("x_created") == b"%.0f" % (job.created_at.timestamp() * 1_000_000)
    assert pickle.loads(fields.pop("data")) == ("tests.sample_jobs.add", None, (1,), {"b": 2})
    assert fields == {
        "origin": b"default",
        "status": b"queued",
        "enqueued_at": created,
        "description": b"tests.sample_jobs.add(1, b=2)",
        "timeout": b"180",
    }
    assert redis.lrange("rq:queue:default", 0, -1) == [job.id.encode()]
    assert redis.smembers("rq:queues") == {b"rq:queue:default"}
    assert [redis.ttl(key) for key in redis.scan_iter()] == [-1, -1, -1]


def test_a_small_job_is_small(redis: redis_py.Redis) -> None:
    job = enqueue("shop.orders.jobs.send_receipt", 4711, urgent=True)
    assert redis.object("ENCODING", job.key) == b"listpack"
    (other,) = get_queue().enqueue_many(
        [Queue.prepare_data("shop.orders.jobs.send_receipt", (4711,), {"urgent": True})]
    )
    assert redis.object("ENCODING", other.key) == b"listpack"


def test_an_id_is_a_random_uuid() -> None:
    ids = {uuid.UUID(enqueue(add).id) for _ in range(50)}
    assert len(ids) == 50
    assert {(found.version, found.variant) for found in ids} == {(4, uuid.RFC_4122)}


def test_all_that_may_be_said(redis: redis_py.Redis) -> None:
    job = get_queue("high").enqueue(
        echo,
        "x",
        job_timeout="1h30m",
        result_ttl="2d",
        failure_ttl=-1,
        ttl="90s",
        job_id="an-id_1",
        description="What it does – é",
        meta={"a": 1},
    )
    fields = stored(redis, job)
    assert job.id == "an-id_1"
    assert fields["origin"] == b"high"
    assert fields["timeout"] == b"5400"
    assert fields["result_ttl"] == b"172800"
    assert fields["failure_ttl"] == b"-1"
    assert fields["ttl"] == b"90"
    assert fields["description"] == "What it does – é".encode()
    assert pickle.loads(fields["meta"]) == {"a": 1}
    assert "x_sig_meta" in fields
    assert 80 < redis.ttl("rq:job:an-id_1") <= 90


def test_unlimited(redis: redis_py.Redis) -> None:
    job = enqueue(add, job_timeout=-1, result_ttl=0, ttl=-1)
    fields = stored(redis, job)
    assert (fields["timeout"], fields["result_ttl"]) == (b"-1", b"0")
    assert "ttl" not in fields
    assert redis.ttl(job.key) == -1


def test_defaults_of_the_queue(redis: redis_py.Redis, settings: Any) -> None:
    url = settings.RQ_QUEUES["default"]["URL"]
    given = {"URL": url, "DEFAULT_TIMEOUT": "5m", "DEFAULT_RESULT_TTL": 7}
    settings.RQ_QUEUES = {"default": given}
    fields = stored(redis, enqueue(add))
    assert (fields["timeout"], fields["result_ttl"]) == (b"300", b"7")
    fields = stored(redis, enqueue(add, job_timeout=9, result_ttl=8))
    assert (fields["timeout"], fields["result_ttl"]) == (b"9", b"8")


def test_the_order(redis: redis_py.Redis) -> None:
    ids = [enqueue(add).id, enqueue(add).id, enqueue(add, at_front=True).id]
    assert get_queue().job_ids == [ids[2], ids[0], ids[1]]


def test_a_description_may_be_any_object(redis: redis_py.Redis) -> None:
    assert stored(redis, enqueue(add, description=7))["description"] == b"7"
    job = enqueue(echo, "\ud800", description="\ud800")
    assert stored(redis, job)["description"] == b"?"


def test_large_calls_are_compressed(redis: redis_py.Redis) -> None:
    job = enqueue(echo, "x" * 100_000)
    assert len(stored(redis, job)["data"]) < 1000
    assert run(redis, job) == "x" * 100_000


# What can be called


@pytest.mark.parametrize(
    ("func", "args", "result", "description"),
    [
        (add, (1, 2), 3, "tests.sample_jobs.add(1, 2)"),
        ("tests.sample_jobs.add", (1, 2), 3, "tests.sample_jobs.add(1, 2)"),
        (Greeter("Hello").greet, ("x",), "Hello, x", "greet('x')"),
        (Greeter("Hello"), ("x",), "Hello! x", "__call__('x')"),
        (Greeter.shout, ("x",), "X", "tests.sample_jobs.Greeter.shout('x')"),
        ("tests.sample_jobs.Greeter.shout", ("x",), "X", "tests.sample_jobs.Greeter.shout('x')"),
        (functools.partial(add, 1), (2,), 3, "tests.sample_jobs.add(1, 2)"),
        (len, ("abc",), 3, "builtins.len('abc')"),
        ("len", ("abc",), 3, "len('abc')"),
        ("abc".replace, ("a", "x"), "xbc", "replace('a', 'x')"),
        (sample_jobs.decorated, (4,), 8, "tests.sample_jobs.decorated(4)"),
    ],
)
def test_what_can_be_called(
    redis: redis_py.Redis, func: Any, args: Any, result: Any, description: str
) -> None:
    job = enqueue(func, *args)
    assert run(redis, job) == result
    assert stored(redis, job)["description"].decode() == description


def test_options_apart_from_the_call(redis: redis_py.Redis) -> None:
    job = get_queue().enqueue_call(echo, args=[1], timeout="1m", job_id="a", at_front=True)
    assert run(redis, job) == 1
    assert stored(redis, job)["timeout"] == b"60"
    job = get_queue().enqueue_call(
        "tests.queues.test_enqueue.options", kwargs={"ttl": 1, "job_id": 2}, ttl=50
    )
    assert run(redis, job) == {"ttl": 1, "job_id": 2}
    assert stored(redis, job)["ttl"] == b"50"


def options(**given: Any) -> dict[str, Any]:
    return given


def test_arguments_that_are_called_like_options(redis: redis_py.Redis) -> None:
    job = enqueue(options, kwargs={"job_id": 1, "args": 2})
    assert run(redis, job) == {"job_id": 1, "args": 2}
    job = enqueue(options, timeout=5, queue="x")
    assert run(redis, job) == {"timeout": 5, "queue": "x"}
    job = enqueue(echo, args=("x",), job_id="b")
    assert (job.id, run(redis, job)) == ("b", "x")


def test_options_of_later_releases_may_be_off(redis: redis_py.Redis) -> None:
    job = enqueue(options, depends_on=None, on_success=None, unique=False, pipeline=None)
    assert run(redis, job) == {}


def test_the_decorator(redis: redis_py.Redis) -> None:
    job = sample_jobs.decorated_high.delay(5, job_id="c")
    assert (job.id, job.origin, job.timeout, job.result_ttl) == ("c", "high", 60, 60)
    assert run(redis, job) == 15
    assert sample_jobs.decorated_high(5) == 15
    first = sample_jobs.decorated.enqueue(1)
    second = sample_jobs.decorated.delay(1, at_front=True)
    assert get_queue().job_ids == [second.id, first.id]


def test_a_job_made_first_and_enqueued_then(redis: redis_py.Redis) -> None:
    queue = get_queue()
    job = queue.create_job(add, (1,), {"b": 2}, meta={"a": 1})
    assert not redis.keys()
    job.meta["b"] = 2
    queue.enqueue_job(job)
    assert Job.fetch(job.id).meta == {"a": 1, "b": 2}
    assert run(redis, job) == 3
    other = Job.create(add, (1,), origin="low", timeout="1m", id="d")
    get_queue("high").enqueue_job(other)
    assert stored(redis, other)["origin"] == b"high"
    assert stored(redis, other)["timeout"] == b"60"


# In one command


@pytest.mark.parametrize("arguments", [{}, {"job_id": "a", "ttl": 5, "meta": {"a": 1}}])
def test_one_command(redis: redis_py.Redis, arguments: dict[str, Any]) -> None:
    enqueue(add)  # connects, and loads the script
    assert commands(redis, lambda: enqueue(add, 1, **arguments)) == ["EVALSHA"]
    assert commands(redis, lambda: sample_jobs.decorated.delay(1)) == ["EVALSHA"]


def test_a_server_that_forgot_the_scripts(redis: redis_py.Redis) -> None:
    enqueue(add)
    redis.script_flush()
    assert commands(redis, lambda: enqueue(add)) == ["EVALSHA", "EVAL"]
    assert commands(redis, lambda: enqueue(add)) == ["EVALSHA"]
    assert get_queue().count == 3


# What is refused


class Unpicklable:
    def __reduce__(self) -> Any:
        raise RuntimeError("not me")


LOCK = threading.Lock()
REFUSED: list[tuple[type[RQLiteError], str, Callable[[], object]]] = [
    (InvalidFunctionError, "lambda", lambda: enqueue(lambda: 1)),
    (InvalidFunctionError, "<locals>", lambda: enqueue(local())),
    (InvalidFunctionError, "class", lambda: enqueue(Greeter, "x")),
    (InvalidFunctionError, "__main__", lambda: enqueue("__main__.f")),
    (InvalidFunctionError, "dotted path", lambda: enqueue("no path")),
    (UnserializableError, "argument 2 .a lock.", lambda: enqueue(echo, 1, LOCK)),
    (
        UnserializableError,
        "argument 'b' .a Unpicklable.*not me",
        lambda: enqueue(add, b=Unpicklable()),
    ),
    (UnserializableError, "object whose method greet", lambda: enqueue(Greeter(LOCK).greet)),  # type: ignore[arg-type]
    (
        UnserializableError,
        "object whose method __call__",
        lambda: enqueue(functools.partial(add, LOCK)),
    ),
    (UnserializableError, "meta of job", lambda: enqueue(add, meta={"a": LOCK})),
    (
        UnserializableError,
        "argument 1 .a set",
        lambda: get_queue(serializer="json").enqueue(echo, {1}),
    ),
    *[
        (InvalidJobIdError, "job_id", functools.partial(enqueue, add, job_id=job_id))
        for job_id in ("a:b", "", "a b", "é", "a\n", 7, "a" + chr(0))
    ],
    (InvalidDurationError, "job_timeout is -5", lambda: enqueue(add, job_timeout=-5)),
    (InvalidDurationError, "job_timeout is 0", lambda: enqueue(add, job_timeout=0)),
    (
        InvalidDurationError,
        "timeout is 'soon'",
        lambda: get_queue().enqueue_call(add, timeout="soon"),
    ),
    (InvalidDurationError, "result_ttl is -2", lambda: enqueue(add, result_ttl=-2)),
    (InvalidDurationError, "failure_ttl is -2", lambda: enqueue(add, failure_ttl=-2)),
    (InvalidDurationError, "ttl is 0", lambda: enqueue(add, ttl=0)),
    (InvalidDurationError, "hundred years", lambda: enqueue(add, ttl=10**18)),
    (InvalidJobError, "no option 'tiemout'", lambda: get_queue().enqueue_call(add, tiemout=3)),
    (InvalidJobError, "depends_on: Dependency", lambda: enqueue(add, depends_on=5)),
    (InvalidJobError, "'pipeline' is not supported", lambda: enqueue(add, pipeline=object())),
    (InvalidJobError, "args must be", lambda: get_queue().enqueue_call(add, "abc")),
    (InvalidJobError, "kwargs must be", lambda: get_queue().enqueue_call(add, (), [1])),  # type: ignore[arg-type]
    (InvalidJobError, "Positional arguments", lambda: enqueue(add, 1, args=(2,))),
    (InvalidJobError, "'b' would be lost", lambda: enqueue(add, args=(2,), b=3)),
    (InvalidJobError, "meta must be", lambda: enqueue(add, meta=[1])),
    (InvalidJobError, "no function", lambda: get_queue().enqueue_job(Job("a"))),
    (UnknownQueueError, "'hihg'.*'high'.*'default'", lambda: get_queue("hihg").enqueue(add)),
    (
        ConfigurationError,
        "mirrored",
        lambda: Queue("failed", connection=get_connection()).enqueue(add),
    ),
]


def local() -> Callable[[], None]:
    def inside() -> None: ...

    return inside


def methods_of_what_can_not_be_stored() -> list[Callable[[], Any]]:
    class Local:
        def work(self) -> None: ...

        @classmethod
        def work_of_all(cls) -> None: ...

        def __call__(self) -> None: ...

    greeter = sample_jobs.Greeter("Hello")
    greeter.lock = threading.Lock()  # type: ignore[attr-defined]
    return [Local().work, Local.work_of_all, Local(), functools.partial(greeter.greet, "Ann")]


@pytest.mark.parametrize("number", range(4))
def test_methods_of_what_can_not_be_stored_are_refused(redis: redis_py.Redis, number: int) -> None:
    func = methods_of_what_can_not_be_stored()[number]
    with pytest.raises(
        UnserializableError, match=r"the object whose method \w+ is \(a \w+\) can't be serialized"
    ):
        enqueue(func)
    assert redis.keys() == []


@pytest.mark.parametrize(("error", "said", "call"), REFUSED, ids=[said for _, said, _ in REFUSED])
def test_nothing_is_written_when_something_is_wrong(
    redis: redis_py.Redis, error: type[RQLiteError], said: str, call: Callable[[], object]
) -> None:
    with pytest.raises(error, match=said):
        call()
    assert redis.keys() == []


def test_a_server_that_is_not_there(settings: Any) -> None:
    settings.RQ_QUEUES = {"default": {"URL": "redis://me:secret@localhost:1/3"}}
    with pytest.raises(RedisUnavailableError, match="redis://localhost:1/3") as caught:
        enqueue(add)
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value, redis_py.ConnectionError)


# The same id again


@pytest.fixture
def transitions() -> Engine:
    return Engine(Broker.of(get_connection()))


def finish(transitions: Engine, hold: Hold, ttl: int = 500) -> None:
    transitions.finish(
        "w",
        hold,
        worker_name="w",
        result_ttl=ttl,
        result=b"r",
        signature="s",
        encoded_result=b"",
    )


def fail(transitions: Engine, hold: Hold) -> None:
    transitions.fail(
        "w", hold, worker_name="w", failure_ttl=9, reason="why", encoded_reason=b"", headline="h"
    )


def start(transitions: Engine, queue: str = "default") -> Hold:
    hold = transitions.claim("w", NextClaim("e1", [queue], 60)).hold
    assert hold is not None
    return hold


def again(redis: redis_py.Redis, queue: str = "high") -> None:
    """Enqueue the id of another job, and see that nothing is left of that."""
    job = get_queue(queue).enqueue(echo, "new", job_id="a")
    assert places(redis, "a") == [f"queue:{queue}"]
    assert stored(redis, job).keys() == {
        *("origin", "status", "created_at", "enqueued_at", "description", "timeout"),
        *("data", "x_sig", "x_created"),
    }
    assert redis.ttl("rq:job:a") == -1
    assert run(redis, job) == "new"
    assert not redis.exists("rq:results:a", "rq:executions:a", "rq:queue:failed")


@pytest.mark.parametrize("queue", ["default", "high"])
def test_one_that_waits_is_replaced(redis: redis_py.Redis, queue: str) -> None:
    enqueue(add, 1, job_id="a", meta={"old": 1}, ttl=50)
    again(redis, queue)


@pytest.mark.parametrize("queue", ["default", "high"])
@pytest.mark.parametrize("end", [finish, fail])
def test_one_that_has_ended_is_replaced(
    redis: redis_py.Redis, transitions: Engine, end: Callable[..., None], queue: str
) -> None:
    enqueue(add, 1, job_id="a", meta={"old": 1}, result_ttl=5)
    end(transitions, start(transitions))
    again(redis, queue)


@pytest.mark.parametrize("place", ["deferred", "scheduled", "canceled"])
def test_one_of_rq_that_is_elsewhere_is_replaced(redis: redis_py.Redis, place: str) -> None:
    redis.hset("rq:job:a", mapping={"status": place, "origin": "default", "data": "x"})
    redis.zadd(f"rq:{place}:default", {"a": 1})
    again(redis)


def test_one_whose_hash_has_expired_leaves_its_places(
    redis: redis_py.Redis, transitions: Engine
) -> None:
    enqueue(add, job_id="a")
    redis.delete("rq:job:a")
    again(redis, "default")
    fail(transitions, start(transitions))
    redis.delete("rq:job:a", "rq:results:a")
    again(redis, "default")


def test_one_that_runs_is_left_alone(redis: redis_py.Redis, transitions: Engine) -> None:
    enqueue(add, job_id="a")
    start(transitions)
    before = dumped(redis)
    with pytest.raises(DuplicateJobError, match=r"'a' is running on worker w"):
        enqueue(echo, "new", job_id="a")
    assert dumped(redis) == before


def test_a_call_whose_answer_was_lost_may_be_repeated(
    redis: redis_py.Redis, transitions: Engine
) -> None:
    fields = get_queue().create_job(add).to_fields()
    stamps = {
        transitions.enqueue("minted", "default", fields, minted=True, ttl=50) for _ in range(2)
    }
    assert len(stamps) == 1
    assert places(redis, "minted") == ["queue:default"]
    finish(transitions, start(transitions))
    before = dumped(redis)
    transitions.enqueue("minted", "default", fields, minted=True)
    assert dumped(redis) == before


# A job object again


def test_a_finished_job_enqueued_again_runs_again(
    redis: redis_py.Redis, transitions: Engine
) -> None:
    queue = get_queue()
    job = queue.enqueue(add, 1, b=2, meta={"a": 1}, ttl=50)
    finish(transitions, start(transitions))
    for again in (job, Job.fetch(job.id)):
        queue.enqueue_job(again)
        assert places(redis, job.id) == ["queue:default"]
        assert run(redis, job) == 3
        assert Job.fetch(job.id).meta == {"a": 1}
        finish(transitions, start(transitions))


def test_enqueued_again_it_is_signed_no_better_than_it_was(
    redis: redis_py.Redis, settings: Any
) -> None:
    job = enqueue(add, meta={"a": 1})
    redis.hset(job.key, "data", pickle.dumps(("os.getpid", None, (), {})))
    with pytest.raises(SignatureError):
        get_queue().enqueue_job(Job.fetch(job.id))
    redis.hdel(job.key, "x_sig", "x_sig_meta")
    get_queue().enqueue_job(Job.fetch(job.id))
    assert not stored(redis, job).keys() & {"x_sig", "x_sig_meta"}


# Foreign data


@pytest.mark.parametrize("key", ["rq:queue:default", "rq:queues", "rq:job:a"])
def test_foreign_data_under_a_key_is_an_error_before_anything_is_written(
    redis: redis_py.Redis, key: str
) -> None:
    redis.set(key, "foreign")
    with pytest.raises(redis_py.ResponseError, match="WRONGTYPE"):
        enqueue(add, job_id="a")
    assert redis.keys() == [key.encode()]


@pytest.mark.parametrize(
    "key", ["rq:wip:default", "rq:failed:default", "rq:queue:failed", "rq:executions:a"]
)
def test_other_foreign_data_is_in_nobody_s_way(redis: redis_py.Redis, key: str) -> None:
    redis.set(key, "foreign")
    enqueue(add, job_id="a")
    enqueue(add, 1, job_id="a")
    assert get_queue().job_ids == ["a"]
