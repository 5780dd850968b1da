"""Commands over a client's connections: what is sent, kept and released."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis as redis_py
from redis.backoff import NoBackoff
from redis.retry import Retry

from django_rqlite import Queue, enqueue, get_connection, get_queue
from django_rqlite.broker import wire
from django_rqlite.exceptions import RedisUnavailableError
from tests.sample_jobs import echo

pytestmark = pytest.mark.usefixtures("redis")

WHO_AM_I = ("CLIENT", "ID")


@pytest.fixture(params=["in C", "in Python"])
def packer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "in Python":
        monkeypatch.setattr(wire, "_pack_in_c", None)
    elif wire._pack_in_c is None:
        pytest.skip("hiredis is not installed")


@pytest.fixture
def server_sees(redis: redis_py.Redis) -> Callable[[], set[str]]:
    """The ids of the connections of the server, except the test's own."""

    def connections() -> set[str]:
        own = str(redis.client_id())
        return {client["id"] for client in redis.client_list()} - {own}

    return connections


# What is sent


@pytest.mark.usefixtures("packer")
@pytest.mark.parametrize(
    ("part", "arrives"),
    [
        ("text", b"text"),
        ("é", "é".encode()),
        (b"\x00\xff\r\n", b"\x00\xff\r\n"),
        ("found \udc80", b"found \x80"),
        ("", b""),
        (7, b"7"),
        (-1, b"-1"),
        (1.5, b"1.5"),
        ("x" * 70_000, b"x" * 70_000),
    ],
)
def test_any_part_arrives_as_it_is(part: str | bytes | float, arrives: bytes) -> None:
    assert wire.execute_on_pool(get_connection(), ("ECHO", part)) == arrives


@pytest.mark.usefixtures("packer")
def test_both_packers_serve_all_calls() -> None:
    queue = get_queue()
    first = queue.enqueue(echo, "é")
    others = queue.enqueue_many(Queue.prepare_data(echo, (number,)) for number in range(3))
    assert [job.args for job in queue.jobs] == [("é",), (0,), (1,), (2,)]
    assert queue.job_ids == [first.id, *(job.id for job in others)]


# Kept connections


def test_enqueueing_uses_one_connection(server_sees: Callable[[], set[str]]) -> None:
    enqueue(echo)
    before = server_sees()
    for _ in range(5):
        get_queue().enqueue(echo)
    assert server_sees() == before


def test_a_kept_connection_is_not_in_the_pool() -> None:
    client = get_connection()
    kept = wire.execute_on_pool(client, WHO_AM_I, keep=True)
    assert client.client_id() != kept
    assert wire.execute_on_pool(client, WHO_AM_I, keep=True) == kept
    enqueue(echo)
    assert wire.execute_on_pool(client, WHO_AM_I, keep=True) == kept


def test_a_connection_that_the_server_closed_is_not_used(
    redis: redis_py.Redis, server_sees: Callable[[], set[str]]
) -> None:
    enqueue(echo)
    for client in server_sees():
        redis.client_kill_filter(_id=client)
    assert enqueue(echo).is_queued
    assert get_queue().count == 2


def test_a_connection_that_was_closed_here_is_not_used() -> None:
    enqueue(echo)
    get_connection().connection_pool.disconnect()
    assert enqueue(echo).is_queued


def test_a_small_pool_keeps_none(settings: Any, server: Any) -> None:
    settings.RQ_QUEUES = {
        "default": {"URL": server.url, "REDIS_CLIENT_KWARGS": {"max_connections": 1}}
    }
    # If its only connection were kept, the pool would have none left.
    assert enqueue(echo).is_queued
    assert len(get_queue().enqueue_many(Queue.prepare_data(echo) for _ in range(1500))) == 1500


def test_threads_do_not_share_a_connection() -> None:
    queue = get_queue()
    made: list[str] = []

    def many() -> None:
        made.extend(queue.enqueue(echo, number).id for number in range(50))

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(queue.job_ids) == sorted(made)
    assert len(set(made)) == 200


