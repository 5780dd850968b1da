"""The system checks: what ``manage.py check`` reports about the settings of this package.

A setting with an error does not work. One with a warning works, but probably not as intended. The
rules are in ``conf`` and ``cron.entries``. No check connects to a server. Each is independent of
the others, so one run reports all problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from .compat import rq_imports
from .compat.overrides import unused_overrides
from .conf.classes import BASE_CLASSES, find_class
from .conf.connection import client_problems
from .conf.queue_conf import duration_problems, queue_problems, queues_problems
from .conf.settings import (
    api_token_problems,
    cron_problems,
    exception_handlers_problems,
    find_exception_handler,
    rq_problems,
)
from .conf.validation import SettingProblem, unknown_keys
from .cron import entries as cron_entries
from .exceptions import ConfigurationError, MissingExtraError
from .protocol import serializers

#: Imports of RQ that are reported one by one.
MAX_REPORTED_IMPORTS = 20

_skip_cron = ContextVar("_skip_cron", default=False)


def register() -> None:
    """Register the checks with Django."""
    for check in (check_queues, check_rq, check_cron, check_exception_handlers, check_api_token):
        checks.register(check)
    checks.register(check_rq_imports, checks.Tags.compatibility)
    checks.register(check_signatures_are_required, checks.Tags.security, deploy=True)


def check_queues(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ_QUEUES``. Imports the classes and serializers that it names."""
    given = getattr(settings, "RQ_QUEUES", None)
    if problems := list(queues_problems(given)):
        return _messages(problems)
    return _messages(
        problem
        for name, queue in cast("Mapping[Any, Any]", given).items()
        for problem in _problems_of_queue(name, queue)
    )


def check_rq(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ``. Imports the classes that it names."""
    return _messages(_problems_of_rq(_rq()))


def check_cron(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ["CRON"]``. Imports the functions that it names."""
    given = _rq()
    if _skip_cron.get() or not isinstance(given, Mapping):
        return []  # check_rq reports an RQ that is not a dictionary
    entries = given.get("CRON") or {}
    if problems := list(cron_problems(entries)):
        return _messages(problems)
    found = [
        problem for name, entry in entries.items() for problem in _problems_of_entry(name, entry)
    ]
    # Each entry with a cron expression has the same problem; report it once.
    if any(_is_missing_extra(problem) for problem in found):
        found = [problem for problem in found if not _is_missing_extra(problem)]
        found.append(SettingProblem("E028", cron_entries.EXTRA_MISSING))
    return _messages(found)


@contextmanager
def without_cron() -> Iterator[None]:
    """Skip :func:`check_cron`, because an invalid entry must not prevent a command from running."""
    token = _skip_cron.set(True)
    try:
        yield
    finally:
        _skip_cron.reset(token)


def check_exception_handlers(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ_EXCEPTION_HANDLERS``. Imports the functions that it names."""
    given = getattr(settings, "RQ_EXCEPTION_HANDLERS", None) or []
    if problems := list(exception_handlers_problems(given)):
        return _messages(problems)
    found = map(find_exception_handler, given)
    return _messages(problem for problem in found if isinstance(problem, SettingProblem))


def check_api_token(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ_API_TOKEN``."""
    return _messages(api_token_problems(getattr(settings, "RQ_API_TOKEN", "") or ""))


def check_signatures_are_required(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check, for a deployment, that only signed jobs are run."""
    given = _rq()
    if not isinstance(given, Mapping) or given.get("REQUIRE_SIGNATURE"):
        return []
    return [
        Warning(
            "RQ['REQUIRE_SIGNATURE'] is not set, so jobs, results and meta without a signature are "
            "trusted: anyone who can write to Redis can run code in the workers and on the site, "
            "with a job that names any function or callback, or with a pickle.",
            hint="Set it to True, unless clients or workers of RQ itself share the queues. The part"
            " “Trust” of docs/design.md explains what signatures prevent, and what they do not.",
            id="django_rqlite.W009",
        )
    ]


def check_rq_imports(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check whether the project's own apps import RQ. Reads their source."""
    configs = apps.get_app_configs() if app_configs is None else app_configs
    found = rq_imports.find_imports(app.path for app in cast("Iterable[AppConfig]", configs))
    problems = [
        SettingProblem(
            "W020",
            f"{_relative(each.path)}:{each.line}: `{each.statement}`. RQ does not see the jobs "
            "that run here: its get_current_job() is None in them, and what it enqueues is not "
            "signed.",
            hint=each.instead,
        )
        for each in found[:MAX_REPORTED_IMPORTS]
    ]
    if len(found) > MAX_REPORTED_IMPORTS:
        problems.append(
            SettingProblem(
                "W020",
                f"{len(found) - MAX_REPORTED_IMPORTS} more imports of RQ were found.",
                hint="Correct those above to see the others.",
            )
        )
    return _messages(problems)


def _rq() -> object:
    return getattr(settings, "RQ", {})


def _messages(problems: Iterable[SettingProblem]) -> list[CheckMessage]:
    return [
        (Warning if problem.is_warning else Error)(
            problem.message, hint=problem.hint or None, id=f"django_rqlite.{problem.check_id}"
        )
        for problem in problems
    ]


def _problems_of_queue(name: object, given: object) -> Iterator[SettingProblem]:
    yield from queue_problems(name, given)
    if isinstance(given, Mapping):
        where = f"RQ_QUEUES[{name!r}]"
        yield from client_problems(where, given)
        try:
            serializers.resolve(given.get("SERIALIZER"), setting=f"{where}['SERIALIZER']")
        except ConfigurationError as error:
            yield SettingProblem("E017", str(error))
        yield from _problems_of_classes(where, given)


def _problems_of_rq(given: object) -> Iterator[SettingProblem]:
    yield from rq_problems(given)
    if isinstance(given, Mapping):
        yield from duration_problems("RQ", "DEFAULT_RESULT_TTL", given)
        yield from _problems_of_classes("RQ", given)


def _problems_of_classes(where: str, given: Mapping[str, Any]) -> Iterator[SettingProblem]:
    for key, base in BASE_CLASSES.items():
        if given.get(key) is None:
            continue
        found = find_class(given[key], import_string(base), f"{where}[{key!r}]")
        if isinstance(found, SettingProblem):
            yield found
            continue
        for name, instead in unused_overrides(key, found):
            yield SettingProblem(
                "W021",
                f"{where}[{key!r}]: {found.__module__}.{found.__qualname__} overrides {name}(), "
                "which nothing here calls.",
                hint=instead,
            )


def _problems_of_entry(name: object, entry: object) -> Iterator[SettingProblem]:
    """Yield what is wrong with an entry of ``RQ["CRON"]``."""
    mistakes = list(cron_entries.mistakes_of(name, entry))
    for mistake in mistakes:
        yield SettingProblem("E026", str(mistake), cause=mistake)
    if not isinstance(name, str) or not isinstance(entry, Mapping):
        return
    where = f"RQ['CRON'][{name!r}]"
    yield from unknown_keys(where, entry, cron_entries.ENTRY_KEYS, "W011")
    if entry.get("timezone") and entry.get("interval"):
        yield SettingProblem(
            "W012",
            f"{where}['timezone'] has no effect beside an interval.",
            hint="Take it out, or use 'cron'.",
        )
    if not mistakes and (reason := cron_entries.why_not_importable(entry["func"])):
        yield SettingProblem(
            "E027",
            f"{where}: {reason}",
            hint="Its jobs would fail. Correct the path, or the error in its module.",
        )


def _is_missing_extra(problem: SettingProblem) -> bool:
    return isinstance(problem.cause, MissingExtraError)


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
