"""A client that decodes what it reads is refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis as redis_py

from django_rqlite import Job, Queue, enqueue, get_queue
from django_rqlite.exceptions import ConfigurationError
from django_rqlite.jobs.commands import send_shutdown_command
from django_rqlite.jobs.results import Result
from django_rqlite.queues.group import Group
from django_rqlite.queues.registries import FailedJobRegistry
from django_rqlite.queues.suspension import is_suspended, resume, suspend
from tests import sample_jobs
from tests.conftest import Server

Call = Callable[[redis_py.Redis], object]

CALLS: dict[str, Call] = {
    "Queue": lambda client: Queue("default", client).enqueue(sample_jobs.add, 1),
    "Queue in place": lambda client: Queue("default", connection=client, is_async=False).enqueue(
        sample_jobs.add, 1
    ),
    "get_queue": lambda client: get_queue(connection=client).enqueue(sample_jobs.add, 1),
    "Queue.all": lambda client: Queue.all(connection=client),
    "Queue.from_queue_key": lambda client: Queue.from_queue_key("rq:queue:x", client),
    "Job.create": lambda client: Job.create(sample_jobs.add, (1,), connection=client).save(),
    "Job.fetch": lambda client: Job.fetch("x", client),
    "Job.fetch_many": lambda client: Job.fetch_many(["x"], client),
    "Job.exists": lambda client: Job.exists("x", client),
    "Result": lambda client: Result.all(Job("x", client)),
    "registry": lambda client: FailedJobRegistry("default", client),
    "Group": lambda client: Group(client, "g"),
    "Group.all": lambda client: Group.all(client),
    "suspend": lambda client: suspend(client),
    "resume": lambda client: resume(client),
    "is_suspended": lambda client: is_suspended(client),
    "command": lambda client: send_shutdown_command(client, "w"),
}


@pytest.fixture
def decoding(server: Server, redis: redis_py.Redis) -> Iterator[redis_py.Redis]:
    with redis_py.Redis.from_url(server.url, decode_responses=True) as client:
        yield client


@pytest.mark.parametrize("name", CALLS)
def test_it_is_refused(redis: redis_py.Redis, decoding: redis_py.Redis, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"connection= has decode_responses=True"):
        CALLS[name](decoding)
    assert not redis.keys()


def test_a_decoding_pool_in_the_settings_is_refused(
    settings: object, redis: redis_py.Redis, server: Server
) -> None:
    pool = redis_py.ConnectionPool.from_url(server.url, decode_responses=True)
    settings.RQ_QUEUES = {  # type: ignore[attr-defined]
        "default": {"HOST": "localhost", "REDIS_CLIENT_KWARGS": {"connection_pool": pool}}
    }
    with pytest.raises(ConfigurationError, match=r"RQ_QUEUES\['default'\].*decode_responses"):
        enqueue(sample_jobs.add, 1)
    assert not redis.keys()
