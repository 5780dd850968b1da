"""Tables for a terminal, which are Markdown too."""

from __future__ import annotations

from collections.abc import Sequence

from ..effort import Effort
from ..measure.admin import World, key
from ..samples import Failure, Metric
from .arithmetic import Samples, Spread
from .targets import Verdict

#: What has failed where a contestant could not take part at all.
ENVIRONMENT = "environment"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first row the headings, in columns as wide as need be."""
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
    """Medians with lowest and highest, a line for each metric, a column for each contestant."""
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
    """One contestant's numbers divided by each other's of the same round."""
    rows = [["", *others.values()]]
    for metric in metrics:
        seen = [samples.ratio(metric.key, one, other) for other in others]
        if any(seen):
            rows.append([metric.title, *(cell(each, 2) if each else "–" for each in seen)])
    return table(rows)


def growth(names: Sequence[str], samples: Samples, contestant: str, effort: Effort) -> str:
    """What single things cost where there are few jobs and where there are many."""
    rows = [
        [
            "µs (round trips)",
            f"{effort.few:,} wait, {effort.few:,} failed",
            f"{effort.many_pending:,} wait, {effort.many_failed:,} failed",
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


def admin(pages: Sequence[str], worlds: Sequence[World], samples: Samples, contestant: str) -> str:
    """What each page takes with so many jobs, its worst request, and what the last is of each."""
    *others, last = worlds
    rows = [
        [
            "ms (worst); round trips",
            *(world.title for world in worlds),
            *(f"÷ {world.title}" for world in others),
        ]
    ]
    for page in pages:
        cells = []
        for name in (key(page, world.name) for world in worlds):
            taken, worst, requests = (
                samples.spread(each, contestant)
                for each in (name, f"{name}.worst", f"{name}.requests")
            )
            if taken and worst and requests:
                # The most of all rounds: a page that asks once more now and then shows it.
                times = f"{_number(taken.median, 1)} ({_number(worst.high, 0)})"
                cells.append(f"{times}; {requests.high:g}")
        ratios = [
            samples.ratio_of((key(page, last.name), contestant), (name, contestant))
            for name in (key(page, world.name) for world in others)
        ]
        if len(cells) == len(worlds):
            rows.append([page, *cells, *(cell(each, 2) if each else "–" for each in ratios)])
    return table(rows)


def cell(spread: Spread, digits: int) -> str:
    """The median, and between what the rounds were."""
    median = _number(spread.median, digits)
    if spread.count == 1:
        return median
    return f"{median} ({_number(spread.low, digits)}–{_number(spread.high, digits)})"


def verdicts(found: Sequence[Verdict]) -> str:
    """What must be shown, what was seen, and whether that is enough."""
    rows = [["must show", "target", "seen (rounds)", "met"]]
    for verdict in found:
        target = verdict.target
        seen = "nothing" if verdict.seen is None else cell(verdict.seen, 2)
        met = {None: "?", True: "yes", False: "NO"}[verdict.met]
        sign = "≥" if target.at_least else "≤"
        rows.append([verdict.text, f"{sign} {target.limit:.3g} {target.unit}", seen, met])
    return table(rows)


def _number(value: float, digits: int) -> str:
    if digits == 0 and 0 < abs(value) < 10:
        digits = 1
    return f"{value:,.{digits}f}"
