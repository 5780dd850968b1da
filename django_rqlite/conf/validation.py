"""What a validator of settings yields.

Each rule of the settings is written once, as a validator: a function that yields the problems of a
setting. Reading a setting raises the first of them; ``manage.py check`` reports them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from ..exceptions import ConfigurationError


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One thing that is wrong with the settings.

    Attributes:
        check_id: the number of the system check: ``E...`` for an error, ``W...`` for a warning.
        message: names the setting and says what is wrong.
        hint: the remedy; empty if the message says it.
        is_raised: whether reading the setting raises it. Warnings are never raised.
        cause: the exception behind it, for tracebacks.
    """

    check_id: str
    message: str
    hint: str = ""
    is_raised: bool = True
    cause: Exception | None = None

    @property
    def is_warning(self) -> bool:
        return self.check_id.startswith("W")

    def as_error(self) -> ConfigurationError:
        error = ConfigurationError(f"{self.message} {self.hint}".rstrip())
        error.__cause__ = self.cause
        return error


def raise_first(problems: Iterable[SettingProblem]) -> None:
    """Raise the first problem that keeps a setting from being read.

    Raises:
        ConfigurationError: there is one.
    """
    for problem in problems:
        if problem.is_raised and not problem.is_warning:
            raise problem.as_error()


def unknown_keys(
    where: str, given: Mapping[str, object], known: frozenset[str], check_id: str
) -> Iterator[SettingProblem]:
    """Yield a warning for each key that has no meaning, with the most similar key that has one."""
    for key in given:
        if key not in known:
            yield SettingProblem(
                check_id,
                f"{where} has the unknown key {key!r}, which has no effect.",
                hint=f"Did you mean {most_similar_first(str(key), known)[0]!r}?",
            )


def most_similar_first(name: str, known: Iterable[str]) -> list[str]:
    """Return ``known``, sorted by similarity to ``name``."""
    return sorted(
        known, key=lambda other: -SequenceMatcher(None, name.lower(), other.lower()).ratio()
    )
