"""Classes that settings and arguments name: of queues, jobs and workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from django.utils.module_loading import import_string

from .validation import SettingProblem

_T = TypeVar("_T")

#: The base classes of those in the settings, by the path from which users import them.
BASE_CLASSES: Final[Mapping[str, str]] = {
    "QUEUE_CLASS": "django_rqlite.Queue",
    "JOB_CLASS": "django_rqlite.Job",
    "WORKER_CLASS": "django_rqlite.Worker",
}

#: Packages whose classes cannot be used. Their modules are never imported here.
_OTHER_PACKAGES = ("rq", "django_rq")


def resolve_class(given: object, default: type[_T], base: type[_T], where: str) -> type[_T]:
    """Return the class that a setting or an argument names.

    Args:
        given: A class or its dotted path; None for ``default``.
        base: The class that it must inherit from.
        where: The setting or the argument, for errors.

    Raises:
        ConfigurationError: It can't be imported, or does not inherit from ``base``. RQ's own
            classes are refused without importing them.
    """
    if given is None:
        return default
    found = find_class(given, base, where)
    if isinstance(found, SettingProblem):
        raise found.as_error()
    return found


def find_class(given: object, base: type[_T], where: str) -> type[_T] | SettingProblem:
    """Return the class that a setting or an argument names, or what is wrong with it.

    Args:
        given: A class or its dotted path.
        base: The class that it must inherit from.
        where: The setting or the argument.
    """
    if isinstance(given, str):
        if _is_of_other_package(given):
            return _of_other_package(given, base, where)
        try:
            given = import_string(given)
        except (ImportError, TypeError) as error:  # TypeError: a path such as '..x'
            message = f"{where}: {given!r} can't be imported: {error}."
            return SettingProblem("E018", message, cause=error)
    if isinstance(given, type):
        if issubclass(given, base):
            return given
        if any(_is_of_other_package(ancestor.__module__) for ancestor in given.__mro__):
            return _of_other_package(given, base, where)
    return SettingProblem(
        "E018",
        f"{where}: {given!r} does not inherit from {_path(base)}.",
        hint="Use a class that does, or its dotted path.",
    )


def _is_of_other_package(path: str) -> bool:
    return path.partition(".")[0] in _OTHER_PACKAGES


def _of_other_package(given: object, base: type, where: str) -> SettingProblem:
    return SettingProblem(
        "E019",
        f"{where}: {given!r} does not inherit from {_path(base)}: it is or inherits from a class "
        "of rq or django-rq, which does not use this package's keys and scripts.",
        hint=f"Inherit from {_path(base)} instead, or take the setting out.",
    )


def _path(base: type) -> str:
    return f"django_rqlite.{base.__name__}"
