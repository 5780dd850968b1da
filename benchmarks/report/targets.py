"""The targets of the benchmark, as ratios within one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .arithmetic import Samples, Spread

#: Stands for the other contestant with the best median.
BEST_PEER = "best peer"

_OURS = "ours"
_PEERS = ("rq", "celery", "dramatiq", "huey")


@dataclass(frozen=True, slots=True)
class Target:
    """A value to reach."""

    text: str
    #: The metric of django_rqlite, and the contestant it is divided by (None: by nothing).
    metric: str
    against: str | None
    limit: float
    at_least: bool = True
    #: The metric of that contestant, if it is another one.
    other_metric: str | None = None
    unit: str = "×"


@dataclass(frozen=True, slots=True)
class TargetResult:
    """The result of a target. ``met`` is None if nothing was measured."""

    target: Target
    text: str
    seen: Spread | None
    met: bool | None


TARGETS = (
    Target("fork per job, 1 at a time, against RQ", "fork-1.rate", "rq", 5),
    Target("fork per job, 1 at a time, against the bare loop", "fork-1.rate", "bare", 0.95),
    Target("fork per job, 2 at a time, against two RQ workers", "fork-2.rate", "rq", 5),
    Target("fork per job, 2 at a time, against two bare loops", "fork-2.rate", "bare", 0.9),
    Target("reused processes, 1, against the best peer", "reused-1.rate", BEST_PEER, 2),
    Target("reused processes, 2, against the best peer", "reused-2.rate", BEST_PEER, 1),
    Target("enqueue, one call, against RQ", "enqueue.one", "rq", 3),
    Target("enqueue, get_queue() each time, against RQ", "enqueue.view", "rq", 7),
    Target("enqueue, one call, against the best peer", "enqueue.one", BEST_PEER, 1),
    Target("bulk enqueue against RQ's enqueue_many", "bulk.rate", "rq", 3),
    Target("pick-up latency p50, forked, against RQ", "latency.p50", "rq", 1 / 6, at_least=False),
    Target("pick-up latency p99, forked, against RQ", "latency.p99", "rq", 1 / 6, at_least=False),
    Target("pick-up latency p50, forked, against huey", "latency.p50", "huey", 1, at_least=False),
    Target("pick-up latency p99, forked, against huey", "latency.p99", "huey", 1, at_least=False),
    Target("worker CPU per forked job against RQ", "fork-1.cpu", "rq", 1 / 3, at_least=False),
    Target("Redis memory per finished job against RQ", "memory.finished", "rq", 1 / 4, False),
    Target("Redis memory per queued job against RQ", "memory.queued", "rq", 1, at_least=False),
    *(
        Target(
            f"growth of {name} cost, few to many pending",
            f"growth.{name}.many",
            "ours",
            1.1,
            at_least=False,
            other_metric=f"growth.{name}.few",
        )
        for name in ("claim", "enqueue")
    ),
    Target(
        "end of one of 5,000 parents, against one of 50",
        "growth.end of a parent.many",
        "ours",
        1.5,
        at_least=False,
        other_metric="growth.end of a parent.few",
    ),
    Target("idle worker: round trips", "idle.requests", None, 0.5, at_least=False, unit="/s"),
    Target("admin: growth of the page that grows most", "admin.growth", None, 2, at_least=False),
    Target("admin: round trips of a page", "admin.requests", None, 5, at_least=False, unit=""),
    Target("idle worker: CPU", "idle.cpu", None, 0.1, at_least=False, unit="%"),
)


def evaluate(samples: Samples, targets: Sequence[Target]) -> list[TargetResult]:
    """Compare the samples with the targets. The median of the rounds' ratios decides."""
    return [_evaluated(target, samples) for target in targets]


def _evaluated(target: Target, samples: Samples) -> TargetResult:
    text, against = target.text, target.against
    other_metric = target.other_metric or target.metric
    if against == BEST_PEER:
        against = samples.best(other_metric, _PEERS, highest=target.at_least)
        if against is None:
            return TargetResult(target, text, None, None)
        text += f" ({against})"
    if against is None:
        seen = samples.spread(target.metric, _OURS)
    else:
        seen = samples.ratio_of((target.metric, _OURS), (other_metric, against))
    if seen is None:
        return TargetResult(target, text, None, None)
    met = seen.median >= target.limit if target.at_least else seen.median <= target.limit
    return TargetResult(target, text, seen, met)