def test_a_forked_process_does_not_use_its_parents_connection() -> None:
    client = get_connection()
    kept = wire.execute_on_pool(client, WHO_AM_I, keep=True)
    begins, told = os.pipe()
    child = os.fork()
    if child == 0:
        # An exception must not leave the block, or the child would go on with the tests.
        try:
            os.write(told, b"%d" % wire.execute_on_pool(client, WHO_AM_I, keep=True))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(told)
    assert int(os.read(begins, 20)) != kept
    os.close(begins)
    assert wire.execute_on_pool(client, WHO_AM_I, keep=True) == kept, "the child did not close it"


class Interrupted(BaseException):
    """Interrupts a command, as the timeout of a job does."""


@contextmanager
def interrupted_in(seconds: float) -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise Interrupted

    former = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(Interrupted):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


@pytest.mark.parametrize("keep", [False, True])
def test_an_abandoned_answer_is_not_read_by_the_next_command(
    redis: redis_py.Redis, server_sees: Callable[[], set[str]], keep: bool
) -> None:
    client = get_connection()
    assert wire.execute_on_pool(client, ("PING",), keep=keep) == b"PONG"
    with interrupted_in(0.05):
        wire.execute_on_pool(client, ("BLPOP", "x", 0), keep=keep)
    redis.rpush("x", "late")
    assert wire.execute_on_pool(client, ("ECHO", "mine"), keep=keep) == b"mine"


def test_a_stream_that_is_closed_early_leaves_no_answers(settings: Any, server: Any) -> None:
    settings.RQ_QUEUES = {"default": {"URL": server.url, "SOCKET_TIMEOUT": 5}}
    client = get_connection()
    stream = wire.CommandStream(client)
    stream.send([("ECHO", "first"), ("BLPOP", "x", 0)])
    assert stream.read() == b"first"
    stream.close()
    assert client.echo("mine") == b"mine"


def test_an_error_of_the_server_keeps_the_connection(server_sees: Callable[[], set[str]]) -> None:
    client = get_connection()
    wire.execute_on_pool(client, ("PING",))
    before = server_sees()
    client.set("x", "text")
    with pytest.raises(redis_py.ResponseError, match="WRONGTYPE"):
        wire.execute_on_pool(client, ("LLEN", "x"))
    assert wire.execute_on_pool(client, ("PING",)) == b"PONG"
    assert server_sees() == before


def test_no_server(settings: Any) -> None:
    settings.RQ_QUEUES = {"default": {"URL": "redis://localhost:1"}}
    with pytest.raises(RedisUnavailableError, match="localhost:1"):
        enqueue(echo)


# Clients that execute commands themselves


def test_retries_that_are_configured(settings: Any, server: Any) -> None:
    assert wire.has_direct_pool(get_connection())
    patient = {"retry": Retry(NoBackoff(), 3)}
    settings.RQ_QUEUES = {"default": {"URL": server.url, "REDIS_CLIENT_KWARGS": patient}}
    assert not wire.has_direct_pool(get_connection())
    queue = get_queue()
    queue.enqueue(echo)
    assert len(queue.enqueue_many(Queue.prepare_data(echo) for _ in range(1500))) == 1500
    assert queue.count == 1501


def test_a_client_of_the_caller(redis: redis_py.Redis) -> None:
    queue = get_queue(connection=redis)
    assert not wire.has_direct_pool(redis)
    job = queue.enqueue(echo)
    made = queue.enqueue_many(Queue.prepare_data(echo) for _ in range(3))
    assert queue.job_ids == [job.id, *(job.id for job in made)]


def test_a_client_of_a_cluster() -> None:
    # Not connected: there is no cluster here.
    assert not wire.has_direct_pool(redis_py.RedisCluster.__new__(redis_py.RedisCluster))  # type: ignore[arg-type]


def test_a_client_with_one_connection_uses_it(
    server_sees: Callable[[], set[str]],
) -> None:
    pool = get_connection().connection_pool
    alone = redis_py.Redis(connection_pool=pool, single_connection_client=True)
    assert not wire.has_direct_pool(alone)
    before = server_sees()
    queue = get_queue(connection=alone)
    queue.enqueue(echo)
    assert server_sees() == before
    queue.enqueue_many([Queue.prepare_data(echo)])
    assert queue.count == 2
