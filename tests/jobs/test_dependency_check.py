"""What a job is to wait for must be there, or come before it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import redis as redis_py
from django.core.signals import request_finished, request_started
from django.db import transaction

from django_rqlite import Dependency, Job, Queue, enqueue, get_queue
from django_rqlite.exceptions import DuplicateJobError, InvalidJobDependency
from tests.conftest import Server
from tests.keyspace import dumped
from tests.sample_jobs import add

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "other"]),
    pytest.mark.usefixtures("redis"),
]

NOT_THERE = r"depends_on: job [\w-]+ is not in Redis: "


class Rollback(Exception):
    """Ends a block without a commit."""


@contextmanager
def rolled_back(using: str = "default") -> Iterator[None]:
    try:
        with transaction.atomic(using=using):
            yield
            raise Rollback
    except Rollback:
        pass


def states(*jobs: Job) -> list[str]:
    return [str(job.get_status()) for job in jobs]


def enqueue_child(how: str, parent: object, **options: Any) -> Job:
    queue = get_queue(**options)
    if how == "enqueue_in":
        return queue.enqueue_in(timedelta(hours=1), add, 2, depends_on=parent)
    if how == "enqueue_many":
        return queue.enqueue_many([Queue.prepare_data(add, (2,), depends_on=parent)])[0]
    return queue.enqueue(add, 2, depends_on=parent)


WAYS = pytest.mark.parametrize("how", ["enqueue", "enqueue_in", "enqueue_many"])


@WAYS
def test_parent_and_child_in_one_transaction(how: str) -> None:
    with transaction.atomic():
        parent = enqueue(add, 1)
        child = enqueue_child(how, parent)
    assert states(parent, child) == ["queued", "deferred"]


@WAYS
def test_many_parents_in_one_transaction(how: str) -> None:
    with transaction.atomic():
        parents = get_queue().enqueue_many([Queue.prepare_data(add, (n,)) for n in range(3)])
        with transaction.atomic():
            child = enqueue_child(how, Dependency(parents))
    assert states(*parents, child) == ["queued", "queued", "queued", "deferred"]


@WAYS
def test_a_child_that_would_come_before_its_parent_is_refused(
    redis: redis_py.Redis, how: str
) -> None:
    with transaction.atomic():
        parent = enqueue(add, 1)
        with pytest.raises(InvalidJobDependency, match=f"{NOT_THERE}the transaction.*same tran"):
            enqueue_child(how, parent, commit_mode="auto")
    assert states(parent) == ["queued"]
    assert get_queue().deferred_job_registry.count == 0
    child = enqueue_child(how, parent, commit_mode="auto")
    assert states(child) == ["deferred"]


@pytest.mark.parametrize("first", ["default", "other"])
def test_transactions_of_two_databases(first: str) -> None:
    second = "other" if first == "default" else "default"
    with transaction.atomic(using=first):
        parent = enqueue(add, 1)
        with transaction.atomic(using=second):
            child = enqueue(add, 2, depends_on=parent)  # with the last commit, as its parent
            late = enqueue(add, 3)
        assert states(parent, child) == ["created", "created"]
        enqueue(add, 4, depends_on=late)  # of late, only this transaction is left
    assert states(parent, child) == ["queued", "deferred"]
    with transaction.atomic(using=first), transaction.atomic(using=second):
        parent = enqueue(add, 1)
    assert states(enqueue(add, 2, depends_on=parent)) == ["deferred"]


def test_a_parent_that_was_rolled_back() -> None:
    with transaction.atomic():
        with rolled_back():
            parent = enqueue(add, 1)
        with pytest.raises(InvalidJobDependency, match="or was rolled back"):
            enqueue(add, 2, depends_on=parent)
    with transaction.atomic(), rolled_back("other"):
        parent = enqueue(add, 1)
        child = enqueue(add, 2, depends_on=parent)
    with pytest.raises(InvalidJobDependency, match="or was rolled back"):
        enqueue(add, 2, depends_on=parent)
    assert states(parent, child) == ["created", "created"]


@WAYS
def test_a_parent_that_is_rolled_back_later(how: str, caplog: pytest.LogCaptureFixture) -> None:
    request_started.send(sender=None)
    queue = get_queue(commit_mode="request_finished")
    with rolled_back():
        parent = enqueue(add, 1)
        child = enqueue_child(how, parent, commit_mode="request_finished")
        other = queue.enqueue(add, 3)
    with caplog.at_level(logging.WARNING, "django_rqlite.commit"):
        request_finished.send(sender=None)
    assert f"job {parent.id} is not in Redis" in caplog.text
    assert states(child, other) == ["created", "queued"]


def test_only_the_orphans_of_a_batch_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    request_started.send(sender=None)
    queue = get_queue(commit_mode="request_finished")
    with rolled_back():
        parent = enqueue(add, 1)
        calls = [{"depends_on": parent}, {}]
        orphan, other = queue.enqueue_many(
            [Queue.prepare_data(add, (2,), **options) for options in calls]
        )
    with caplog.at_level(logging.WARNING, "django_rqlite.commit"):
        request_finished.send(sender=None)
    assert f"job {parent.id} is not in Redis" in caplog.text
    assert states(orphan, other) == ["created", "queued"]


def test_outside_of_a_request_there_is_no_end_of_it_to_wait_for() -> None:
    queue = get_queue(commit_mode="request_finished")
    parent = queue.enqueue(add, 1)
    assert states(queue.enqueue(add, 2, depends_on=parent)) == ["deferred"]
    with transaction.atomic(using="other"):
        with transaction.atomic():
            parent = queue.enqueue(add, 1)
            child = queue.enqueue(add, 2, depends_on=parent)
        with rolled_back():
            gone = queue.enqueue(add, 1)
        with pytest.raises(InvalidJobDependency):
            queue.enqueue(add, 3, depends_on=gone)
    assert states(parent, child) == ["queued", "deferred"]


def test_at_the_end_of_a_request() -> None:
    request_started.send(sender=None)
    queue = get_queue(commit_mode="request_finished")
    parent = queue.enqueue(add, 1)
    child = queue.enqueue(add, 2, depends_on=parent)
    with pytest.raises(InvalidJobDependency, match="the request that enqueues it has not ended"):
        enqueue(add, 3, depends_on=parent)
    with (
        transaction.atomic(),
        pytest.raises(InvalidJobDependency, match="the request that enqueues it has not ended"),
    ):
        enqueue(add, 3, depends_on=parent)
    with transaction.atomic():
        early = enqueue(add, 4)
        later = queue.enqueue(add, 5, depends_on=early)
    request_finished.send(sender=None)
    assert states(parent, child, early, later) == ["queued", "deferred", "queued", "deferred"]


def test_a_parent_that_was_made_but_not_enqueued(redis: redis_py.Redis) -> None:
    queue = get_queue()
    parent = queue.create_job(add, (1,))
    with pytest.raises(InvalidJobDependency, match=f"{NOT_THERE}it was made, but not enqueued"):
        queue.enqueue(add, 2, depends_on=[parent])
    assert dumped(redis) == {}
    # Made in one order, and enqueued in the right one.
    child = queue.create_job(add, (2,), depends_on=parent)
    with pytest.raises(InvalidJobDependency):
        queue.enqueue_job(child)
    queue.enqueue_job(parent)
    queue.enqueue_job(child)
    assert states(parent, child) == ["queued", "deferred"]


def test_a_copy_that_was_not_enqueued() -> None:
    copy = Job.fetch(enqueue(add, 1).id).copied()
    with pytest.raises(InvalidJobDependency, match=f"{NOT_THERE}it was made, but not enqueued"):
        enqueue(add, 2, depends_on=copy)
    get_queue().enqueue_job(copy)
    assert states(enqueue(add, 2, depends_on=copy)) == ["deferred"]


def test_a_parent_on_another_connection(redis: redis_py.Redis, settings: Any) -> None:
    url = settings.RQ_QUEUES["default"]["URL"]
    settings.RQ_QUEUES = {
        "default": {"URL": url},
        "apart": {"URL": url, "KEY_PREFIX": "apart:"},
        "same": {"URL": url, "SOCKET_TIMEOUT": 9},
    }
    parent = get_queue("apart").enqueue(add, 1)
    with pytest.raises(InvalidJobDependency, match=rf"job {parent.id} is on .*'apart:'.*'rq:'"):
        enqueue(add, 2, depends_on=parent)
    assert redis.keys("rq:*") == []
    # Another client of the same keys is no other connection.
    parent = get_queue("same").enqueue(add, 1)
    assert states(enqueue(add, 2, depends_on=parent)) == ["deferred"]


def test_a_parent_on_another_server(redis: redis_py.Redis) -> None:
    other = Server.start()
    try:
        queue = Queue("default", connection=other.client())
        parent = queue.enqueue(add, 1)
        with pytest.raises(InvalidJobDependency, match="can only wait for jobs of its own conn"):
            enqueue(add, 2, depends_on=Dependency([parent]))
        with pytest.raises(InvalidJobDependency, match="can only wait for jobs of its own conn"):
            queue.enqueue(add, 2, depends_on=enqueue(add, 1))
    finally:
        other.stop()


def test_what_may_be_waited_for_as_ever() -> None:
    parent = enqueue(add, 1, job_id="the-one", unique=True)
    again = get_queue().create_job(add, (1,), job_id="the-one")
    with pytest.raises(DuplicateJobError):
        get_queue().enqueue_job(again, unique=True)
    known = [parent, parent.id, Job.fetch(parent.id), Job(parent.id), again]
    children = [enqueue(add, 2, depends_on=one) for one in known]
    assert states(*children) == ["deferred"] * len(known)
    # Jobs that are gone count as met, as ever; of ids, nobody knows more.
    parent.delete()
    assert states(*(enqueue(add, 2, depends_on=one) for one in (parent, "gone"))) == ["queued"] * 2
