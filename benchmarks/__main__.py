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
from .cleanup import start_cleanup_process
from .contestants import OURS, Contestant
from .exceptions import MeasurementError
from .launcher import Launcher
from .measure import admin, growth, idle
from .options import Options, parse
from .parts import measurements
from .report import machine, tables
from .report.arithmetic import Samples
from .report.targets import TARGETS, evaluate
from .rounds import run_rounds
from .samples import Failure, Metric, Sample
from .server import Server


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark. The exit code does not depend on the results."""
    options = parse(arguments)
    if not Path("/proc/self/stat").exists():
        print("The benchmark reads CPU and processes from /proc: it needs Linux.", file=sys.stderr)
        return 2
    # SIGTERM ends the benchmark as Ctrl-C does, so that everything is cleaned up.
    signal.signal(signal.SIGTERM, _interrupt)
    start_cleanup_process()
    try:
        run(options)
    except KeyboardInterrupt:
        print("Interrupted. All processes of the benchmark have been ended.", file=sys.stderr)
        return 130
    return 0


def run(options: Options) -> None:
    """Measure everything, print the tables and write the JSON file."""
    pythons, failures = _environments(options.contestants)
    versions = {name: environments.versions(python) for name, python in pythons.items()}
    own = environments.versions(environments.own_python())
    contestants = [one for one in options.contestants if one.name in pythons]
    samples: list[Sample] = []
    metrics: list[Metric] = []
    progress = _Progress()
    with ExitStack() as stack:
        server = stack.enter_context(Server(options.transport))
        where = machine.describe(server.version, options.transport, own)
        launchers = [
            stack.enter_context(Launcher(one, pythons[one.name], server)) for one in contestants
        ]
        for measurement in measurements(options.parts, options.preset):
            metrics += measurement.metrics
            seen, failed = run_rounds(measurement, launchers, progress)
            samples += seen
            failures += failed
    if idle.NAME in options.parts:
        metrics += idle.METRICS
        progress(f"idle: all contestants at once, for {options.preset.idle:g} s")
        seen, failed = idle.measure(contestants, pythons, options.transport, options.preset)
        samples += seen
        failures += failed
    if growth.NAME in options.parts:
        grown, failed = growth.measure(
            contestants, pythons, options.transport, options.preset, progress
        )
        samples += grown
        failures += failed
    if admin.NAME in options.parts:
        opened, failed = admin.measure(
            contestants, pythons, options.transport, options.preset, progress
        )
        samples += opened
        failures += failed
    progress("done")

    titles = {one.name: one.title for one in options.contestants}
    found = Samples(samples)
    measured = {metric.key for metric in metrics} | {sample.metric for sample in samples}
    evaluated = evaluate(found, [target for target in TARGETS if target.metric in measured])
    print(f"\n{machine.line(where)}")
    for name, packages in versions.items():
        print(f"{titles[name]}: {', '.join(' '.join(one) for one in packages.items())}")
    if metrics:
        print(f"\n{tables.results(metrics, found, failures, titles)}")
    others = {name: title for name, title in titles.items() if name != OURS.name}
    if metrics and others:
        print(f"\n{OURS.title} divided by each other contestant, within each round\n")
        print(tables.ratios(metrics, found, OURS.name, others))
    for one in contestants:
        if found.spread("growth.enqueue.many", one.name):
            print(f"\n{one.title}: growth of costs\n")
            print(tables.growth(growth.COSTS, found, one.name, options.preset))
        if found.spread(admin.MOST_GROWTH, one.name):
            print(f"\n{one.title}: pages of the admin\n")
            print(tables.admin(admin.PAGES, admin.data_sets(options.preset), found, one.name))
    if evaluated:
        print(f"\n{tables.target_results(evaluated)}")
    for failure in failures:
        print(f"\nFailed: {titles[failure.contestant]}, {failure.measurement}: {failure.reason}")
    _write(
        options.output,
        {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": where,
            "versions": versions,
            "preset": dataclasses.asdict(options.preset),
            "metrics": [dataclasses.asdict(metric) for metric in metrics],
            "samples": [dataclasses.asdict(sample) for sample in samples],
            "targets": [dataclasses.asdict(result) for result in evaluated],
            "failures": [dataclasses.asdict(failure) for failure in failures],
        },
    )


class _Progress:
    """Prints each step with the seconds since the start."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, what: str) -> None:
        passed = time.monotonic() - self._begun
        print(f"{passed:6.0f} s  {what}", file=sys.stderr, flush=True)


def _environments(chosen: Sequence[Contestant]) -> tuple[dict[str, Path], list[Failure]]:
    """The Python of each contestant, and a failure for each whose environment cannot be made."""
    pythons, failures = {}, []
    for one in chosen:
        try:
            pythons[one.name] = (
                environments.python_with(one.name, one.requirements)
                if one.requirements
                else environments.own_python()
            )
        except MeasurementError as error:
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
