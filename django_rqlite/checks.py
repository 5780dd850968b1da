"""What ``manage.py check`` says of ``RQ_QUEUES`` and ``RQ``.

Errors are what cannot work; warnings are what works, but hardly as meant. No check connects to a
server, and each looks at the settings as they stand, so that one run reports all mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any, cast

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning

from . import conf
from .broker import client_factory as connections
from .compat import rq_imports
from .compat.overrides import unused_overrides
from .cron import entries as cron
from .exceptions import ConfigurationError, InvalidDurationError, MissingExtraError
from .protocol.durations import parse_duration
from .protocol.keys import DEFAULT_PREFIX
from .protocol.serializers import resolve

#: The class to inherit from, for each setting that names a class.
BASE_CLASSES = {
    "QUEUE_CLASS": "django_rqlite.queues.Queue",
    "JOB_CLASS": "django_rqlite.jobs.Job",
    "WORKER_CLASS": "django_rqlite.worker.Worker",
}

#: Imports of RQ that are named one by one.
MOST_IMPORTS = 20

#: Characters of a token that nobody guesses.
SHORTEST_TOKEN = 16

Found = Iterator[CheckMessage]

_without_cron = ContextVar("_without_cron", default=False)


def register() -> None:
    """Register the checks with Django."""
    for check in (check_queues, check_rq, check_cron, check_exception_handlers, check_api_token):
        checks.register(check)
    checks.register(check_rq_imports, checks.Tags.compatibility)
    checks.register(check_signatures_are_required, checks.Tags.security, deploy=True)


def check_queues(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ_QUEUES``."""
    given = getattr(settings, "RQ_QUEUES", None)
    example = f"For example: {conf.EXAMPLE}"
    if given is None:
        return [Error("RQ_QUEUES is not in the settings.", hint=example, id="django_rqlite.E001")]
    if not isinstance(given, Mapping):
        return [
            Error(
                f"RQ_QUEUES must be a dictionary, not {type(given).__name__}.",
                hint=example,
                id="django_rqlite.E002",
            )
        ]
    if not given:
        return [Error("RQ_QUEUES has no queue.", hint=example, id="django_rqlite.E003")]
    return [message for name, queue in given.items() for message in _check_queue(name, queue)]


def _check_queue(name: object, queue: object) -> Found:
    where = f"RQ_QUEUES[{name!r}]"
    if problem := conf.queue_name_problem(name):
        yield Error(
            f"{where}: the name of a queue {problem}.",
            hint="Choose another name.",
            id="django_rqlite.E005",
        )
    elif "," in str(name):
        yield Warning(
            f"{where}: the name has a comma, which separates the names in a worker's list of"
            " queues.",
            hint="Choose another name.",
            id="django_rqlite.W008",
        )
    if not isinstance(queue, Mapping):
        yield Error(
            f"{where} must be a dictionary, not {type(queue).__name__}.",
            hint=f"For example: {conf.EXAMPLE}",
            id="django_rqlite.E004",
        )
        return
    yield from _unknown_keys(where, queue, conf.QUEUE_KEYS, "django_rqlite.W001")
    yield from _check_connection(where, queue)
    yield from _check_behaviour(where, queue)


def _check_connection(where: str, queue: Mapping[str, Any]) -> Found:
    forms = [form for form in conf.CONNECTION_FORMS if form in queue]
    if not forms:
        yield from _no_server(where, queue)
        return
    form = forms[0]
    if len(forms) > 1:
        others = _listed(forms[1:])
        yield Warning(
            f"{where} names its server by {_listed(forms)}. {form} wins; {others} has no effect.",
            hint=f"Take {others} out.",
            id="django_rqlite.W002",
        )
    known_elsewhere = conf.CONNECTION_KEYS - set(conf.CONNECTION_FORMS)
    idle = sorted(known_elsewhere & queue.keys() - set(conf.CONNECTION_FORMS[form]))
    if idle:
        yield Warning(
            f"{where}: {_listed(idle)} has no effect beside {form}.",
            hint=_idle_hint(form),
            id="django_rqlite.W003",
        )
    yield from _check_form(where, queue, form)
    if problem := _contradiction_in_url(queue, form):
        yield Warning(f"{where}: {problem}", id="django_rqlite.W010")
    if key := connections.decodes(queue):
        yield Error(
            f"{where}[{key!r}] asks for decode_responses, but jobs are bytes.",
            hint="Take decode_responses out.",
            id="django_rqlite.E014",
        )


def _no_server(where: str, queue: Mapping[str, Any]) -> Found:
    for companion, form in (("PORT", "HOST"), ("MASTER_NAME", "SENTINELS")):
        if companion in queue:
            yield _missing_companion(where, companion, form)
            return
    yield Error(
        f"{where} names no server.",
        hint=f"Give it one of {_listed(conf.CONNECTION_FORMS)}.",
        id="django_rqlite.E008",
    )


