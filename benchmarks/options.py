"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import contestants
from .contestants import Contestant
from .environments import REPOSITORY
from .parts import PARTS
from .preset import FULL, QUICK, Preset
from .server import Transport


@dataclass(frozen=True)
class Options:
    """What to measure, with which contestants, for how long, and where to write the results."""

    contestants: Sequence[Contestant]
    parts: Sequence[str]
    preset: Preset
    transport: Transport
    output: Path


def parse(arguments: Sequence[str] | None) -> Options:
    """Parse a command line. Invalid options end the process."""
    given = _parser().parse_args(arguments)
    preset = QUICK if given.quick else FULL
    if given.rounds:
        preset = dataclasses.replace(
            preset, rounds=given.rounds, few_rounds=min(given.rounds, preset.few_rounds)
        )
    chosen = [one for one in contestants.ALL if one.name in given.contestants]
    chosen += [contestants.beside(name, path) for name, path in given.beside]
    return Options(chosen, given.only, preset, Transport(given.transport), given.output)


def _parser() -> argparse.ArgumentParser:
    names = [one.name for one in contestants.ALL]
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measure django_rqlite and other job queues; prints tables and writes JSON.",
    )
    parser.add_argument("--quick", action="store_true", help="five minutes instead of half an hour")
    parser.add_argument(
        "--only",
        type=_SomeOf(PARTS),
        default=PARTS,
        metavar="PART,…",
        help=f"some of {', '.join(PARTS)}",
    )
    parser.add_argument(
        "--contestants",
        type=_SomeOf(names),
        default=names,
        metavar="NAME,…",
        help=f"some of {', '.join(names)}",
    )
    parser.add_argument(
        "--rounds", type=_positive, metavar="N", help="number of alternating rounds"
    )
    parser.add_argument(
        "--beside",
        type=_named_folder,
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="also measure django_rqlite in another checkout, to compare before and after a change",
    )
    parser.add_argument(
        "--transport",
        choices=[str(one) for one in Transport],
        default=str(Transport.TCP),
        help="how all contestants connect to the server (default: tcp, on the loopback interface)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=REPOSITORY / "build" / "bench.json",
        metavar="FILE",
        help="where to write the JSON (default: build/bench.json)",
    )
    return parser


class _SomeOf:
    """The type of an option: some words of a list, separated by commas."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    def __call__(self, text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [word for word in chosen if word not in self._words]:
            raise argparse.ArgumentTypeError(
                f"{', '.join(unknown)}: choose from {', '.join(self._words)}"
            )
        return chosen


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def _named_folder(text: str) -> tuple[str, str]:
    name, separator, folder = text.partition("=")
    if not separator or not name.isidentifier() or not (Path(folder) / "django_rqlite").is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not NAME=FOLDER with django_rqlite in it")
    if name in [one.name for one in contestants.ALL]:
        raise argparse.ArgumentTypeError(f"{name} is taken; choose another name")
    return name, str(Path(folder).resolve())
