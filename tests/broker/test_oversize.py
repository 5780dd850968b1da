"""Commands that a server refuses because of their size: the error says so, and workers go on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.retry import Retry as Repeats

from django_rqlite import Callback, Job, Queue, Retry, conf
from django_rqlite.broker import clients, embedded, wire
from django_rqlite.broker.broker import Broker
from django_rqlite.broker.single_connection import open_single_connection
from django_rqlite.cron.entries import Entry
from django_rqlite.cron.schedule import Interval
from django_rqlite.cron.ticker import Ticker
from django_rqlite.engine.engine import Engine, NextClaim
from django_rqlite.exceptions import (
    InvalidJobError,
    PayloadTooLargeError,
    RedisUnavailableError,
)
from django_rqlite.execution.outcome import AskedForRetry, Failed, Outcome, Succeeded
from django_rqlite.protocol.records import read_job
from django_rqlite.worker.children.assignment import Assignment
from django_rqlite.worker.claims import MOST_BREAKS, Claims
from django_rqlite.worker.worker_name import WorkerName
from tests import sample_jobs
from tests.broker.test_clients import free_port, running
from tests.broker.test_errors import configured, not_permitted
from tests.chaos.proxy import Cut, Moment, Proxy, Target
from tests.conftest import Server, wait_until
from tests.worker_process import worker

#: Compression does not make it smaller.
LARGE = random.Random(11).randbytes(3_000_000)

LIMITS = {
    "proto-max-bulk-len": {"proto_max_bulk_len": 1 << 20},
    "client-query-buffer-limit": {"client_query_buffer_limit": 1 << 20},
    "maxmemory-clients": {"maxmemory_clients": 1 << 20},
}


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server on a socket and a port, whose limits the tests may change."""
    server = Server.start()
    yield server
    server.stop()


@pytest.fixture
def admin(own_server: Server) -> Iterator[redis_py.Redis]:
    with own_server.client() as client:
        client.flushdb()
        yield client


def ours(url: str, **options: Any) -> redis_py.Redis:
    """A client as RQ_QUEUES makes it."""
    keys = {"URL": url, "REDIS_CLIENT_KWARGS": options}
    return clients.connection_for(conf.read_queue("default", keys))


def limit_of(admin: redis_py.Redis, name: str) -> dict[str, Any]:
    if not admin.config_get(name):
        pytest.skip(f"this server has no {name}")
    return LIMITS[name]


# Enqueueing


