"""Classes that settings and arguments name: of queues, jobs and workers."""

from __future__ import annotations

from typing import TypeVar

from django.utils.module_loading import import_string

from .exceptions import ConfigurationError

_T = TypeVar("_T")


def named_class(given: object, default: type[_T], base: type[_T], setting: str) -> type[_T]:
    """The class that was given, or is meant by a dotted path.

    Args:
        given: None: ``default``.
        base: what it must inherit from.
        setting: where it was given, for the error.

    Raises:
        ConfigurationError: it can't be imported, or is of another kind.
    """
    if given is None:
        return default
    try:
        found = import_string(given) if isinstance(given, str) else given
    except ImportError as exc:
        raise ConfigurationError(f"{setting}: {given!r} can't be imported ({exc}).") from exc
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ConfigurationError(
            f"{setting}: {given!r} does not inherit from {base.__module__}.{base.__qualname__}."
        )
    return found