def _missing_companion(where: str, key: str, companion: str) -> Error:
    return Error(
        f"{where} has {key} but no {companion}.",
        hint=f"Add {companion}.",
        id="django_rqlite.E009",
    )


def _idle_hint(form: str) -> str:
    if form == "USE_REDIS_CACHE":
        return "Everything comes from the cache's own entry in CACHES."
    return f"Beside {form} these have one: {_listed(conf.CONNECTION_FORMS[form])}."


def _check_form(where: str, queue: Mapping[str, Any], form: str) -> Found:
    value = queue[form]
    if form == "URL":
        if problem := conf.url_problem(value):
            yield Error(f"{where}['URL'] {problem}.", id="django_rqlite.E011")
    elif form == "USE_REDIS_CACHE":
        if problem := connections.cache_problem(value):
            yield Error(f"{where}: {problem}", id="django_rqlite.E012")
    elif not value:
        yield _wrong_type(where, form, value, "something (is an environment variable unset?)")
    elif form == "SENTINELS":
        if not _are_addresses(value):
            yield _wrong_type(where, form, value, "a list of (host, port)")
        if not queue.get("MASTER_NAME"):
            yield _missing_companion(where, "SENTINELS", "MASTER_NAME")
    elif form == "HOST" and not isinstance(value, str):
        yield _wrong_type(where, form, value, "text")
    elif form == "UNIX_SOCKET_PATH" and not isinstance(value, str | PathLike):
        yield _wrong_type(where, form, value, "a path")
    for key in conf.CONNECTION_FORMS[form]:
        if queue.get(key) is not None and (expected := _expected(key, queue[key])):
            yield _wrong_type(where, key, queue[key], expected)


def _expected(key: str, value: object) -> str | None:
    """What the value of a connection key should be, if it is something else."""
    if key in ("PORT", "DB"):
        whole = isinstance(value, int) and not isinstance(value, bool)
        fits = whole or (isinstance(value, str) and value.isdecimal())
        return None if fits else "a whole number"
    if key == "SOCKET_TIMEOUT":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number else "a number of seconds"
    if key == "SSL":
        return None if isinstance(value, bool) else "True or False"
    if key.endswith("_KWARGS"):
        return None if isinstance(value, Mapping) else "a dictionary"
    return None


def _wrong_type(where: str, key: str, value: object, expected: str) -> Error:
    # Of a wrong value only the type is shown: it may be a password that got into the wrong place.
    found = "empty" if value is not None and not value else f"of type {type(value).__name__}"
    return Error(
        f"{where}[{key!r}] is {'None' if value is None else found}; it must be {expected}.",
        id="django_rqlite.E010",
    )


def _are_addresses(value: object) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and isinstance(pair[0], str)
        and _expected("PORT", pair[1]) is None
        for pair in value
    )


def _contradiction_in_url(queue: Mapping[str, Any], form: str) -> str | None:
    """Say which key a URL overrules, because it has the same in itself."""
    if form != "URL" or conf.url_problem(queue["URL"]):
        return None
    said = conf.said_by_url(queue["URL"])
    overruled = [key for key in ("DB", "USERNAME", "PASSWORD") if queue.get(key) and key in said]
    if not overruled:
        return None
    return f"the URL has its own {_listed(overruled)}, so the key beside it has no effect."


def _check_behaviour(where: str, queue: Mapping[str, Any]) -> Found:
    if not isinstance(queue.get("ASYNC", True), bool):
        yield _wrong_type(where, "ASYNC", queue["ASYNC"], "True or False")
    prefix = queue.get("KEY_PREFIX", DEFAULT_PREFIX)
    if not isinstance(prefix, str) or not prefix:
        yield Error(
            f"{where}['KEY_PREFIX'] must be non-empty text.",
            hint=f"Leave it out for {DEFAULT_PREFIX!r}.",
            id="django_rqlite.E016",
        )
    for key in ("DEFAULT_TIMEOUT", "DEFAULT_RESULT_TTL"):
        yield from _check_duration(where, key, queue.get(key))
    if queue.get("DEFAULT_TIMEOUT") in (0, "0") and queue["DEFAULT_TIMEOUT"] is not False:
        yield Warning(
            f"{where}['DEFAULT_TIMEOUT'] is 0, which means the default of 180 s, as in RQ.",
            hint="Leave it out, or use -1 for no limit.",
            id="django_rqlite.W007",
        )
    try:
        resolve(queue.get("SERIALIZER"), setting=f"{where}['SERIALIZER']")
    except ConfigurationError as error:
        yield Error(str(error), id="django_rqlite.E017")
    yield from _check_classes(where, queue)


