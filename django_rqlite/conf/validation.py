"""The problems that validators of settings yield.

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
    """One error or warning about the settings.

    Attributes:
        check_id: The number of the system check: ``E...`` for an error, ``W...`` for a warning.
        message: Names the setting and says what is wrong.
        hint: The remedy; empty if the message says it.
        is_raised: Whether reading the setting raises it. Warnings are never raised.
        cause: The exception behind it, for tracebacks.
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
    """Raise the first problem that prevents a setting from being read.

    Raises:
        ConfigurationError: There is such a problem.
    """
    for problem in problems:
        if problem.is_raised and not problem.is_warning:
            raise problem.as_error()


def unknown_keys(
    where: str, given: Mapping[str, object], known: frozenset[str], check_id: str
) -> Iterator[SettingProblem]:
    """Yield a warning for each unknown key, with the most similar known key."""
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
