"""Workers with the same host name, and perhaps the same process id, as in containers."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.engine import Engine
from django_rqlite.exceptions import WorkerNameTakenError
from django_rqlite.process import identity as process_identity
from django_rqlite.protocol.keys import Keys
from django_rqlite.worker.heartbeat import Heartbeat
from django_rqlite.worker.worker_name import WorkerName
from tests import sample_jobs
from tests.conftest import Server, wait_until
from tests.outcomes_in_redis import engine
from tests.worker_process import WorkerProcess, worker

pytestmark = pytest.mark.usefixtures("redis")

UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
NAME = f"{socket.gethostname().partition('.')[0]}.1"


def namespaces_can_be_had() -> bool:
    if not shutil.which(UNSHARE[0]):
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


in_containers = pytest.mark.skipif(
    not namespaces_can_be_had(), reason="this user may not make process namespaces"
)


class ContainerProcess(WorkerProcess):
    """A worker that is process 1, as in a container; it ends when :attr:`process` does."""

    PREFIX = UNSHARE


@contextmanager
def container(folder: Path, *arguments: str) -> Iterator[ContainerProcess]:
    number = len(list(folder.glob("container-*.log")))
    process = ContainerProcess(folder / f"container-{number}.log", arguments, {})
    try:
        yield process
    finally:
        process.stop()


def names(redis: redis_py.Redis) -> set[str]:
    return {key.decode().removeprefix("rq:worker:") for key in redis.smembers("rq:workers")}


def instance_of(redis: redis_py.Redis, name: str) -> bytes | None:
    return redis.hget(f"rq:worker:{name}", "x_instance")


@in_containers
def test_both_are_listed(redis: redis_py.Redis, tmp_path: Path) -> None:
    with container(tmp_path) as first:
        first.ready()
        before = instance_of(redis, NAME)
        with container(tmp_path) as second:
            second.ready()
            assert len(names(redis)) == 2
            (other,) = names(redis) - {NAME}
            assert other.startswith(f"{NAME}.")
            assert instance_of(redis, NAME) == before
            assert instance_of(redis, other) != before
            assert {redis.hget(f"rq:worker:{name}", "pid") for name in (NAME, other)} == {b"1"}
            # Each is told what to do under its own name.
            redis.publish(f"rq:pubsub:{other}", '{"command": "shutdown"}')
            second.ends()
        assert names(redis) == {NAME}
        assert first.process.poll() is None


@in_containers
def test_a_restarted_container_takes_over_its_own_record(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    with container(tmp_path) as first:
        first.ready().signal(signal.SIGKILL)
        first.ends()
    before = instance_of(redis, NAME)
    assert not redis.hexists(f"rq:worker:{NAME}", "death")
    wait_until(lambda: not subscribed(redis, before), "the server has noticed its end")
    with container(tmp_path) as again:
        again.ready()
        assert names(redis) == {NAME}
        assert instance_of(redis, NAME) != before


def subscribed(redis: redis_py.Redis, instance: bytes | None) -> int:
    assert instance is not None
    ((_, count),) = redis.pubsub_numsub(f"rq:x:worker:{instance.decode()}")
    return int(count)


@in_containers
def test_a_name_that_was_given_is_refused_to_the_second(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    with container(tmp_path, "--name", "w1") as first:
        first.ready()
        with container(tmp_path, "--name", "w1") as second:
            assert second.ends() == 1
            assert "'w1'" in second.output


@contextmanager
def taken_over(redis: redis_py.Redis, name: str) -> Iterator[None]:
    """Have another worker that lives take over a record, as after a long silence."""
    with redis.pubsub() as other:
        other.subscribe("rq:x:worker:other")
        assert other.get_message(timeout=5)
        redis.hset(f"rq:worker:{name}", mapping={"x_instance": "other", "x_process": ""})
        yield
        assert redis.hget(f"rq:worker:{name}", "x_instance") == b"other"
        assert not redis.hexists(f"rq:worker:{name}", "death")


def test_a_worker_whose_record_was_taken_over_takes_another_name(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    with worker(tmp_path, environment={"RQ_TEST_LEASE": "4"}) as process:
        process.ready()
        (name,) = names(redis)
        with taken_over(redis, name):
            wait_until(lambda: len(names(redis)) == 2, "both are listed")
            (other,) = names(redis) - {name}
            assert other.startswith(f"{name}.")
            job = get_queue().enqueue(sample_jobs.add, 1)
            wait_until(lambda: job.is_finished, "it goes on")
            job.refresh()
            assert job.worker_name == other
            redis.publish(f"rq:pubsub:{other}", '{"command": "shutdown"}')
            assert process.ends() == 0, process.output
        assert names(redis) == {name}


def test_a_worker_with_a_name_of_its_own_goes_on_without_its_record(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    with worker(tmp_path, "--name", "w1", environment={"RQ_TEST_LEASE": "4"}) as process:
        process.ready()
        with taken_over(redis, "w1"):
            process.prints("'w1'")
            job = get_queue().enqueue(sample_jobs.add, 1)
            wait_until(lambda: job.is_finished, "it goes on")
            process.signal(signal.SIGTERM)
            assert process.ends() == 0, process.output
        assert names(redis) == {"w1"}


@in_containers
def test_a_process_id_of_another_container_says_nothing(tmp_path: Path) -> None:
    """The live worker's process id is free in the container of the second."""
    with worker(tmp_path, "--name", "w1") as first:
        first.ready()
        with container(tmp_path, "--name", "w1") as second:
            assert second.ends() == 1
            assert "'w1'" in second.output