def _check_duration(where: str, key: str, value: Any) -> Found:
    try:
        parse_duration(value, name=f"{where}[{key!r}]")
    except InvalidDurationError as error:
        yield Error(str(error), id="django_rqlite.E015")


def _check_classes(where: str, given: Mapping[str, Any]) -> Found:
    for key, base in BASE_CLASSES.items():
        if given.get(key) is not None:
            yield from _check_class(f"{where}[{key!r}]", given[key], key, base)


def _check_class(where: str, value: object, key: str, base: str) -> Found:
    of_rq = Error(
        f"{where} is or inherits from a class of rq or django-rq, which knows nothing of this"
        " package's keys and scripts.",
        hint=f"Inherit from {base} instead, or take the setting out.",
        id="django_rqlite.E019",
    )
    if isinstance(value, str):
        # Before importing it: rq need not be installed.
        if _of_rq(value):
            yield of_rq
            return
        try:
            value = _imported(value)
        except ImportError as error:
            yield Error(f"{where} cannot be imported: {error}", id="django_rqlite.E018")
            return
    if not isinstance(value, type):
        yield Error(f"{where} must be a class, or the dotted path of one.", id="django_rqlite.E018")
    elif any(_of_rq(ancestor.__module__) for ancestor in value.__mro__):
        yield of_rq
    else:
        for name, instead in unused_overrides(key, value):
            yield Warning(
                f"{where}: {value.__module__}.{value.__qualname__} overrides {name}(), which"
                " nothing here calls.",
                hint=instead,
                id="django_rqlite.W021",
            )


def _imported(path: str) -> object:
    module, _, name = path.rpartition(".")
    if not module or not name:
        raise ImportError(f"{path!r} is no dotted path")
    try:
        return getattr(import_module(module), name)
    except AttributeError as error:
        raise ImportError(f"{module!r} has no {name!r}") from error
    except (TypeError, ValueError) as error:  # a path such as '..x'
        raise ImportError(f"{path!r} is no dotted path") from error


def _of_rq(path: str) -> bool:
    return path.partition(".")[0] in ("rq", "django_rq")


