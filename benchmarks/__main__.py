"""``make bench``: measure everything, print tables, and write JSON."""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from . import environments
from .contestants import OURS, Contestant
from .failure import StepFailed
from .guardian import watch_over_this_process
from .measure import admin, growth, idle
from .options import Options, parse
from .programme import measurements
from .report import machine, tables
from .report.arithmetic import Samples
from .report.targets import TARGETS, judge
from .rounds import play
from .samples import Failure, Metric, Sample
from .server import Server
from .stage import Stage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code, which does not depend on who is faster."""
    options = parse(arguments)
    if not Path("/proc/self/stat").exists():
        print("The benchmark reads CPU and processes from /proc: it needs Linux.", file=sys.stderr)
        return 2
    # So that everything is cleaned up.
    signal.signal(signal.SIGTERM, _interrupt)
    watch_over_this_process()
    try:
        run(options)
    except KeyboardInterrupt:
        print("Interrupted; everything that was started has been ended.", file=sys.stderr)
        return 130
    return 0


def run(options: Options) -> None:
    """Measure, print and write."""
    pythons, failures = _environments(options.contestants)
    versions = {name: environments.versions(python) for name, python in pythons.items()}
    own = environments.versions(environments.own_python())
    playing = [one for one in options.contestants if one.name in pythons]
    samples: list[Sample] = []
    metrics: list[Metric] = []
    say = _Clock()
    with ExitStack() as stack:
        server = stack.enter_context(Server(options.transport))
        where = machine.describe(server.version, options.transport, own)
        stages = [stack.enter_context(Stage(one, pythons[one.name], server)) for one in playing]
        for measurement in measurements(options.parts, options.effort):
            metrics += measurement.metrics
            seen, failed = play(measurement, stages, say)
            samples += seen
            failures += failed
    if idle.NAME in options.parts:
        metrics += idle.METRICS
        say(f"idle: all at once, for {options.effort.idle:g} s")
        seen, failed = idle.measure(playing, pythons, options.transport, options.effort)
        samples += seen
        failures += failed
    if growth.NAME in options.parts:
        grown, failed = growth.measure(playing, pythons, options.transport, options.effort, say)
        samples += grown
        failures += failed
    if admin.NAME in options.parts:
        opened, failed = admin.measure(playing, pythons, options.transport, options.effort, say)
        samples += opened
        failures += failed
    say("done")

    titles = {one.name: one.title for one in options.contestants}
    found = Samples(samples)
    measured = {metric.key for metric in metrics} | {sample.metric for sample in samples}
    judged = judge(found, [target for target in TARGETS if target.metric in measured])
    print(f"\n{machine.line(where)}")
    for name, packages in versions.items():
        print(f"{titles[name]}: {', '.join(' '.join(one) for one in packages.items())}")
    if metrics:
        print(f"\n{tables.results(metrics, found, failures, titles)}")
    others = {name: title for name, title in titles.items() if name != OURS.name}
    if metrics and others:
        print(f"\n{OURS.title} divided by the others, within each round\n")
        print(tables.ratios(metrics, found, OURS.name, others))
    for one in playing:
        if found.spread("growth.enqueue.many", one.name):
            print(f"\n{one.title}: how costs grow\n")
            print(tables.growth(growth.COSTS, found, one.name, options.effort))
        if found.spread(admin.MOST_GROWTH, one.name):
            print(f"\n{one.title}: pages of the admin\n")
            print(tables.admin(admin.PAGES, admin.worlds(options.effort), found, one.name))
    if judged:
        print(f"\n{tables.verdicts(judged)}")
    for failure in failures:
        print(f"\nFailed: {titles[failure.contestant]}, {failure.measurement}: {failure.reason}")
    _write(
        options.output,
        {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": where,
            "versions": versions,
            "effort": dataclasses.asdict(options.effort),
            "metrics": [dataclasses.asdict(metric) for metric in metrics],
            "samples": [dataclasses.asdict(sample) for sample in samples],
            "targets": [dataclasses.asdict(verdict) for verdict in judged],
            "failures": [dataclasses.asdict(failure) for failure in failures],
        },
    )


class _Clock:
    """Says what is going on, and since when."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, what: str) -> None:
        passed = time.monotonic() - self._begun
        print(f"{passed:6.0f} s  {what}", file=sys.stderr, flush=True)


def _environments(chosen: Sequence[Contestant]) -> tuple[dict[str, Path], list[Failure]]:
    """The Python of each, and who has none."""
    pythons, failures = {}, []
    for one in chosen:
        try:
            pythons[one.name] = (
                environments.python_with(one.name, one.requirements)
                if one.requirements
                else environments.own_python()
            )
        except StepFailed as error:
            failures.append(Failure(tables.ENVIRONMENT, one.name, str(error)))
    return pythons, failures


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\nAll numbers: {path}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
