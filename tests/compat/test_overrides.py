"""Overrides of methods that RQ calls while it enqueues: they are called here, too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from django_rqlite import Job, Queue, Repeat, Retry, get_connection, get_queue
from django_rqlite.protocol.records import JobStatus
from django_rqlite.queues.decorators import job as job_decorator
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
    """An override with the parameters of RQ's method."""

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


class JobWithArgumentsOfRQ(Job):
    @classmethod
    def create(  # type: ignore[override]
        cls,
        func: Any,
        args: Any = None,
        kwargs: Any = None,
        connection: Any = None,
        result_ttl: Any = None,
        ttl: Any = None,
        status: Any = None,
        description: Any = None,
        depends_on: Any = None,
        timeout: Any = None,
        retry: Any = None,
        id: Any = None,
        origin: str = "",
        meta: Any = None,
        failure_ttl: Any = None,
        serializer: Any = None,
        group_id: Any = None,
        *,
        on_success: Any = None,
        on_failure: Any = None,
        on_stopped: Any = None,
        webhooks: Any = None,
    ) -> Job:
        told.append("create")
        given = {name: value for name, value in locals().items() if name not in ("cls", "func")}
        del given["__class__"]
        return super().create(func, **given)


class QueueWithArgumentsOfRQ(Queue):
    def create_job(  # type: ignore[override]
        self,
        func: Any,
        args: Any = None,
        kwargs: Any = None,
        timeout: Any = None,
        result_ttl: Any = None,
        ttl: Any = None,
        failure_ttl: Any = None,
        description: Any = None,
        depends_on: Any = None,
        job_id: Any = None,
        meta: Any = None,
        status: Any = JobStatus.QUEUED,
        retry: Any = None,
        repeat: Any = None,
        *,
        on_success: Any = None,
        on_failure: Any = None,
        on_stopped: Any = None,
        webhooks: Any = None,
        group_id: Any = None,
    ) -> Job:
        told.append("create_job")
        given = {name: value for name, value in locals().items() if name not in ("self", "func")}
        del given["__class__"]
        return super().create_job(func, **given)


@pytest.mark.parametrize("how", ["enqueue", "enqueue_call", "enqueue_in", "enqueue_many"])
def test_overrides_with_the_parameters_of_rq(how: str) -> None:
    queue = get_queue(queue_class=QueueWithArgumentsOfRQ, job_class=JobWithArgumentsOfRQ)
    parent = get_queue("low").enqueue(sample_jobs.add, 1)
    options = {"job_id": "mine", "unique": True, "at_front": True, "depends_on": parent}
    job = enqueue_by(how, queue, repeat=Repeat(2, interval=5), **options)
    assert told == ["create_job", "create"]
    found = Job.fetch(job.id)
    assert (found.id, found.dependency_ids) == ("mine", [parent.id])
    assert (found.repeats_left, found.repeats_max, found.repeat_intervals) == (2, 2, [5])
    stored = get_connection().hget(found.key, "enqueue_at_front")
    assert stored == b"1", "read when its parent has ended"


@pytest.mark.django_db(transaction=True)
def test_overrides_wait_for_the_commit() -> None:
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