def presence(name: str, instance: str) -> Heartbeat:
    return Heartbeat(
        engine(), WorkerName(name), ["default"], instance=instance, worker_ttl=420, lease=60
    )


def test_where_processes_cannot_be_told_apart_the_subscription_counts(
    redis: redis_py.Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on macOS, or with a restarted machine: by process id, both are this test."""
    monkeypatch.setattr(process_identity, "_PROC", tmp_path / "no proc here")
    with redis.pubsub() as subscription:
        subscription.subscribe(Keys().life_channel("first"))
        subscription.get_message(timeout=20)
        presence("w1", "first").register()
        assert redis.hget("rq:worker:w1", "x_process") == b""
        with pytest.raises(WorkerNameTakenError, match="'w1'"):
            presence("w1", "second").register()
        assert instance_of(redis, "w1") == b"first"
    wait_until(lambda: not subscribed(redis, b"first"), "the server has noticed its end")
    presence("w1", "second").register()
    assert instance_of(redis, "w1") == b"second"


def test_who_may_not_ask_takes_nothing_over(redis: redis_py.Redis, server: Server) -> None:
    allowed = ("on", ">any", "~*", "&*", "+@all", "-pubsub")
    redis.execute_command("ACL", "SETUSER", "mute", *allowed)
    try:
        with redis_py.Redis.from_url(server.url, username="mute", password="any") as client:
            assert Engine(Broker(client)).is_worker_alive("nobody")
    finally:
        redis.execute_command("ACL", "DELUSER", "mute")
    assert not engine().is_worker_alive("nobody")


def test_a_worker_may_come_back_to_its_own_record() -> None:
    mine = presence("w1", "mine")
    mine.register()
    mine.register()


def test_identities() -> None:
    own = process_identity.own_identity()
    if not own:
        pytest.skip("this system has no /proc")
    place, pid, started = own.rsplit(":", 2)
    assert process_identity.lives(own) is True
    assert process_identity.lives(f"{place}:{pid}:{int(started) + 1}") is False
    assert process_identity.lives(f"{place}:{2**22 + 1}:{started}") is False
    assert process_identity.lives(f"another boot:1:{pid}:{started}") is None
    for foreign in ("", ":", "::", "what", f"{place}:x:y", "::1:1"):
        assert process_identity.lives(foreign) is None
