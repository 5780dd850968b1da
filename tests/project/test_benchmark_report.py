"""The arithmetic behind the benchmark's tables. Nothing is measured here."""

from __future__ import annotations

import pytest

from benchmarks.measure import admin
from benchmarks.preset import FULL, QUICK
from benchmarks.report import tables
from benchmarks.report.arithmetic import Samples, Spread, percentile
from benchmarks.report.targets import BEST_PEER, TARGETS, Target, evaluate
from benchmarks.samples import Failure, Metric, Sample


def samples(**rounds: list[float]) -> Samples:
    """Of one metric, ``rate``, by contestant."""
    return Samples(
        Sample("rate", contestant, number, value)
        for contestant, values in rounds.items()
        for number, value in enumerate(values)
    )


def test_ratio_is_taken_within_each_round() -> None:
    # The second round met a busy machine. The ratio of the medians would be 2.
    found = samples(ours=[400, 100, 300], rq=[100, 50, 150]).ratio("rate", "ours", "rq")
    assert found == Spread(median=2, low=2, high=4, count=3)


def test_only_rounds_in_which_both_were_measured_count() -> None:
    found = samples(ours=[10, 20, 30], celery=[5]).ratio("rate", "ours", "celery")
    assert found == Spread(2, 2, 2, 1)


@pytest.mark.parametrize("other", [[], [0.0]], ids=["nothing", "zero"])
def test_no_ratio_to_what_is_not_there(other: list[float]) -> None:
    assert samples(ours=[10], rq=other).ratio("rate", "ours", "rq") is None


@pytest.mark.parametrize(
    ("share", "expected"), [(0, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1, 100)]
)
def test_percentile_is_a_value_that_was_seen(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 1.5)])
def test_percentile_of_nonsense(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, share)


@pytest.mark.parametrize(
    ("limit", "at_least", "met"),
    [(2, True, True), (2.1, True, False), (2, False, True), (1.9, False, False)],
)
def test_median_of_ratios_decides(limit: float, at_least: bool, met: bool) -> None:
    target = Target("against RQ", "rate", "rq", limit, at_least=at_least)
    (result,) = evaluate(samples(ours=[1, 20, 300], rq=[1, 10, 100]), [target])
    assert result.met is met


@pytest.mark.parametrize(("at_least", "peer"), [(True, "huey"), (False, "celery")])
def test_best_peer_is_the_one_with_the_best_median(at_least: bool, peer: str) -> None:
    found = samples(bare=[999], ours=[10, 10], rq=[7, 7], celery=[1, 99, 1], huey=[8, 8])
    (result,) = evaluate(found, [Target("rate", "rate", BEST_PEER, 1, at_least=at_least)])
    assert result.text == f"rate ({peer})"


def test_number_itself_can_be_the_target() -> None:
    (result,) = evaluate(samples(ours=[0.4]), [Target("idle", "rate", None, 0.5, at_least=False)])
    assert (result.seen, result.met) == (Spread(0.4, 0.4, 0.4, 1), True)


def test_nothing_measured_is_neither_met_nor_missed() -> None:
    target_results = evaluate(Samples([]), TARGETS)
    assert {(result.seen, result.met) for result in target_results} == {(None, None)}
    assert tables.target_results(target_results).count("| ?") == len(TARGETS)


def test_growth_compares_two_metrics_of_one_contestant() -> None:
    found = Samples(
        Sample(f"growth.claim.{size}", "ours", number, value)
        for size, values in {"few": [10, 20], "many": [11, 30]}.items()
        for number, value in enumerate(values)
    )
    (target,) = (target for target in TARGETS if target.metric == "growth.claim.many")
    (result,) = evaluate(found, [target])
    assert result.seen is not None
    assert result.seen.median == pytest.approx((1.1 + 1.5) / 2)
    assert "| claim            | 15 (10–20)" in tables.growth(["claim"], found, "ours", QUICK)


def test_table_tells_what_failed_from_what_was_not_tried() -> None:
    text = tables.results(
        [Metric("fork-1.rate", "a fork for each job", "jobs/s"), Metric("other", "not asked", "")],
        Samples([Sample("fork-1.rate", "ours", 0, 1234.5), Sample("fork-1.rate", "ours", 1, 1000)]),
        [Failure("fork-1", "huey", "it crashed")],
        {"ours": "ours", "huey": "huey", "dramatiq": "dramatiq"},
    )
    (line,) = text.splitlines()[2:]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == ["a fork for each job, jobs/s", "1,117 (1,000–1,234)", "failed", "–"]


def opened(
    page: str, data_set: str, ms: list[float], worst: float, requests: list[int]
) -> list[Sample]:
    """What was seen of a page of the admin, round by round."""
    name = admin.key(page, data_set)
    return [
        *(Sample(name, "ours", number, value) for number, value in enumerate(ms)),
        *(Sample(f"{name}.worst", "ours", number, worst - number) for number in range(len(ms))),
        *(Sample(f"{name}.requests", "ours", number, n) for number, n in enumerate(requests)),
    ]


def test_a_page_is_compared_with_itself_on_smaller_servers() -> None:
    found = Samples(
        [
            *opened("workers", "few", [2, 4, 3], 9, [2, 2, 2]),
            *opened("workers", "full", [4, 10, 6], 20, [2, 2, 2]),
            *opened("workers", "many", [4, 20, 6], 1234.5, [2, 3, 2]),
        ]
    )
    text = tables.admin(["workers", "not opened"], admin.data_sets(FULL), found, "ours")
    headings, _line, row = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
    )
    assert headings[1:] == [
        *("100 jobs", "14,000 jobs", "1,200,000 jobs"),
        *("÷ 100 jobs", "÷ 14,000 jobs"),
    ]
    # The median of the rounds, the worst request of all, and the most round trips of any round.
    assert row[:4] == ["workers", "3.0 (9.0); 2", "6.0 (20); 2", "6.0 (1,234); 3"]
    # Within each round: 2, 5, 2, and 1, 2, 1.
    assert row[4:] == ["2.00 (2.00–5.00)", "1.00 (1.00–2.00)"]


@pytest.mark.parametrize(("growth", "round_trips", "met"), [(1.9, 5, True), (2.1, 6, False)])
def test_no_page_may_grow_with_the_number_of_jobs(
    growth: float, round_trips: float, met: bool
) -> None:
    found = Samples(
        [
            Sample(admin.MOST_GROWTH, "ours", 0, growth),
            Sample(admin.MOST_ROUND_TRIPS, "ours", 0, round_trips),
        ]
    )
    targets = [target for target in TARGETS if target.metric.startswith("admin.")]
    assert [result.met for result in evaluate(found, targets)] == [met, met]
