"""How dramatiq's users enqueue. dramatiq has no bulk call."""

from __future__ import annotations

from .tasks import noop, report_latency


def one() -> None:
    noop.send()


one_in_a_view = one


def many(count: int) -> None:
    for _ in range(count):
        noop.send()


def timed(sent: int) -> None:
    report_latency.send(sent)
