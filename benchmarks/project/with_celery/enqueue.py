"""How Celery's users enqueue. Celery has no bulk call."""

from __future__ import annotations

from .tasks import noop, report_latency


def one() -> None:
    noop.delay()


one_in_a_view = one


def many(count: int) -> None:
    for _ in range(count):
        noop.delay()


def timed(sent: int) -> None:
    report_latency.delay(sent)