CALLS: dict[str, Callable[[Queue], object]] = {
    "enqueue": lambda queue: queue.enqueue(sample_jobs.echo, LARGE),
    "id of one's own": lambda queue: queue.enqueue(sample_jobs.echo, LARGE, job_id="mine"),
    "unique": lambda queue: queue.enqueue(sample_jobs.echo, LARGE, job_id="mine", unique=True),
    "meta": lambda queue: queue.enqueue(sample_jobs.add, 1, meta={"large": LARGE}),
    "description": lambda queue: queue.enqueue(sample_jobs.add, 1, description="x" * 3_000_000),
    "enqueue_in": lambda queue: queue.enqueue_in(timedelta(1), sample_jobs.echo, LARGE),
    "depends_on": lambda queue: queue.enqueue(sample_jobs.echo, LARGE, depends_on="gone"),
    "enqueue_many": lambda queue: queue.enqueue_many(
        [queue.prepare_data(sample_jobs.echo, (LARGE,))]
    ),
    "in place": lambda queue: Queue(
        queue.name, connection=queue.connection, is_async=False
    ).enqueue(sample_jobs.echo, LARGE),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_job_that_is_too_large(own_server: Server, admin: redis_py.Redis, call: str) -> None:
    queue = Queue("default", connection=ours(own_server.url))
    with configured(admin, proto_max_bulk_len=1 << 20):
        with pytest.raises(
            PayloadTooLargeError,
            match=r"^Redis at unix://.* does not take a string of 3,00\d,\d\d\d bytes: its "
            r"proto-max-bulk-len is 1,048,576\. Pass an id",
        ) as caught:
            CALLS[call](queue)
        assert not admin.keys()
        queue.enqueue(sample_jobs.add, 1)
    assert isinstance(caught.value, InvalidJobError)
    assert queue.count == 1


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("told", [True, False], ids=["told", "config forbidden"])
def test_every_limit(own_server: Server, admin: redis_py.Redis, limit: str, told: bool) -> None:
    queue = Queue("default", connection=ours(own_server.url))
    rules = () if told else ("-config",)
    with configured(admin, **limit_of(admin, limit)):
        with (
            not_permitted(admin, *rules),
            pytest.raises(PayloadTooLargeError, match=rf"of 3,0\d\d,\d\d\d bytes.*{limit}"),
        ):
            queue.enqueue(sample_jobs.echo, LARGE)
        queue.enqueue(sample_jobs.add, 1)
    assert queue.count == 1


def plain(url: str) -> redis_py.Redis:
    from redis._parsers import _RESP2Parser

    return ours(url, parser_class=_RESP2Parser)


CLIENTS: dict[str, Callable[[str], redis_py.Redis]] = {
    "ours": ours,
    "without hiredis": plain,
    "the caller's": lambda url: redis_py.Redis.from_url(url, retry=Repeats(NoBackoff(), 1)),
    "one connection": lambda url: redis_py.Redis(
        connection_pool=ConnectionPool.from_url(url, retry=Repeats(NoBackoff(), 0)),
        single_connection_client=True,
    ),
}


@pytest.fixture(scope="module")
def tcp() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="rqlite-") as folder:
        port = free_port()
        with running(embedded.server_command(folder, port=port, append_only=False), port):
            yield f"redis://{embedded.LOOPBACK}:{port}/0"


@pytest.mark.parametrize("size", [1_100_000, 3_000_000, 30_000_000])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("family", ["unix", "tcp"])
def test_however_the_connection_breaks(
    own_server: Server,
    tcp: str,
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    client: str,
    size: int,
) -> None:
    """A broken pipe, a reset, the server's own words, or a closed connection: as it happens."""
    if client == "without hiredis":
        monkeypatch.setattr(wire, "_pack_in_c", None)
    url = tcp if family == "tcp" else own_server.url
    with CLIENTS[client](url) as mine:
        mine.flushdb()
        queue = Queue("default", connection=mine)
        # Compressed it would fit.
        meta = {"large": b"x" * size}
        with configured(mine, proto_max_bulk_len=1 << 20):
            for call in (
                lambda: queue.enqueue(sample_jobs.add, 1, meta=meta),
                lambda: queue.enqueue_many([queue.prepare_data(sample_jobs.add, meta=meta)]),
            ):
                with pytest.raises(PayloadTooLargeError, match="proto-max-bulk-len"):
                    call()
            queue.enqueue(sample_jobs.add, 1)
        assert queue.count == 1


def test_one_of_many(own_server: Server, admin: redis_py.Redis) -> None:
    queue = Queue("default", connection=ours(own_server.url))
    small = queue.prepare_data(sample_jobs.add, (1,))
    with (
        configured(admin, proto_max_bulk_len=1 << 20),
        pytest.raises(PayloadTooLargeError, match="a string of 3,00"),
    ):
        queue.enqueue_many([small, queue.prepare_data(sample_jobs.echo, (LARGE,)), small])


def test_the_meta_of_a_job(own_server: Server, admin: redis_py.Redis) -> None:
    job = Queue("default", connection=ours(own_server.url)).enqueue(sample_jobs.add, 1)
    job.meta["large"] = LARGE
    with (
        configured(admin, proto_max_bulk_len=1 << 20),
        pytest.raises(PayloadTooLargeError, match="a string of 3,00"),
    ):
        job.save_meta()
    assert job.get_meta() == {}


