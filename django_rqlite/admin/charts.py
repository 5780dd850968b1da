"""Charts of throughput, failures and latency: bars that are computed on the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..queries.throughput import Runs, Throughput, percentile_95
from . import formatting

#: The width and the height of a chart, in units of its SVG.
WIDTH, HEIGHT = 600, 100


@dataclass(frozen=True, slots=True)
class Span:
    """The period of the charts: the number of bars, and the minutes of each."""

    name: str
    bars: int
    minutes: int

    @property
    def total_minutes(self) -> int:
        """The minutes of all bars."""
        return self.bars * self.minutes


HOUR = Span("hour", 60, 1)
DAY = Span("day", 48, 30)
SPANS = {span.name: span for span in (HOUR, DAY)}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, and its meaning as text."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Attributes:
        sentence: The sum of its bars in words, for people who cannot see it too.
        top: The value at the top of the scale.
    """

    name: str
    title: str
    sentence: str
    top: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts, and the same numbers as a table: time, done, failed, wait p95, run p95."""

    charts: Sequence[Chart]
    table: Sequence[tuple[datetime, int, int, str, str]]


def charts(activities: Sequence[Throughput], span: Span, now: float) -> Charts:
    """The charts of some queues together.

    Args:
        now: Unix seconds.
    """
    # The last bar includes the current minute.
    end = (int(now) // 60 // span.minutes + 1) * span.minutes
    begin = end - span.total_minutes
    steps = [
        (datetime.fromtimestamp((begin + number * span.minutes) * 60, UTC), Runs())
        for number in range(span.bars)
    ]
    for activity in activities:
        for minute, runs in activity.items():
            if begin <= minute < end:
                steps[(minute - begin) // span.minutes][1].add(runs)
    total = Runs()
    for _moment, runs in steps:
        total.add(runs)
    return Charts(
        [_throughput(steps, total), _failures(steps, total), _latency(steps, total)],
        [
            (moment, runs.done, runs.failed, format_p95(runs.waited), format_p95(runs.ran))
            for moment, runs in reversed(steps)
            if runs.done or runs.failed
        ],
    )


def format_p95(buckets: dict[int, int]) -> str:
    """The 95th percentile as ``≤ 4 s``; ``''`` if nothing was counted."""
    seconds = percentile_95(buckets)
    return "" if seconds is None else f"≤ {formatting.duration(seconds)}"


def _throughput(steps: Sequence[tuple[datetime, Runs]], total: Runs) -> Chart:
    sentence = ngettext("%(count)d job done.", "%(count)d jobs done.", total.done)
    return _counted(
        *("done", "throughput", _("Throughput"), sentence % {"count": total.done}),
        [(runs.done, _("%(time)s: %(count)d done"), moment) for moment, runs in steps],
    )


def _failures(steps: Sequence[tuple[datetime, Runs]], total: Runs) -> Chart:
    sentence = ngettext("%(count)d run failed.", "%(count)d runs failed.", total.failed)
    return _counted(
        *("failed", "failures", _("Failures"), sentence % {"count": total.failed}),
        [(runs.failed, _("%(time)s: %(count)d failed"), moment) for moment, runs in steps],
    )


def _counted(
    kind: str, name: str, title: str, sentence: str, steps: Sequence[tuple[int, str, datetime]]
) -> Chart:
    """A bar for each step that counts anything. Each chart has its own scale."""
    highest = max([count for count, _text, _moment in steps], default=0)
    bars = [
        _bar(
            *(kind, number, len(steps), _height(count, highest)),
            text % {"time": formatting.local_time(moment), "count": count},
        )
        for number, (count, text, moment) in enumerate(steps)
    ]
    return Chart(name, title, sentence, str(highest), [bar for bar in bars if bar.height])


def _latency(steps: Sequence[tuple[datetime, Runs]], total: Runs) -> Chart:
    values = [
        (moment, percentile_95(runs.waited) or 0, percentile_95(runs.ran) or 0, runs)
        for moment, runs in steps
    ]
    highest = max([max(waited, ran) for _moment, waited, ran, _runs in values], default=0)
    bars = []
    for number, (moment, waited, ran, runs) in enumerate(values):
        text = _("%(time)s: waited %(waited)s, ran %(ran)s") % {
            "time": formatting.local_time(moment),
            "waited": format_p95(runs.waited) or "–",
            "ran": format_p95(runs.ran) or "–",
        }
        for half, (kind, seconds) in enumerate((("waited", waited), ("ran", ran))):
            bars.append(
                _bar(kind, number * 2 + half, len(steps) * 2, _height(seconds, highest), text)
            )
    return Chart(
        "latency",
        _("Wait and run time (p95)"),
        _("Waited %(waited)s, ran %(ran)s.")
        % {"waited": format_p95(total.waited) or "–", "ran": format_p95(total.ran) or "–"},
        formatting.duration(highest) if highest else "0",
        [bar for bar in bars if bar.height],
    )


def _height(value: float, highest: float) -> int:
    # A value above zero is visible, however small it is beside the others.
    return max(round(value / highest * HEIGHT), 1) if value > 0 else 0


def _bar(kind: str, number: int, of: int, height: int, text: str) -> Bar:
    left, right = number * WIDTH // of, (number + 1) * WIDTH // of
    return Bar(kind, left, HEIGHT - height, max(right - left - 1, 1), height, text)
