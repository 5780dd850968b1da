"""Classes that settings and arguments name: of queues, jobs and workers."""

from __future__ import annotations

from typing import TypeVar

from django.utils.module_loading import import_string

from ..exceptions import ConfigurationError

_T = TypeVar("_T")

#: Packages that are never imported here.
_OF_OTHERS = frozenset({"rq", "django_rq"})


def resolve_class(given: object, default: type[_T], base: type[_T], setting: str) -> type[_T]:
    """The class that was given, or is meant by a dotted path.

    Args:
        given: None: ``default``.
        base: what it must inherit from.
        setting: where it was given, for the error.

    Raises:
        ConfigurationError: it can't be imported, or is of another kind. A class of RQ's is not even
            imported.
    """
    if given is None:
        return default
    if isinstance(given, str) and given.partition(".")[0] in _OF_OTHERS:
        raise ConfigurationError(
            f"{setting}: {given!r} is a class of RQ's or django-rq's, so it does not inherit from "
            f"{base.__module__}.{base.__qualname__}. Name a class that does."
        )
    try:
        found = import_string(given) if isinstance(given, str) else given
    except ImportError as exc:
        raise ConfigurationError(f"{setting}: {given!r} can't be imported ({exc}).") from exc
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ConfigurationError(
            f"{setting}: {given!r} does not inherit from django_rqlite.{base.__name__}."
        )
    return found
