"""Throughput, failures and latency as bars, drawn on the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..queries.throughput import Runs, Throughput, percentile_95
from . import formatting as shown

#: Units of a chart's width and height.
WIDTH, HEIGHT = 600, 100


@dataclass(frozen=True, slots=True)
class Span:
    """How far back the charts go: so many bars of so many minutes each."""

    name: str
    bars: int
    minutes: int

    @property
    def whole(self) -> int:
        """Minutes."""
        return self.bars * self.minutes


HOUR = Span("hour", 60, 1)
DAY = Span("day", 48, 30)
SPANS = {span.name: span for span in (HOUR, DAY)}


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, with what it stands for as text."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of one chart, the scale, and a sentence for those who can't see it."""

    name: str
    title: str
    sentence: str
    top: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts, and the same numbers as a table: time, done, failed, wait, run."""

    charts: Sequence[Chart]
    table: Sequence[tuple[datetime, int, int, str, str]]


def charts(activities: Sequence[Throughput], span: Span, now: float) -> Charts:
    """The charts of some queues together.

    Args:
        now: unix seconds.
    """
    # The bar that is not over yet is the last.
    end = (int(now) // 60 // span.minutes + 1) * span.minutes
    begin = end - span.whole
    steps = [
        (datetime.fromtimestamp((begin + number * span.minutes) * 60, UTC), Runs())
        for number in range(span.bars)
    ]
    for activity in activities:
        for minute, runs in activity.items():
            if begin <= minute < end:
                steps[(minute - begin) // span.minutes][1].add(runs)
    everything = Runs()
    for _moment, runs in steps:
        everything.add(runs)
    return Charts(
        [_throughput(steps, everything), _failures(steps, everything), _latency(steps, everything)],
        [
            (moment, runs.done, runs.failed, within(runs.waited), within(runs.ran))
            for moment, runs in reversed(steps)
            if runs.done or runs.failed
        ],
    )


def within(buckets: dict[int, int]) -> str:
    """``≤ 4 s``: what 95 of 100 stayed within; ``''`` where nothing was counted."""
    seconds = percentile_95(buckets)
    return "" if seconds is None else f"≤ {shown.duration(seconds)}"


def _throughput(steps: Sequence[tuple[datetime, Runs]], everything: Runs) -> Chart:
    sentence = ngettext("%(count)d job done.", "%(count)d jobs done.", everything.done)
    return _counted(
        *("done", "throughput", _("Throughput"), sentence % {"count": everything.done}),
        [(runs.done, _("%(time)s: %(count)d done"), moment) for moment, runs in steps],
    )


def _failures(steps: Sequence[tuple[datetime, Runs]], everything: Runs) -> Chart:
    sentence = ngettext("%(count)d run failed.", "%(count)d runs failed.", everything.failed)
    return _counted(
        *("failed", "failures", _("Failures"), sentence % {"count": everything.failed}),
        [(runs.failed, _("%(time)s: %(count)d failed"), moment) for moment, runs in steps],
    )


def _counted(
    kind: str, name: str, title: str, sentence: str, steps: Sequence[tuple[int, str, datetime]]
) -> Chart:
    """One bar for each step that has any. A scale of its own: few failures are seen too."""
    most = max([count for count, _text, _moment in steps], default=0)
    bars = [
        _bar(
            *(kind, number, len(steps), _height(count, most)),
            text % {"time": shown.clock(moment), "count": count},
        )
        for number, (count, text, moment) in enumerate(steps)
    ]
    return Chart(name, title, sentence, str(most), [bar for bar in bars if bar.height])


def _latency(steps: Sequence[tuple[datetime, Runs]], everything: Runs) -> Chart:
    figures = [
        (moment, percentile_95(runs.waited) or 0, percentile_95(runs.ran) or 0, runs)
        for moment, runs in steps
    ]
    most = max([max(waited, ran) for _moment, waited, ran, _runs in figures], default=0)
    bars = []
    for number, (moment, waited, ran, runs) in enumerate(figures):
        text = _("%(time)s: waited %(waited)s, ran %(ran)s") % {
            "time": shown.clock(moment),
            "waited": within(runs.waited) or "–",
            "ran": within(runs.ran) or "–",
        }
        for half, (kind, seconds) in enumerate((("waited", waited), ("ran", ran))):
            bars.append(_bar(kind, number * 2 + half, len(steps) * 2, _height(seconds, most), text))
    return Chart(
        "latency",
        _("How long 95 of 100 jobs waited, and ran"),
        _("Waited %(waited)s, ran %(ran)s.")
        % {"waited": within(everything.waited) or "–", "ran": within(everything.ran) or "–"},
        shown.duration(most) if most else "0",
        [bar for bar in bars if bar.height],
    )


def _height(value: float, most: float) -> int:
    # What is there can be seen, however small beside the rest.
    return max(round(value / most * HEIGHT), 1) if value > 0 else 0


def _bar(kind: str, number: int, of: int, height: int, text: str) -> Bar:
    left, right = number * WIDTH // of, (number + 1) * WIDTH // of
    return Bar(kind, left, HEIGHT - height, max(right - left - 1, 1), height, text)