def test_a_server_that_is_gone() -> None:
    queue = Queue("default", connection=ours("redis://localhost:1"))
    with pytest.raises(RedisUnavailableError, match="localhost:1"):
        queue.enqueue(sample_jobs.echo, LARGE)
    with pytest.raises(RedisUnavailableError, match="localhost:1"):
        queue.enqueue_many([queue.prepare_data(sample_jobs.echo, (LARGE,))])


@contextmanager
def proxied(server: Server, make: Callable[[str, Path], Proxy] = Proxy) -> Iterator[Proxy]:
    # pytest's own folder has a path that is too long for a Unix socket on some systems.
    folder = Path(tempfile.mkdtemp(prefix="rqlite-"))
    proxy = make(server.url, folder / "proxy.sock")
    try:
        yield proxy
    finally:
        proxy.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize("many", [False, True])
def test_a_connection_that_breaks_once_is_not_refused(
    own_server: Server, admin: redis_py.Redis, many: bool
) -> None:
    Queue("default", connection=admin).enqueue(sample_jobs.add, 1)  # the script is known
    with proxied(own_server) as proxy, ours(proxy.url) as client:
        queue = Queue("default", connection=client)
        proxy.arm(Cut(None, Moment.BEFORE, lambda: None))
        assert client.ping()
        greetings = len(proxy.said)
        call = "enqueue_many" if many else "enqueue"
        proxy.arm(cut := Cut(Target(call, 1), Moment.BEFORE, lambda: None))
        with pytest.raises(RedisUnavailableError):
            CALLS[call](queue)
        assert cut.done
        assert greetings
        assert Target("EXISTS", 1) in proxy.said, "it was tried"


# The worker


@pytest.mark.parametrize("limit", LIMITS)
def test_an_outcome_that_the_server_refuses_fails_its_job(
    own_server: Server, admin: redis_py.Redis, tmp_path: Path, limit: str
) -> None:
    told, runs = tmp_path / "told", tmp_path / "runs"
    queue = Queue("default", connection=own_server.client())
    job = queue.enqueue(
        sample_jobs.run_and_return_bytes,
        *(str(runs), 3_000_000),
        retry=Retry(2),
        on_failure=Callback(sample_jobs.tell_failure),
    )
    after = queue.enqueue(sample_jobs.add, 1, b=2)
    environment = {"RQ_TEST_URL": own_server.url, "RQ_TEST_TELL": str(told)}
    with (
        configured(admin, **limit_of(admin, limit)),
        worker(tmp_path, environment=environment) as process,
    ):
        wait_until(lambda: after.is_finished, "the next job has run")
        wait_until(told.exists, "who wants to know is told")
        process.signal(signal.SIGTERM)
        assert process.ends() == 0
        output = process.output

    assert job.get_status() == "failed"
    assert runs.read_text() == "x", "its work was done once"
    reason = job.exc_info or ""
    assert reason.startswith("Redis does not take the outcome of the job: The server does not take")
    assert limit in reason
    assert "its result has 3,000,0" in reason
    assert "bytes when serialized" in reason
    assert "RQ['MAX_RESULT_SIZE']" in reason
    assert f"failure {job.id} JobDiedError Redis does not take" in told.read_text()
    assert f"Redis does not take the outcome of job {job.id}" in output
    assert "Lost Redis" not in output
    assert not admin.zcard("rq:wip:default")


def test_a_job_run_in_place_fails_too(own_server: Server, admin: redis_py.Redis) -> None:
    queue = Queue("default", connection=ours(own_server.url), is_async=False)
    with configured(admin, proto_max_bulk_len=1 << 20):
        job = queue.enqueue(sample_jobs.make_bytes, 3_000_000)
    assert job.get_status() == "failed"
    assert "its proto-max-bulk-len is 1,048,576" in (job.exc_info or "")
    assert not admin.zcard("rq:wip:default")


