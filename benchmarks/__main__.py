"""``make bench``: measure everything, print tables, and write JSON."""

from __future__ import annotations

import argparse
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

from . import contestants, environments
from .contestants import Contestant
from .effort import FULL, QUICK, Effort
from .failure import StepFailed
from .programme import PARTS, measurements
from .report import machine, tables
from .report.arithmetic import Samples
from .report.targets import TARGETS, judge
from .rounds import play
from .samples import Failure, Metric, Sample
from .server import Server
from .stage import Stage

_DEFAULT_OUTPUT = environments.REPOSITORY / "build" / "bench.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code, which does not depend on who is faster."""
    options = _parser().parse_args(arguments)
    # So that everything is cleaned up.
    signal.signal(signal.SIGTERM, _interrupt)
    effort = QUICK if options.quick else FULL
    if options.rounds:
        effort = dataclasses.replace(
            effort, rounds=options.rounds, few_rounds=min(options.rounds, effort.few_rounds)
        )
    chosen = [one for one in contestants.ALL if one.name in options.contestants]
    chosen += [contestants.beside(name, path) for name, path in options.beside]
    try:
        run(chosen, options.only, effort, options.output)
    except KeyboardInterrupt:
        print("Interrupted; everything that was started has been ended.", file=sys.stderr)
        return 130
    return 0


def run(chosen: Sequence[Contestant], parts: Sequence[str], effort: Effort, output: Path) -> None:
    """Measure, print and write."""
    pythons, failures = _environments(chosen)
    versions = {name: environments.versions(python) for name, python in pythons.items()}
    begun = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {what}", file=sys.stderr, flush=True)

    samples: list[Sample] = []
    metrics: list[Metric] = []
    with ExitStack() as stack:
        server = stack.enter_context(Server())
        where = machine.describe(server.version, environments.versions(environments.own_python()))
        stages = [
            stack.enter_context(Stage(one, pythons[one.name], server))
            for one in chosen
            if one.name in pythons
        ]
        for measurement in measurements(parts, effort):
            metrics += measurement.metrics
            seen, failed = play(measurement, stages, say)
            samples += seen
            failures += failed
    say("done")
    titles = {one.name: one.title for one in chosen}
    found = Samples(samples)
    measured = {metric.key for metric in metrics}
    judged = judge(found, [target for target in TARGETS if target.metric in measured])
    print()
    print(machine.line(where))
    for name, packages in versions.items():
        print(f"{titles[name]}: {', '.join(' '.join(one) for one in packages.items())}")
    print()
    print(tables.results(metrics, found, failures, titles))
    print()
    if judged:
        print(tables.verdicts(judged))
    for failure in failures:
        print(f"\nFailed: {titles[failure.contestant]}, {failure.measurement}: {failure.reason}")
    _write(
        output,
        {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": where,
            "versions": versions,
            "effort": dataclasses.asdict(effort),
            "metrics": [dataclasses.asdict(metric) for metric in metrics],
            "samples": [dataclasses.asdict(sample) for sample in samples],
            "targets": [dataclasses.asdict(verdict) for verdict in judged],
            "failures": [dataclasses.asdict(failure) for failure in failures],
        },
    )


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
            failures.append(Failure("environment", one.name, str(error)))
    return pythons, failures


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\nAll numbers: {path}")


def _parser() -> argparse.ArgumentParser:
    names = [one.name for one in contestants.ALL]
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="minutes instead of half an hour")
    parser.add_argument(
        "--only",
        type=_some_of(PARTS),
        default=PARTS,
        metavar="PART,…",
        help=f"of {', '.join(PARTS)}",
    )
    parser.add_argument(
        "--contestants",
        type=_some_of(names),
        default=names,
        metavar="NAME,…",
        help=f"of {', '.join(names)}",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="alternating rounds")
    parser.add_argument(
        "--beside",
        type=_named_path,
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="another checkout of django_rqlite to measure as well, for before and after",
    )
    parser.add_argument(
        "--output", type=Path, default=_DEFAULT_OUTPUT, metavar="FILE", help="for the JSON"
    )
    return parser


class _some_of:
    """The type of an option: words with commas between them."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    def __call__(self, text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [word for word in chosen if word not in self._words]:
            raise argparse.ArgumentTypeError(
                f"{', '.join(unknown)}: choose from {', '.join(self._words)}"
            )
        return chosen


def _named_path(text: str) -> tuple[str, str]:
    name, separator, path = text.partition("=")
    if not separator or not (Path(path) / "django_rqlite").is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not NAME=FOLDER with django_rqlite in it")
    return name, str(Path(path).resolve())


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
