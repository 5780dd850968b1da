"""Markdown tables that are also readable on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from ..measure.admin import DataSet, key
from ..preset import Preset
from ..samples import Failure, Metric
from .arithmetic import Samples, Spread
from .targets import TargetResult

#: The name of the measurement in a failure when a contestant's environment cannot be made.
ENVIRONMENT = "environment"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of rows of cells. The first row has the headings."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def results(
    metrics: Sequence[Metric],
    samples: Samples,
    failures: Sequence[Failure],
    titles: dict[str, str],
) -> str:
    """Medians and ranges, with a row for each metric and a column for each contestant."""
    failed = {(failure.measurement, failure.contestant) for failure in failures}
    rows = [["", *titles.values()]]
    for metric in metrics:
        cells = []
        for name in titles:
            spread = samples.spread(metric.key, name)
            broken = any(
                what == ENVIRONMENT or metric.key.startswith(f"{what}.")
                for what, who in failed
                if who == name
            )
            cells.append(cell(spread, metric.digits) if spread else "failed" if broken else "–")
        if set(cells) != {"–"}:
            rows.append([f"{metric.title}, {metric.unit}", *cells])
    return table(rows)


def ratios(metrics: Sequence[Metric], samples: Samples, one: str, others: dict[str, str]) -> str:
    """One contestant's values divided by those of each other contestant in the same round."""
    rows = [["", *others.values()]]
    for metric in metrics:
        seen = [samples.ratio(metric.key, one, other) for other in others]
        if any(seen):
            rows.append([metric.title, *(cell(each, 2) if each else "–" for each in seen)])
    return table(rows)


def growth(names: Sequence[str], samples: Samples, contestant: str, preset: Preset) -> str:
    """The cost of single operations with few jobs and with many."""
    rows = [
        [
            "µs (round trips)",
            f"{preset.few:,} queued, {preset.few:,} failed",
            f"{preset.many_pending:,} queued, {preset.many_failed:,} failed",
            "growth ×",
        ]
    ]
    for name in names:
        few, many = (f"growth.{name}.{size}" for size in ("few", "many"))
        cells = [
            f"{cell(cost, 0)}; {requests.median:g}" if requests else cell(cost, 0)
            for metric in (few, many)
            if (cost := samples.spread(metric, contestant))
            for requests in [samples.spread(f"{metric}.requests", contestant)]
        ]
        ratio = samples.ratio_of((many, contestant), (few, contestant))
        if len(cells) == 2 and ratio:
            rows.append([name, *cells, cell(ratio, 2)])
    return table(rows)


def admin(
    pages: Sequence[str], data_sets: Sequence[DataSet], samples: Samples, contestant: str
) -> str:
    """The time of each page on each server, and the ratios of the last server to the others."""
    *others, last = data_sets
    rows = [
        [
            "ms (worst); round trips",
            *(data_set.title for data_set in data_sets),
            *(f"÷ {data_set.title}" for data_set in others),
        ]
    ]
    for page in pages:
        cells = []
        for name in (key(page, data_set.name) for data_set in data_sets):
            taken, worst, requests = (
                samples.spread(each, contestant)
                for each in (name, f"{name}.worst", f"{name}.requests")
            )
            if taken and worst and requests:
                # The maximum of all rounds shows a page that sometimes needs one more.
                times = f"{_number(taken.median, 1)} ({_number(worst.high, 0)})"
                cells.append(f"{times}; {requests.high:g}")
        ratios = [
            samples.ratio_of((key(page, last.name), contestant), (name, contestant))
            for name in (key(page, data_set.name) for data_set in others)
        ]
        if len(cells) == len(data_sets):
            rows.append([page, *cells, *(cell(each, 2) if each else "–" for each in ratios)])
    return table(rows)


def cell(spread: Spread, digits: int) -> str:
    """The median, with the lowest and the highest round."""
    median = _number(spread.median, digits)
    if spread.count == 1:
        return median
    return f"{median} ({_number(spread.low, digits)}–{_number(spread.high, digits)})"


def target_results(found: Sequence[TargetResult]) -> str:
    """The targets, the measured values, and whether they are met."""
    rows = [["target", "limit", "measured (rounds)", "met"]]
    for result in found:
        target = result.target
        seen = "nothing" if result.seen is None else cell(result.seen, 2)
        met = {None: "?", True: "yes", False: "NO"}[result.met]
        sign = "≥" if target.at_least else "≤"
        rows.append([result.text, f"{sign} {target.limit:.3g} {target.unit}", seen, met])
    return table(rows)


def _number(value: float, digits: int) -> str:
    if digits == 0 and 0 < abs(value) < 10:
        digits = 1
    return f"{value:,.{digits}f}"
