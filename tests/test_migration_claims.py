"""What docs/migrate-from-django-rq.md says of differences, where no other test shows it."""

from __future__ import annotations

from typing import Any

import pytest

from django_rqlite import Job, Queue, get_queue
from django_rqlite.exceptions import ConfigurationError, InvalidJobError
from tests import sample_jobs

pytestmark = pytest.mark.usefixtures("redis")

told: list[str] = []


def tells_state(job: Job, *_: object) -> None:
    told.append(f"{job.get_status()}, stored as {Job.fetch(job.id).get_status()}")


def says_no_more(*_: object) -> int:
    told.append("no more")
    return 0


def is_not_asked(*_: object) -> None:
    told.append("never")


def test_handlers_are_asked_in_order_before_the_failure_is_stored(settings: Any) -> None:
    told.clear()
    settings.RQ_EXCEPTION_HANDLERS = [
        f"{__name__}.{handler.__name__}" for handler in (tells_state, says_no_more, is_not_asked)
    ]
    job = get_queue(is_async=False).enqueue(sample_jobs.divide, 1, 0)
    assert told == ["failed, stored as started", "no more"]
    assert job.is_failed


class QueueThatCounts(Queue):
    calls = 0

    def enqueue_call(self, *args: Any, **kwargs: Any) -> Job:
        self.calls += 1
        return super().enqueue_call(*args, **kwargs)


def test_enqueue_does_not_go_through_enqueue_call() -> None:
    queue = get_queue(queue_class=QueueThatCounts)
    assert isinstance(queue, QueueThatCounts)
    queue.enqueue(sample_jobs.add, 1)
    assert queue.calls == 0


@pytest.mark.parametrize(
    ("setting", "name"),
    [("QUEUE_CLASS", "django_rq.queues.DjangoRQ"), ("JOB_CLASS", "rq.job.Job")],
)
def test_classes_of_rq_can_not_be_used(settings: Any, setting: str, name: str) -> None:
    settings.RQ = {setting: name}
    with pytest.raises(ConfigurationError, match=f"{setting}.*does not inherit from django_rqlite"):
        get_queue()


@pytest.mark.parametrize("option", ["pipeline", "webhooks"])
def test_options_that_are_refused(option: str) -> None:
    with pytest.raises(InvalidJobError, match=f"'{option}'"):
        get_queue().enqueue(sample_jobs.add, 1, **{option: object()})