def test_a_cron_entry_that_the_server_refuses_is_left_out(
    own_server: Server, admin: redis_py.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    large = Entry("large", "tests.sample_jobs.echo", Interval(1), "default", "here", (LARGE,))
    small = Entry("small", "tests.sample_jobs.add", Interval(1), "default", "here", (1,))
    ticker = Ticker(Broker(ours(own_server.url)), [large, small])
    with configured(admin, proto_max_bulk_len=1 << 20):
        wait_until(ticker.tick_if_due, "the other one is enqueued")
        wait_until(lambda: "entry 'large' is left out" in caplog.text, "it is said")
    assert "its job can't be enqueued (The server does not take a string of 3,0" in caplog.text


def test_a_worker_in_a_long_outage_ends_when_asked_once(tmp_path: Path) -> None:
    server = Server.start(append_only=True)
    try:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        environment = {"RQ_TEST_URL": server.url, "RQ_TEST_LEASE": "2"}
        with worker(tmp_path, environment=environment) as process:
            process.ready()
            job = Queue("default", connection=server.client()).enqueue(
                sample_jobs.block_on, str(pipe)
            )
            process.prints(job.id)
            server.kill()
            pipe.write_text("done")
            process.prints("Lost Redis at unix://")
            process.signal(signal.SIGTERM)
            assert process.ends() == 0
            assert "was asked to end 2 s ago, and Redis still does not answer" in process.output
            assert "could not be unregistered" in process.output
    finally:
        server.stop()


class Breaking(Proxy):
    """Breaks the connection whenever it sees one of the given scripts."""

    over: tuple[str, ...] = ("finish", "fail", "retry_or_repeat")

    def _forward(self, pair: Any) -> None:
        from tests.chaos import proxy

        while (parsed := proxy._command(pair.sent)) is not None:
            words, length = parsed
            name = proxy._name(words)
            self.said.append(name)
            if name.removeprefix("EVAL of ") in self.over:
                self._hang_up(pair)
                return
            pair.server.sendall(pair.sent[:length])
            del pair.sent[:length]


@pytest.fixture
def breaking(own_server: Server, admin: redis_py.Redis) -> Iterator[Breaking]:
    with proxied(own_server, Breaking) as proxy:
        proxy.arm(Cut(None, Moment.BEFORE, lambda: None))
        assert isinstance(proxy, Breaking)
        yield proxy


def owing(
    proxy: Breaking, admin: redis_py.Redis, outcome: Outcome | None, *, died: bool = False
) -> tuple[Claims, Job]:
    """Claims with an outcome to store, and its job."""
    job = Queue("default", connection=admin).enqueue(sample_jobs.add, 1, retry=Retry(2))
    claim = Engine(Broker(admin)).claim("w", NextClaim("e1", ("default",), 60))
    assert claim.hold is not None
    record = read_job(job.id, claim.fields)
    claims = Claims(
        Engine(Broker(open_single_connection(ours(proxy.url)))), WorkerName("w"), ["default"], 60
    )
    claims.add([Assignment(claim.hold, record, None, outcome=outcome, callback_due=died)])
    return claims, job


def settle(claims: Claims) -> int:
    """Settle all, and return how often the connection broke."""
    breaks = 0
    while claims.unsettled:
        try:
            claims.settle(claim_next=False)
        except redis_py.ConnectionError:
            breaks += 1
    return breaks


OUTCOMES: dict[str, tuple[Outcome, tuple[str, ...], str]] = {
    "returned": (Succeeded(b"\x80\x05N."), ("finish",), "its result has 4 bytes"),
    "asked": (AskedForRetry(2, (0,), False), ("retry_or_repeat",), "asked for another run"),
    "raised": (Failed("Traceback\nValueError: no", "no"), ("retry_or_repeat",), "ValueError: no"),
    "died": (Failed("exit code 3", "exit code 3"), ("retry_or_repeat",), "exit code 3"),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_small_outcome_over_which_the_connection_breaks_each_time(
    breaking: Breaking, admin: redis_py.Redis, name: str
) -> None:
    outcome, breaking.over, says = OUTCOMES[name]
    claims, job = owing(breaking, admin, outcome, died=name == "died")
    assert settle(claims) == MOST_BREAKS + 1
    assert job.get_status() == "failed"
    assert says in (job.exc_info or "")
    called_back = [each.hold.job_id for each in claims.callbacks_due]
    assert called_back == ([] if name == "raised" else [job.id]), "a failure has called already"


def test_a_failure_that_cannot_be_stored_either_is_left_to_its_lease(
    breaking: Breaking, admin: redis_py.Redis
) -> None:
    claims, job = owing(breaking, admin, Succeeded(b""))
    assert settle(claims) == 2 * (MOST_BREAKS + 1)
    assert job.get_status() == "started"
    assert admin.zcard("rq:wip:default") == 1


def test_a_job_that_cannot_be_put_back_is_left_to_its_lease(
    breaking: Breaking, admin: redis_py.Redis
) -> None:
    breaking.over = ("release",)
    claims, job = owing(breaking, admin, None)
    assert settle(claims) == MOST_BREAKS + 1
    assert job.get_status() == "started"


def test_breaks_while_the_server_is_away_do_not_count(
    breaking: Breaking, admin: redis_py.Redis
) -> None:
    claims, job = owing(breaking, admin, Succeeded(b""))
    with pytest.raises(redis_py.ConnectionError):
        claims.settle(claim_next=False)
    breaking.over = ("finish", "PING")
    for _ in range(2 * MOST_BREAKS):
        with pytest.raises(redis_py.ConnectionError):
            claims.settle(claim_next=False)
    breaking.over = ()
    assert settle(claims) == 0
    assert job.get_status() == "finished"


def test_after_a_break_an_outcome_is_stored_without_a_claim(
    breaking: Breaking, admin: redis_py.Redis
) -> None:
    """The answer to a claim may break the connection."""
    claims, job = owing(breaking, admin, Succeeded(b""))
    after = Queue("default", connection=admin).enqueue(sample_jobs.add, 1)
    with pytest.raises(redis_py.ConnectionError):
        claims.settle(claim_next=True)
    breaking.over = ()
    assert claims.settle(claim_next=True) is None
    assert job.get_status() == "finished"
    hold = claims.claim().hold
    assert hold is not None
    assert hold.job_id == after.id


def test_a_job_that_the_server_does_not_deliver_fails(
    own_server: Server, admin: redis_py.Redis
) -> None:
    queue = Queue("default", connection=admin)
    job, after = queue.enqueue(sample_jobs.echo, LARGE), queue.enqueue(sample_jobs.add, 1)
    claims = Claims(
        Engine(Broker(open_single_connection(ours(own_server.url)))),
        WorkerName("w"),
        ["default"],
        60,
    )
    with configured(admin, client_output_buffer_limit="normal 1048576 0 0"):
        for _ in range(MOST_BREAKS + 1):
            with pytest.raises(redis_py.ConnectionError):
                claims.claim()
        assert settle(claims) == 0
        hold = claims.claim().hold
    assert hold is not None
    assert hold.job_id == after.id
    assert job.get_status() == "failed"
    assert "the server's client-output-buffer-limit" in (job.exc_info or "")


def test_a_claim_without_a_job_is_repeated(breaking: Breaking, admin: redis_py.Redis) -> None:
    breaking.over = ("claim",)
    claims = Claims(
        Engine(Broker(open_single_connection(ours(breaking.url)))), WorkerName("w"), ["default"], 60
    )
    for _ in range(3 * MOST_BREAKS):
        with pytest.raises(redis_py.ConnectionError):
            claims.claim()
    assert not claims.unsettled
    breaking.over = ()
    job = Queue("default", connection=admin).enqueue(sample_jobs.add, 1)
    hold = claims.claim().hold
    assert hold is not None
    assert hold.job_id == job.id
