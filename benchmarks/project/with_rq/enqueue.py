"""How django-rq's users enqueue."""

from __future__ import annotations

from django_rq import get_queue

from noop import jobs

queue = get_queue("default")


def one() -> None:
    queue.enqueue(jobs.noop)


def one_in_a_view() -> None:
    get_queue("default").enqueue(jobs.noop)


def many(count: int) -> None:
    queue.enqueue_many([queue.prepare_data(jobs.noop) for _ in range(count)])


def timed(sent: int) -> None:
    queue.enqueue(jobs.report_latency, sent)
