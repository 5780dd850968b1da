"""Classes of a project's own that override what RQ calls while it enqueues: called here, too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from django_rqlite import Job, Queue, Retry, get_connection, get_queue
from django_rqlite.decorators import job as job_decorator
from tests import sample_jobs

pytestmark = pytest.mark.usefixtures("redis")

told: list[Any] = []


@pytest.fixture(autouse=True)
def forget() -> None:
    told.clear()


class OwnJob(Job):
    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> OwnJob:
        kwargs["meta"] = {**(kwargs.get("meta") or {}), "tenant": 7}
        told.append(("create", sorted(name for name, value in kwargs.items() if value is not None)))
        return super().create(*args, **kwargs)


class HeirOfOwnJob(OwnJob):
    pass


class OtherJob(Job):
    pass


class OwnQueue(Queue):
    """As one overrides RQ's, with the arguments that it has."""

    def enqueue_call(self, func: Any, args: Any = None, kwargs: Any = None, **options: Any) -> Job:
        told.append(("enqueue_call", options.get("timeout"), options.get("job_id")))
        return super().enqueue_call(func, args, kwargs, **options)

    def create_job(self, func: Any, args: Any = None, kwargs: Any = None, **options: Any) -> Job:
        told.append(("create_job", options.get("description")))
        return super().create_job(func, args, kwargs, **{**options, "description": "mine"})

    def enqueue_job(self, job: Job, pipeline: Any = None, at_front: bool = False) -> Job:  # type: ignore[override]
        told.append(("enqueue_job", job.id, at_front))
        return super().enqueue_job(job, pipeline=pipeline, at_front=at_front)


def enqueue_by(how: str, queue: Queue, **options: Any) -> Job:
    if how == "enqueue_in":
        return queue.enqueue_in(timedelta(hours=1), sample_jobs.add, 1, b=2, **options)
    if how == "enqueue_many":
        data = Queue.prepare_data(sample_jobs.add, (1,), {"b": 2}, **options)
        return queue.enqueue_many([data])[0]
    if how == "enqueue_call":
        return queue.enqueue_call(sample_jobs.add, (1,), {"b": 2}, **options)
    if how == "enqueue_job":
        return queue.enqueue_job(queue.create_job(sample_jobs.add, (1,), {"b": 2}, **options))
    return queue.enqueue(sample_jobs.add, 1, b=2, **options)


EVERY_WAY = ("enqueue", "enqueue_call", "enqueue_in", "enqueue_many", "enqueue_job")


@pytest.mark.parametrize("job_class", [OwnJob, HeirOfOwnJob])
@pytest.mark.parametrize("how", EVERY_WAY)
def test_create_of_a_job_class(how: str, job_class: type[Job]) -> None:
    queue = get_queue(job_class=job_class)
    job = enqueue_by(how, queue, job_id="mine", meta={"a": 1}, retry=Retry(2), unique=True)
    assert type(job) is job_class
    assert [name for name, _ in told] == ["create"]
    found = Job.fetch("mine")
    assert (found.args, found.kwargs, found.origin) == ((1,), {"b": 2}, "default")
    assert (found.meta, found.retries_left) == ({"a": 1, "tenant": 7}, 2)


def test_a_job_class_without_a_create_of_its_own() -> None:
    assert type(get_queue(job_class=OtherJob).enqueue(sample_jobs.add, 1)) is OtherJob
    assert not OtherJob.overrides_create
    assert HeirOfOwnJob.overrides_create


@pytest.mark.parametrize(
    ("how", "steps"),
    [
        ("enqueue", ["create_job", "enqueue_job"]),
        ("enqueue_call", ["enqueue_call", "create_job", "enqueue_job"]),
        ("enqueue_in", ["create_job"]),
        ("enqueue_many", ["create_job"]),
        ("enqueue_job", ["create_job", "enqueue_job"]),
    ],
)
def test_steps_of_a_queue_class(how: str, steps: list[str]) -> None:
    queue = get_queue(queue_class=OwnQueue)
    given = {"timeout": 9, "description": "given", "job_id": "mine"}
    if how in ("enqueue", "enqueue_in"):
        given["job_timeout"] = given.pop("timeout")
    if how == "enqueue_job":
        given = {"timeout": 9, "description": "given", "job_id": "mine"}
    job = enqueue_by(how, queue, **given)
    assert [step for step, *_ in told] == steps
    found = Job.fetch(job.id)
    assert (found.timeout, found.description, found.id) == (9, "mine", "mine")
    if how == "enqueue":
        assert told == [("create_job", "given"), ("enqueue_job", "mine", False)]


def test_at_front_gets_through_all_steps() -> None:
    queue = get_queue(queue_class=OwnQueue)
    first = queue.enqueue(sample_jobs.add, 1)
    second = queue.enqueue(sample_jobs.add, 2, at_front=True)
    assert told[-1] == ("enqueue_job", second.id, True)
    assert queue.job_ids == [second.id, first.id]


@pytest.mark.django_db(transaction=True)
def test_what_is_overridden_waits_for_the_commit_all_the_same() -> None:
    queue = get_queue(queue_class=OwnQueue)
    with transaction.atomic():
        job = queue.enqueue(sample_jobs.add, 1)
        assert queue.count == 0
    assert queue.job_ids == [job.id]


class QueueOfDjangoRQ(Queue):
    def enqueue_call(self, *args: Any, **kwargs: Any) -> Job:
        told.append("enqueue_call")
        return self.original_enqueue_call(*args, **kwargs)


def test_original_enqueue_call() -> None:
    queue = get_queue(queue_class=QueueOfDjangoRQ)
    job = queue.enqueue_call(sample_jobs.add, (1,), timeout=7)
    assert told == ["enqueue_call"]
    assert Job.fetch(job.id).timeout == 7


# RQ's decorator


def double(number: int) -> int:
    return number * 2


def test_the_decorator_by_its_arguments_names_in_rq() -> None:
    decorated = job_decorator(queue="high", connection=get_connection(), timeout=10.5)(double)
    job = decorated.delay(2)
    assert (job.origin, Job.fetch(job.id).timeout) == ("high", 11)
    # With a connection of its own, the queue need not be in the settings.
    job = job_decorator("unheard of", get_connection(), queue_class=OwnQueue)(double).delay(2)
    assert Queue("unheard of", get_connection()).job_ids == [job.id]
    assert [step for step, *_ in told] == ["enqueue_call", "create_job", "enqueue_job"]
    job = job_decorator(queue=get_queue("low"), failure_ttl=0)(double).enqueue(1)
    assert (job.origin, Job.fetch(job.id).failure_ttl) == ("low", 0)