def check_rq(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ``."""
    given = getattr(settings, "RQ", {})
    if not isinstance(given, Mapping):
        return [
            Error(
                f"RQ must be a dictionary, not {type(given).__name__}.",
                hint='For example: RQ = {"COMMIT_MODE": "on_db_commit"}',
                id="django_rqlite.E020",
            )
        ]
    return list(_check_rq(given))


def _check_rq(given: Mapping[str, Any]) -> Found:
    yield from _unknown_keys("RQ", given, conf.RQ_KEYS, "django_rqlite.W004")
    for read, code in (
        (conf.commit_mode, "E021"),
        (conf.lease, "E022"),
        (conf.timeout_grace, "E022"),
        (conf.require_signature, "E023"),
        (conf.huge_pages, "E029"),
        (conf.preload, "E033"),
        (conf.job_logs, "E031"),
        (conf.max_result_size, "E032"),
    ):
        yield from _refusal_of(read, f"django_rqlite.{code}")
    if "AUTOCOMMIT" in given:
        mode = "auto" if given["AUTOCOMMIT"] else "request_finished"
        yield Warning(
            "RQ['AUTOCOMMIT'] is deprecated"
            + (", and COMMIT_MODE beside it wins." if given.get("COMMIT_MODE") else "."),
            hint="Take it out."
            if given.get("COMMIT_MODE")
            else f"Use RQ['COMMIT_MODE'] = {mode!r}, which is the same.",
            id="django_rqlite.W005",
        )
    if given.get("SCHEDULER_CLASS") is not None:
        yield Warning(
            "RQ['SCHEDULER_CLASS'] has no effect: every worker schedules, and there is no class to"
            " replace.",
            hint="Take it out.",
            id="django_rqlite.W006",
        )
    yield from _check_duration("RQ", "DEFAULT_RESULT_TTL", given.get("DEFAULT_RESULT_TTL"))
    yield from _check_classes("RQ", given)


@contextmanager
def without_cron() -> Iterator[None]:
    """Have :func:`check_cron` find nothing: its errors would keep a command from running."""
    token = _without_cron.set(True)
    try:
        yield
    finally:
        _without_cron.reset(token)


def check_cron(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ["CRON"]``. Imports the functions that it names."""
    if _without_cron.get() or not isinstance(getattr(settings, "RQ", {}), Mapping):
        return []  # what is no dictionary is E020
    if messages := list(_refusal_of(conf.cron, "django_rqlite.E025")):
        return messages
    found = [
        message for name, entry in conf.cron().items() for message in _check_entry(name, entry)
    ]
    if any(isinstance(message.obj, MissingExtraError) for message in found):
        # Of each entry the same: say it once.
        found = [each for each in found if not isinstance(each.obj, MissingExtraError)]
        found.append(Error(cron.EXTRA_MISSING, id="django_rqlite.E028"))
    return found


def _check_entry(name: object, entry: object) -> Found:
    mistakes = list(cron.mistakes_of(name, entry))
    for mistake in mistakes:
        obj = mistake if isinstance(mistake, MissingExtraError) else None
        yield Error(str(mistake), obj=obj, id="django_rqlite.E026")
    if not isinstance(name, str) or not isinstance(entry, Mapping):
        return
    where = f"RQ['CRON'][{name!r}]"
    yield from _unknown_keys(where, entry, cron.ENTRY_KEYS, "django_rqlite.W011")
    if entry.get("timezone") and entry.get("interval"):
        yield Warning(
            f"{where}['timezone'] has no effect beside an interval.",
            hint="Take it out, or use 'cron'.",
            id="django_rqlite.W012",
        )
    if not mistakes and (reason := cron.why_not_importable(entry["func"])):
        yield Error(
            f"{where}: {reason}",
            hint="Its jobs would fail. Correct the path, or what its module does when imported.",
            id="django_rqlite.E027",
        )


def check_rq_imports(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check whether the project's own apps import RQ beside us. Reads their source."""
    configs = apps.get_app_configs() if app_configs is None else app_configs
    found = rq_imports.find_imports(app.path for app in cast("Iterable[AppConfig]", configs))
    messages: list[CheckMessage] = [
        Warning(
            f"{_relative(one.path)}:{one.line}: `{one.statement}`. RQ knows nothing of the jobs"
            " that run here: its get_current_job() is None in them, and what it enqueues is not"
            " signed.",
            hint=one.instead,
            id="django_rqlite.W020",
        )
        for one in found[:MOST_IMPORTS]
    ]
    if len(found) > MOST_IMPORTS:
        messages.append(
            Warning(
                f"{len(found) - MOST_IMPORTS} more imports of RQ were found.",
                hint="Correct those above; the others are shown then.",
                id="django_rqlite.W020",
            )
        )
    return messages


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def check_exception_handlers(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ_EXCEPTION_HANDLERS``."""
    if messages := list(_refusal_of(conf.exception_handlers, "django_rqlite.E024")):
        return messages
    return list(_check_handlers(conf.exception_handlers()))


def _check_handlers(paths: list[str]) -> Found:
    for path in paths:
        try:
            handler = _imported(path)
        except ImportError as error:
            yield Error(
                f"RQ_EXCEPTION_HANDLERS: {path!r} cannot be imported: {error}",
                id="django_rqlite.E024",
            )
        else:
            if not callable(handler):
                yield Error(
                    f"RQ_EXCEPTION_HANDLERS: {path!r} cannot be called.", id="django_rqlite.E024"
                )


def check_api_token(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check ``RQ_API_TOKEN``. Nothing that it says has a part of the token in it."""
    if messages := list(_refusal_of(conf.api_token, "django_rqlite.E030")):
        return messages
    if 0 < len(conf.api_token()) < SHORTEST_TOKEN:
        return [
            Warning(
                f"RQ_API_TOKEN has fewer than {SHORTEST_TOKEN} characters, so it can be guessed.",
                hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe())'",
                id="django_rqlite.W013",
            )
        ]
    return []


def check_signatures_are_required(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Check, for a deployment, that only signed jobs are run."""
    given = getattr(settings, "RQ", {})
    if not isinstance(given, Mapping) or given.get("REQUIRE_SIGNATURE"):
        return []
    return [
        Warning(
            "RQ['REQUIRE_SIGNATURE'] is not set, so jobs, results and meta without a signature are"
            " trusted: whoever can write to Redis can run code in the workers and on the site, with"
            " a job that names any function or callback, or with a pickle.",
            hint="Set it to True, unless clients or workers of RQ itself share the queues. The part"
            " “Trust” of docs/design.md says what signatures keep out, and what they do not.",
            id="django_rqlite.W009",
        )
    ]


def _refusal_of(read: Callable[[], object], code: str) -> Found:
    try:
        read()
    except ConfigurationError as error:
        yield Error(str(error), id=code)


def _unknown_keys(where: str, given: Mapping[str, Any], known: frozenset[str], code: str) -> Found:
    for key in given:
        if key not in known:
            nearest = conf.nearest_first(str(key), known)[0]
            yield Warning(
                f"{where} has the unknown key {key!r}, which has no effect.",
                hint=f"Did you mean {nearest!r}?",
                id=code,
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
