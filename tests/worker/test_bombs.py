"""Small values in Redis that unpack to very large ones do not use up memory."""

from __future__ import annotations

import pickle
import re
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import Job, get_queue
from django_rqlite.exceptions import DeserializationError, SignatureError
from django_rqlite.protocol import codec
from tests import sample_jobs
from tests.admin_world import (
    JOBS,
    QUEUES,
    WORKER,
    WORKERS,
    World,
    job_page,
    queue_page,
    worker_page,
)
from tests.worker_process import run_burst

MEBIBYTE = 1 << 20

#: What each bomb unpacks to. Eleven of 400 MiB made a page take 5 GB.
SIZE = 32 * MEBIBYTE

#: What is allowed for a page with any number of bombs, beside what it needs anyhow.
ALLOWED = 24 * MEBIBYTE


@pytest.fixture(scope="module")
def bomb() -> bytes:
    packer = zlib.compressobj(9)
    piece = b"ValueError: x\n" * (MEBIBYTE // 14)
    head = pickle.dumps("x")[:-1]  # begins like a value
    packed = [packer.compress(head), *(packer.compress(piece) for _ in range(SIZE // MEBIBYTE))]
    return b"".join([*packed, packer.flush()])


@contextmanager
def at_most(allowed: int, what: str = "") -> Iterator[None]:
    """The block has no more than so many bytes at once, of what Python hands out."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < allowed, f"{what}: {peak:,} bytes"


def plant(world: World, bomb: bytes) -> None:
    """Put it wherever something compressed is looked for, and where nothing is."""
    everywhere = ("data", "meta", "result", "exc_info", "description", "worker_name")
    outcome = {"type": "2", "exc_string": codec.base64_payload(bomb)}
    for place in ("finished", "failed", "canceled"):
        for number in range(24):
            job_id = f"{place}-{number}"
            fields = dict.fromkeys(everywhere[: 4 if number else 6], bomb)
            if number % 3 == 0:
                del fields["exc_info"]
            world.redis.hset(f"rq:job:{job_id}", mapping={**fields, "status": place})
            world.redis.hset(f"rq:job:{job_id}", mapping={"origin": "default"})
            world.redis.zadd(f"rq:{place}:default", {job_id: 2e9})
            for _ in range(15):
                world.redis.xadd(f"rq:results:{job_id}", outcome)
    value = {"type": "1", "return_value": codec.base64_payload(bomb)}
    for _ in range(15):
        world.redis.xadd("rq:results:finished-1", value)
    world.redis.rpush("rq:x:log:failed-1", bomb, bomb)
    world.worker(WORKER, "default")
    world.redis.hset(f"rq:worker:{WORKER}", mapping=dict.fromkeys(("hostname", "version"), bomb))


@pytest.mark.django_db
def test_pages(redis: redis_py.Redis, admin_client: Any, bomb: bytes) -> None:
    plant(World(redis), bomb)
    pages = [
        *(QUEUES, JOBS, f"{JOBS}?state=failed&group=1", f"{JOBS}?state=failed&error=Value"),
        *(WORKERS, worker_page(WORKER)),
        *(queue_page("default", place) for place in ("finished", "failed")),
        *(job_page(job_id) for job_id in ("finished-0", "finished-1", "failed-0", "failed-1")),
    ]
    # What is imported and cached with the first page of a kind is not what one needs.
    for page in (QUEUES, f"{JOBS}?state=failed", WORKERS, job_page("canceled-3")):
        admin_client.get(page)
    for page in pages:
        with at_most(ALLOWED, page):
            answer = admin_client.get(page)
        assert answer.status_code == 200, page
    shown = admin_client.get(job_page("failed-1")).content.decode()
    assert "unpacks to more than 1048576 bytes" in shown
    assert "the rest is left out" in shown
    assert len(shown) < 2 * MEBIBYTE


@pytest.mark.django_db
def test_what_one_page_unpacks(
    redis: redis_py.Redis, admin_client: Any, bomb: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted: bounded for all of a page, however many bombs there are."""
    plant(World(redis), bomb)
    unpacked = 0

    class Counting:
        def __init__(self) -> None:
            self._stream = _DECOMPRESSOBJ()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

        def decompress(self, data: bytes, longest: int = 0) -> bytes:
            nonlocal unpacked
            piece = self._stream.decompress(data, longest)
            unpacked += len(piece)
            return piece

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    costs = {}
    for page in (job_page("failed-1"), queue_page("default", "failed"), f"{JOBS}?state=failed"):
        unpacked = 0
        admin_client.get(page)
        costs[page] = unpacked
    assert 0 < costs[job_page("failed-1")] <= 16 * MEBIBYTE
    assert 0 < costs[queue_page("default", "failed")] <= 9 * MEBIBYTE
    assert 0 < costs[f"{JOBS}?state=failed"] <= 40 * MEBIBYTE


_DECOMPRESSOBJ = zlib.decompressobj


def test_the_application(redis: redis_py.Redis, bomb: bytes, settings: Any) -> None:
    plant(World(redis), bomb)
    settings.RQ = {**settings.RQ, "REQUIRE_SIGNATURE": True}
    with at_most(ALLOWED):
        job = Job.fetch("failed-1")
        assert re.search("the rest is left out", job.exc_info or "")
        for result in job.results():
            assert re.search("the rest is left out", result.exc_string or "")
            break
        for look in (lambda: job.args, job.copied, job.get_meta, lambda: job.meta):
            with pytest.raises(SignatureError):
                look()
        assert job._read is not None
        job._read = job._read.changed(signature="0" * 32)
        with pytest.raises(SignatureError):
            _ = job.args


def test_a_worker(redis: redis_py.Redis, tmp_path: Path, bomb: bytes) -> None:
    """It looks at the signature before it unpacks anything: here in an address space that would
    not hold one of them."""
    large = zlib.compress(bytes(256 * MEBIBYTE))
    for job_id, fields in {
        "unsigned": {"data": large},
        "wrong": {"data": large, "x_sig": "0" * 32},
        "elsewhere": {"data": large, "meta": large, "exc_info": large, "result": large},
    }.items():
        redis.hset(f"rq:job:{job_id}", mapping={"status": "queued", **fields})
        redis.rpush("rq:queue:default", job_id)
    environment = {"RQ_TEST_REQUIRE_SIGNATURE": "1", "RQ_TEST_MOST_MEMORY": f"{192 * MEBIBYTE}"}
    output = run_burst(tmp_path, environment=environment)
    assert "MemoryError" not in output
    for job_id in ("unsigned", "wrong", "elsewhere"):
        job = Job.fetch(job_id)
        assert job.is_failed
        assert "SignatureError" in (job.exc_info or ""), job.exc_info


def test_what_was_signed_may_be_large(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.count_words_at, "word " * 3_000_000)
    assert redis.hstrlen(job.key, "data") < MEBIBYTE
    run_burst(tmp_path, environment={"RQ_TEST_REQUIRE_SIGNATURE": "1"})
    assert job.return_value() == 3_000_000


def test_what_is_not_signed_has_a_limit(
    redis: redis_py.Redis, bomb: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.hset("rq:job:unsigned", mapping={"status": "queued", "data": bomb})
    monkeypatch.setattr(codec, "LONGEST", 5000)
    for _ in range(2):
        with pytest.raises(DeserializationError, match="5,000 bytes"):
            _ = Job.fetch("unsigned").args
