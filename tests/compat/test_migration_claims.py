"""Differences that docs/migrate-from-django-rq.md names and that no other test shows."""

from __future__ import annotations

from io import StringIO
from logging.config import dictConfig
from typing import Any

import pytest
import redis as redis_py
import rq
from django.core.management import CommandError, call_command

from django_rqlite import Job, Queue, SimpleWorker, get_queue
from django_rqlite.exceptions import (
    ConfigurationError,
    InvalidFunctionError,
    InvalidJobError,
    InvalidJobOperation,
)
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


def test_handlers_are_called_in_order_before_the_failure_is_stored(settings: Any) -> None:
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
def test_classes_of_rq_cannot_be_used(settings: Any, setting: str, name: str) -> None:
    settings.RQ = {setting: name}
    with pytest.raises(ConfigurationError, match=f"{setting}.*{name}.*Inherit from django_rqlite"):
        get_queue()


def canceled(queue: Any) -> list[str]:
    """A finished job, and a job whose dependency is canceled."""
    ended, parent = queue.enqueue(sample_jobs.add, 1), queue.enqueue(sample_jobs.add, 2)
    child = queue.enqueue(sample_jobs.add, 3, depends_on=parent)
    kind = rq.SimpleWorker if isinstance(queue, rq.Queue) else SimpleWorker
    kind([queue], connection=queue.connection).work(burst=True, max_jobs=1)
    assert ended.get_status() == "finished"
    try:
        ended.cancel()
    except InvalidJobOperation:
        pass
    parent.cancel()
    return [str(job.get_status()) for job in (ended, child)]


def test_what_cancel_does_with_a_job_that_has_ended_and_with_children(
    redis: redis_py.Redis,
) -> None:
    theirs = canceled(rq.Queue("low", connection=redis))
    assert theirs == ["JobStatus.CANCELED", "JobStatus.DEFERRED"]
    redis.flushdb()
    assert canceled(get_queue()) == ["finished", "canceled"]


def test_functions_inside_functions(redis: redis_py.Redis) -> None:
    def inside() -> None: ...

    rq.Queue("low", connection=redis).enqueue(inside)
    with pytest.raises(InvalidFunctionError, match="is defined inside another function"):
        get_queue().enqueue(inside)


def test_durations_with_a_part_of_a_second(redis: redis_py.Redis) -> None:
    theirs = rq.Queue("low", connection=redis).enqueue(sample_jobs.add, 1, job_timeout=10.5)
    assert theirs.timeout == 10
    assert get_queue().enqueue(sample_jobs.add, 1, job_timeout=10.5).timeout == 11


def logging_of_readme(handler: str, **options: Any) -> dict[str, Any]:
    """The LOGGING of django-rq's README."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"rq_console": {"format": "%(asctime)s %(message)s", "datefmt": "%H:%M:%S"}},
        "handlers": {
            "rq_console": {
                "level": "DEBUG",
                "class": handler,
                "formatter": "rq_console",
                **options,
            }
        },
    }


def test_the_logging_of_django_rq_s_readme() -> None:
    excluding = {"exclude": ["%(asctime)s"]}
    dictConfig(logging_of_readme("rq.logutils.ColorizingStreamHandler", **excluding))
    with pytest.raises(ValueError, match="Unable to configure handler 'rq_console'"):
        dictConfig(logging_of_readme("logging.StreamHandler", **excluding))
    dictConfig(logging_of_readme("logging.StreamHandler"))


def test_suspending_while_one_server_is_down(settings: Any, redis: redis_py.Redis) -> None:
    settings.RQ_QUEUES = {
        "away": {"URL": "redis://localhost:1/0"},
        "default": settings.RQ_QUEUES["default"],
    }
    output = StringIO()
    with pytest.raises(CommandError, match="Nothing was changed for the queue 'away'") as caught:
        call_command("rqsuspend", stdout=output)
    assert caught.value.returncode == 1
    assert "No worker takes a job until rqresume" in output.getvalue()
    assert redis.exists("rq:suspended")


@pytest.mark.parametrize("option", ["pipeline", "webhooks"])
def test_options_that_are_refused(option: str) -> None:
    with pytest.raises(InvalidJobError, match=f"'{option}'"):
        get_queue().enqueue(sample_jobs.add, 1, **{option: object()})
