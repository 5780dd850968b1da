"""When a job becomes visible: with its transaction, after its request, or at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import redis as redis_py
from django.core.signals import got_request_exception
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from django_rqlite import Job, enqueue, get_queue
from django_rqlite.exceptions import (
    ConfigurationError,
    InvalidFunctionError,
    RedisUnavailableError,
)
from tests.sample_jobs import add, decorated, divide

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("redis"),
]
ALIASES = ["default", "other"]


class Rollback(Exception):
    """Ends a block without a commit."""


@contextmanager
def rolled_back(using: str = "default") -> Iterator[None]:
    """A block that an exception ends."""
    try:
        with transaction.atomic(using=using):
            yield
            raise Rollback
    except Rollback:
        pass


def waiting() -> list[str]:
    return get_queue().job_ids


ENQUEUEING: dict[str, Callable[[], Job]] = {
    "enqueue": lambda: enqueue(add, 1),
    "enqueue_call": lambda: get_queue().enqueue_call(add, (1,)),
    "enqueue_job": lambda: get_queue().enqueue_job(get_queue().create_job(add, (1,))),
    "delay": lambda: decorated.delay(1),
}


def test_without_a_transaction_at_once() -> None:
    job = enqueue(add)
    assert waiting() == [job.id]


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("call", ENQUEUEING)
def test_with_the_commit(redis: redis_py.Redis, call: str, alias: str) -> None:
    with transaction.atomic(using=alias):
        job = ENQUEUEING[call]()
        assert job.id
        assert job.get_status() == "created"
        assert not job.is_queued
        assert redis.keys() == []
    assert waiting() == [job.id]
    assert job.get_status(refresh=False) == "queued"
    assert job.enqueued_at is not None


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("call", ENQUEUEING)
def test_not_with_a_rollback(redis: redis_py.Redis, call: str, alias: str) -> None:
    with rolled_back(alias):
        ENQUEUEING[call]()
    assert redis.keys() == []
    enqueue(add)
    assert len(waiting()) == 1


def test_with_the_outermost_commit() -> None:
    with transaction.atomic():
        with transaction.atomic():
            job = enqueue(add)
        assert waiting() == []
    assert waiting() == [job.id]


def test_a_savepoint_rolled_back() -> None:
    with transaction.atomic():
        before = enqueue(add)
        with rolled_back():
            enqueue(add)
            with transaction.atomic():
                enqueue(add)
        after = enqueue(add)
    assert waiting() == [before.id, after.id]


def test_the_outer_block_rolled_back() -> None:
    with rolled_back(), transaction.atomic():
        enqueue(add)
    assert waiting() == []


@pytest.mark.parametrize(("outer", "inner"), [ALIASES, ALIASES[::-1]])
def test_with_the_last_commit_of_several(outer: str, inner: str) -> None:
    with transaction.atomic(using=outer):
        with transaction.atomic(using=inner):
            job = enqueue(add)
        assert waiting() == []
    assert waiting() == [job.id]


@pytest.mark.parametrize("first", ALIASES)
def test_several_may_commit_in_any_order(first: str) -> None:
    """Blocks that do not enclose one another, as two requests' middleware may open them."""
    (second,) = set(ALIASES) - {first}
    blocks = {alias: ExitStack() for alias in ALIASES}
    for alias in ALIASES:
        blocks[alias].enter_context(transaction.atomic(using=alias))
    job = enqueue(add)
    blocks[first].close()
    assert waiting() == []
    blocks[second].close()
    assert waiting() == [job.id]


@pytest.mark.parametrize("rolled_back", ALIASES)
@pytest.mark.parametrize(("outer", "inner"), [ALIASES, ALIASES[::-1]])
def test_one_of_several_rolled_back(outer: str, inner: str, rolled_back: str) -> None:
    with transaction.atomic(using=outer):
        with transaction.atomic(using=inner):
            enqueue(add)
            transaction.set_rollback(rolled_back == inner, using=inner)
        transaction.set_rollback(rolled_back == outer, using=outer)
    assert waiting() == []


def test_a_transaction_opened_later_is_none_of_its_business() -> None:
    with transaction.atomic():
        job = enqueue(add)
        with rolled_back("other"):
            pass
    assert waiting() == [job.id]


def test_what_is_wrong_is_said_before_the_commit() -> None:
    with transaction.atomic(), pytest.raises(InvalidFunctionError):
        enqueue(lambda: 1)
    assert waiting() == []


def test_a_server_that_is_gone_at_the_commit_is_said_there(settings: Any) -> None:
    settings.RQ_QUEUES = {"default": {"URL": "redis://localhost:1"}}
    with pytest.raises(RedisUnavailableError), transaction.atomic():
        enqueue(add)


def test_a_queue_that_runs_in_place_waits_too(redis: redis_py.Redis) -> None:
    queue = get_queue(is_async=False)
    with transaction.atomic():
        job = queue.enqueue(divide, 6, 2)
        assert redis.keys() == []
    assert job.return_value() == 3


# COMMIT_MODE


def test_at_once_if_so_configured(settings: Any) -> None:
    settings.RQ = {"COMMIT_MODE": "auto"}
    with rolled_back():
        job = enqueue(add)
    assert waiting() == [job.id]


def test_one_queue_may_differ() -> None:
    with transaction.atomic():
        job = get_queue(commit_mode="auto").enqueue(add)
        assert waiting() == [job.id]


def test_autocommit_is_the_older_word_for_it() -> None:
    with pytest.warns(DeprecationWarning, match="commit_mode"):
        queue = get_queue(autocommit=True)
    with transaction.atomic():
        job = queue.enqueue(add)
        assert waiting() == [job.id]
    with pytest.warns(DeprecationWarning, match="commit_mode"):
        queue = get_queue(autocommit=False)
    assert queue.commit_mode == "request_finished"


def test_an_unknown_mode() -> None:
    with pytest.raises(ConfigurationError, match=r"'soon'.*on_db_commit"):
        get_queue(commit_mode="soon")


def view(request: HttpRequest) -> HttpResponse:
    enqueue(add)
    enqueue(add)
    if "fail" in request.GET:
        raise Rollback
    return HttpResponse(" ".join(waiting()) or "nothing is visible")


urlpatterns = [path("", view)]


@pytest.fixture
def per_request(settings: Any) -> Iterator[None]:
    settings.RQ = {"COMMIT_MODE": "request_finished"}
    settings.ROOT_URLCONF = __name__
    yield
    got_request_exception.send(sender=None)


@pytest.mark.usefixtures("per_request")
def test_after_the_response() -> None:
    assert Client().get("/").content == b"nothing is visible"
    assert len(waiting()) == 2
    Client().get("/")
    assert len(waiting()) == 4


@pytest.mark.usefixtures("per_request")
def test_not_after_an_error() -> None:
    with pytest.raises(Rollback):
        Client().get("/?fail=1")
    Client(raise_request_exception=False).get("/?fail=1")
    assert waiting() == []
    Client().get("/")
    assert len(waiting()) == 2
