"""A decorator names its function before the module does."""

from __future__ import annotations

from collections.abc import Callable

from django_rqlite.jobs.callables import reference

NAMES: list[str] = []


def registered(func: Callable[[], None]) -> Callable[[], None]:
    NAMES.append(reference(func)[0])
    return func


@registered
def work() -> None: ...
