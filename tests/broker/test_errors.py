"""The errors of servers that answer and refuse: they name the server and the remedy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
from redis import exceptions as theirs

from django_rqlite import Queue
from django_rqlite.broker import embedded
from django_rqlite.broker.address import describe
from django_rqlite.broker.errors import error_code, is_transient
from django_rqlite.exceptions import (
    RedisOutOfMemoryError,
    RedisPermissionError,
    RedisReadOnlyError,
    RedisRefusedError,
    RedisUnavailableError,
    RQLiteError,
)
from tests import sample_jobs
from tests.broker.test_clients import free_port, running
from tests.conftest import Server, wait_until
from tests.worker_process import worker


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server whose state the tests may change."""
    server = Server.start()
    yield server
    server.stop()


@contextmanager
def configured(admin: redis_py.Redis, **values: object) -> Iterator[None]:
    names = {name.replace("_", "-"): value for name, value in values.items()}
    before = {name: admin.config_get(name)[name] for name in names}
    for name, value in names.items():
        admin.config_set(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            admin.config_set(name, value)


@contextmanager
def replica(admin: redis_py.Redis) -> Iterator[None]:
    admin.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        yield
    finally:
        admin.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def lost_replica(admin: redis_py.Redis) -> Iterator[None]:
    with configured(admin, replica_serve_stale_data="no"), replica(admin):
        yield


@contextmanager
def not_permitted(admin: redis_py.Redis, *rules: str) -> Iterator[None]:
    admin.execute_command("ACL", "SETUSER", "default", *rules)
    try:
        yield
    finally:
        admin.execute_command("ACL", "SETUSER", "default", "+@all", "allkeys")


@contextmanager
def no_disk(admin: redis_py.Redis) -> Iterator[None]:
    # A folder has the name of the file.
    folder = Path(str(admin.config_get("dir")["dir"]), "dump.rdb")
    folder.mkdir()

    def has_failed() -> bool:
        said = admin.info("persistence")
        return said["rdb_last_bgsave_status"] == "err" and not said["rdb_bgsave_in_progress"]

    try:
        with configured(admin, save="3600 1000000"):
            admin.bgsave()
            wait_until(has_failed, "the server could not save")
            yield
    finally:
        folder.rmdir()
        admin.bgsave()
        wait_until(lambda: not has_failed(), "the server has saved")


@contextmanager
def busy(admin: redis_py.Redis) -> Iterator[None]:
    pool = admin.connection_pool
    connection: Any = pool.connection_class(**pool.connection_kwargs)
    with configured(admin, lua_time_limit=1):
        connection.send_command("EVAL", "while true do end", 0)
        wait_until(lambda: _says_busy(admin), "the server is busy")
        try:
            yield
        finally:
            admin.script_kill()
            with pytest.raises(redis_py.ResponseError):
                connection.read_response()
            connection.disconnect()


def _says_busy(admin: redis_py.Redis) -> bool:
    try:
        admin.ping()
    except redis_py.ResponseError as exc:
        return str(exc).startswith("BUSY")
    return False


STATES: dict[str, tuple[Callable[[redis_py.Redis], Any], type[RQLiteError], type, str]] = {
    "memory full": (
        lambda admin: configured(admin, maxmemory=1),
        *(RedisOutOfMemoryError, theirs.OutOfMemoryError, r"Raise maxmemory.*result_ttl"),
    ),
    "replica": (replica, RedisReadOnlyError, theirs.ReadOnlyError, "name the primary"),
    "lost replica": (lost_replica, RedisReadOnlyError, theirs.ReadOnlyError, "lost its primary"),
    "no replicas": (
        lambda admin: configured(admin, min_replicas_to_write=1),
        *(RedisRefusedError, theirs.ResponseError, "lower min-replicas-to-write"),
    ),
    "no disk": (no_disk, RedisRefusedError, theirs.ResponseError, "Make room on its disk"),
    "no command": (
        lambda admin: not_permitted(admin, "-evalsha"),
        *(RedisPermissionError, theirs.NoPermissionError, "ACL SETUSER"),
    ),
    "no keys": (
        lambda admin: not_permitted(admin, "resetkeys", "~other:*"),
        *(RedisPermissionError, theirs.NoPermissionError, "KEY_PREFIX"),
    ),
    "no command in scripts": (
        lambda admin: not_permitted(admin, "-hset"),
        *(RedisPermissionError, theirs.NoPermissionError, "ACL SETUSER"),
    ),
    "busy": (busy, RedisRefusedError, theirs.ResponseError, "SCRIPT KILL"),
}


@pytest.mark.parametrize("state", STATES)
def test_every_writing_call_names_the_server_and_the_remedy(own_server: Server, state: str) -> None:
    enter, ours, of_redis, remedy = STATES[state]
    with own_server.client() as admin:
        admin.flushdb()
        queue = Queue("default", connection=own_server.client())
        queue.enqueue(sample_jobs.add, 1)  # the server knows this script
        canceled = queue.enqueue(sample_jobs.add, 2)
        canceled.cancel()
        data = queue.prepare_data(sample_jobs.add, (1,))
        calls: dict[str, Callable[[], object]] = {
            "enqueue": lambda: queue.enqueue(sample_jobs.add, 1),
            "enqueue_many": lambda: queue.enqueue_many([data, data]),
            "requeue": canceled.requeue,
            "save_meta": canceled.save_meta,
        }
        caught: dict[str, Exception] = {}
        with enter(admin):
            for name, call in calls.items():
                try:
                    call()
                except redis_py.RedisError as exc:
                    caught[name] = exc

    assert caught.keys() == calls.keys()
    for error in caught.values():
        assert type(error) is ours
        assert isinstance(error, of_redis), "who catches redis-py's class still does"
        with pytest.raises(ours, match=rf"(?s)^Redis at unix://.*{remedy}.*It said: "):
            raise error
        assert is_transient(error.__cause__), "a worker waits until it passes"  # type: ignore[arg-type]
    if state != "no command in scripts":  # which ends a script in the middle
        assert queue.count == 1, "nothing was written"


def test_a_server_that_requires_a_password(own_server: Server) -> None:
    with own_server.client() as admin, configured(admin, requirepass="secret"):
        queue = Queue("default", connection=own_server.client())
        with pytest.raises(RedisUnavailableError, match="the password in RQ_QUEUES"):
            queue.enqueue(sample_jobs.add, 1)


def test_a_cluster_without_a_hash_tag(tmp_path: Path) -> None:
    # The nodes of a cluster talk to each other on the port that is 10,000 above.
    port = next(port for port in iter(free_port, None) if port + 10_000 < 1 << 16)
    command = embedded.server_command(tmp_path, port=port, append_only=False)
    with (
        running([*command, "--cluster-enabled", "yes"], port),
        redis_py.Redis(port=port, protocol=2) as admin,
    ):
        admin.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
        wait_until(
            lambda: admin.execute_command("CLUSTER INFO")["cluster_state"] == "ok", "it is up"
        )
        queue = Queue("default", connection=admin)
        with pytest.raises(RedisRefusedError, match=r"KEY_PREFIX a hash tag, such as '\{mail\}"):
            queue.enqueue(sample_jobs.add, 1)
        cluster = redis_py.RedisCluster(host=embedded.LOOPBACK, port=port)
        assert f":{port}" in describe(cluster)  # type: ignore[arg-type]
        cluster.close()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        # Redis 6.2, inside a script.
        (
            "Error running script (call to f_1): @user_script:20: @user_script: 20: "
            "-OOM command not allowed when used memory > 'maxmemory'.",
            "OOM",
        ),
        (
            "Error running script (call to f_1): @user_script:20: @user_script: 20: "
            "The user executing the script can't run this command or subcommand",
            "NOPERM",
        ),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", ""),
        ("something about a BUSYBODY", ""),
    ],
)
def test_codes_of_other_releases(said: str, code: str) -> None:
    assert error_code(redis_py.ResponseError(said)) == code


def refusals(admin: redis_py.Redis) -> int:
    """How often the server has answered that its memory is full."""
    said = admin.info("errorstats").get("errorstat_OOM", {"count": 0})
    return int(said["count"])


def test_an_outcome_waits_while_the_memory_is_full(own_server: Server, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with own_server.client() as admin:
        admin.flushdb()
        job = Queue("default", connection=own_server.client()).enqueue(
            sample_jobs.block_on, str(pipe)
        )
        with worker(tmp_path, environment={"RQ_TEST_URL": own_server.url}) as process:
            process.prints(job.id)
            with configured(admin, maxmemory=1):
                before = refusals(admin)
                pipe.write_text("go on")
                # More attempts than for an outcome that is refused because of its data.
                wait_until(lambda: refusals(admin) > before + 5, "the worker tries again")
                assert job.is_started
                assert process.process.poll() is None
            wait_until(lambda: job.is_finished, "the outcome is stored")
            assert "can't be stored" not in process.output
            assert "/valkey.sock: it has no memory left" in process.output
