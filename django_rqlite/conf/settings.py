"""``RQ`` and the other settings of this package, except ``RQ_QUEUES``: their rules and values.

The settings are those of django-rq 4.2, with the same meaning. Each is read when it is needed, so
that changes take effect at once, even in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from .validation import SettingProblem, raise_first, unknown_keys

COMMIT_MODES: Final = ("on_db_commit", "auto", "request_finished")
DEFAULT_LEASE: Final = 60
DEFAULT_TIMEOUT_GRACE: Final = 10
#: Lines of a job's log that can be kept.
MAX_LOG_LINES: Final = 1000
#: Bytes. A result crosses the wire twice in one command, once in base64, which makes 150 MB. A
#: server accepts that, and is not busy with it for long.
DEFAULT_MAX_RESULT_SIZE: Final = 64 * 1024 * 1024
#: An API token with fewer characters can be guessed.
MIN_TOKEN_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class _Rule:
    """The rule of one key of ``RQ``.

    Attributes:
        check_id: The number of the system check that reports a value that is not accepted.
        default: The value if the key is missing.
        remedy: Says which values are accepted.
    """

    check_id: str
    default: Any
    accepts: Callable[[Any], bool]
    remedy: str


def _is_bool(value: object) -> bool:
    # By truth value, the text 'False' would be true, and None false.
    return isinstance(value, bool)


def _is_int(value: object, minimum: int, maximum: float = float("inf")) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum


def _is_module_list(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) and name for name in value)


_SECONDS = "Use whole seconds, at least 1."
_BOOL = "Use True or False."
_RULES: Final[Mapping[str, _Rule]] = {
    "COMMIT_MODE": _Rule(
        "E021",
        None,
        lambda value: not value or value in COMMIT_MODES,
        f"Use one of {', '.join(map(repr, COMMIT_MODES))}.",
    ),
    "LEASE": _Rule("E022", DEFAULT_LEASE, lambda value: _is_int(value, 1), _SECONDS),
    "TIMEOUT_GRACE": _Rule(
        "E022", DEFAULT_TIMEOUT_GRACE, lambda value: _is_int(value, 1), _SECONDS
    ),
    "ON_WORKER_DEATH": _Rule(
        "E034",
        "requeue",
        lambda value: value in ("requeue", "fail"),
        "Use 'requeue' (at most three times) or 'fail'.",
    ),
    "REQUIRE_SIGNATURE": _Rule("E023", False, _is_bool, _BOOL),
    "HUGE_PAGES": _Rule("E029", True, _is_bool, _BOOL),
    "PRELOAD": _Rule(
        "E033",
        True,
        lambda value: _is_bool(value) or _is_module_list(value),
        "Use True (jobs and tasks of every app), False, or a list of modules, such as "
        "['myapp.jobs'].",
    ),
    "JOB_LOGS": _Rule(
        "E031",
        0,
        lambda value: _is_int(value, 0, MAX_LOG_LINES),
        f"Use the number of lines to keep of each job, up to {MAX_LOG_LINES}; 0 keeps no lines.",
    ),
    "MAX_RESULT_SIZE": _Rule(
        "E032",
        DEFAULT_MAX_RESULT_SIZE,
        lambda value: _is_int(value, 1),
        "Use a whole number of bytes, at least 1.",
    ),
}

#: Keys of ``RQ`` whose meaning and rules are defined elsewhere.
_OTHER_KEYS: Final = frozenset(
    {
        *("AUTOCOMMIT", "DEFAULT_RESULT_TTL", "CRON"),
        *("QUEUE_CLASS", "JOB_CLASS", "WORKER_CLASS", "SCHEDULER_CLASS"),
    }
)
RQ_KEYS: Final = frozenset(_RULES) | _OTHER_KEYS


def rq() -> Mapping[str, Any]:
    """Return ``RQ``.

    Raises:
        ConfigurationError: It is not a dictionary.
    """
    given = getattr(settings, "RQ", {})
    # The first test is the faster one.
    if type(given) is not dict and not isinstance(given, Mapping):
        raise_first(rq_problems(given))
    found: Mapping[str, Any] = given
    return found


def commit_mode() -> str:
    """Return when a job enqueued in a transaction is pushed: one of :data:`COMMIT_MODES`."""
    given = _value("COMMIT_MODE")
    if given:
        return str(given)
    if "AUTOCOMMIT" in rq():  # django-rq's older name
        return _mode_of_autocommit(rq()["AUTOCOMMIT"])
    return COMMIT_MODES[0]


def lease() -> int:
    """Return for how many seconds a worker holds a job before it has to renew its lease."""
    return int(_value("LEASE"))


def timeout_grace() -> int:
    """Return the seconds between a timeout's exception in the job and the SIGKILL."""
    return int(_value("TIMEOUT_GRACE"))


def requeue_on_worker_death() -> bool:
    """Return whether a job is queued again if its worker dies. If not, it fails."""
    return bool(_value("ON_WORKER_DEATH") == "requeue")


def require_signature() -> bool:
    """Return whether bytes from Redis without a signature are refused."""
    return bool(_value("REQUIRE_SIGNATURE"))


def huge_pages() -> bool:
    """Return whether a worker keeps the memory that it shares with its children in huge pages."""
    return bool(_value("HUGE_PAGES"))


def preload() -> bool | tuple[str, ...]:
    """Return which modules a worker imports before it forks.

    True: ``jobs`` and ``tasks`` of every app; False: nothing; or the names of modules.
    """
    given = _value("PRELOAD")
    return given if isinstance(given, bool) else tuple(given)


def job_logs() -> int:
    """Return how many lines of each job's log are kept."""
    return int(_value("JOB_LOGS"))


def max_result_size() -> int:
    """Return how many bytes a serialized result may have. A larger one is not kept."""
    return int(_value("MAX_RESULT_SIZE"))


def default_class(key: str) -> str | type | None:
    """Return ``RQ[key]``, the default of the queues' classes: ``QUEUE_CLASS`` for example."""
    given: str | type | None = rq().get(key)
    return given


def cron() -> Mapping[str, Any]:
    """Return ``RQ["CRON"]``: the keys of each entry, by its name.

    The rules for the entries are in ``cron/entries.py``.
    """
    given = rq().get("CRON") or {}
    raise_first(cron_problems(given))
    found: Mapping[str, Any] = given
    return found


def exception_handlers() -> list[str]:
    """Return ``RQ_EXCEPTION_HANDLERS``: dotted paths, in the order in which they are called."""
    given = getattr(settings, "RQ_EXCEPTION_HANDLERS", None) or []
    raise_first(exception_handlers_problems(given))
    return list(given)


def load_exception_handlers() -> list[Callable[..., Any]]:
    """Import and return the functions that ``RQ_EXCEPTION_HANDLERS`` names.

    Raises:
        ConfigurationError: One of them cannot be imported or called.
    """
    handlers = []
    for path in exception_handlers():
        found = find_exception_handler(path)
        if isinstance(found, SettingProblem):
            raise found.as_error()
        handlers.append(found)
    return handlers


def api_token() -> str:
    """Return ``RQ_API_TOKEN``. If it is empty, no token is accepted."""
    given = getattr(settings, "RQ_API_TOKEN", "") or ""
    raise_first(api_token_problems(given))
    return str(given)


def show_admin_link() -> bool:
    """Return ``RQ_SHOW_ADMIN_LINK``: whether the index of the admin shows a link."""
    return bool(getattr(settings, "RQ_SHOW_ADMIN_LINK", True))


def rq_problems(given: object) -> Iterator[SettingProblem]:
    """Yield what is wrong with the value of ``RQ``.

    The rules for its durations, its classes and its cron entries are elsewhere.
    """
    if not isinstance(given, Mapping):
        yield SettingProblem(
            "E020",
            f"RQ must be a dictionary, not {type(given).__name__}.",
            hint='For example: RQ = {"COMMIT_MODE": "on_db_commit"}',
        )
        return
    yield from unknown_keys("RQ", given, RQ_KEYS, "W004")
    for key, rule in _RULES.items():
        value = given.get(key, rule.default)
        if not rule.accepts(value):
            yield _refused(key, rule, value)
    if "AUTOCOMMIT" in given and given.get("COMMIT_MODE"):
        yield SettingProblem(
            "W005",
            "RQ['AUTOCOMMIT'] is deprecated, and COMMIT_MODE beside it wins.",
            hint="Take it out.",
        )
    elif "AUTOCOMMIT" in given:
        mode = _mode_of_autocommit(given["AUTOCOMMIT"])
        yield SettingProblem(
            "W005",
            "RQ['AUTOCOMMIT'] is deprecated.",
            hint=f"Use RQ['COMMIT_MODE'] = {mode!r}, which is the same.",
        )
    if given.get("SCHEDULER_CLASS") is not None:
        yield SettingProblem(
            "W006",
            "RQ['SCHEDULER_CLASS'] has no effect: every worker schedules, and there is no class to "
            "replace.",
            hint="Take it out.",
        )


def cron_problems(given: object) -> Iterator[SettingProblem]:
    """Yield what is wrong with the value of ``RQ["CRON"]``, without looking at its entries."""
    if not isinstance(given, Mapping):
        yield SettingProblem(
            "E025",
            f"RQ['CRON'] must be a dictionary, not {type(given).__name__}.",
            hint="For example: {'nightly': {'func': 'myapp.jobs.tidy', 'cron': '0 3 * * *'}}",
        )


def exception_handlers_problems(given: object) -> Iterator[SettingProblem]:
    """Yield what is wrong with the value of ``RQ_EXCEPTION_HANDLERS``. Imports nothing."""
    if not isinstance(given, list | tuple) or not all(isinstance(path, str) for path in given):
        yield SettingProblem("E024", "RQ_EXCEPTION_HANDLERS must be a list of dotted paths.")


def find_exception_handler(path: str) -> Callable[..., Any] | SettingProblem:
    """Return the function that a path in ``RQ_EXCEPTION_HANDLERS`` names, or its problem."""
    try:
        found: object = import_string(path)
    except (ImportError, TypeError) as error:  # TypeError: a path such as '..x'
        message = f"RQ_EXCEPTION_HANDLERS: {path!r} can't be imported: {error}."
        return SettingProblem("E024", message, cause=error)
    if not callable(found):
        return SettingProblem("E024", f"RQ_EXCEPTION_HANDLERS: {path!r} can't be called.")
    return found


def api_token_problems(given: object) -> Iterator[SettingProblem]:
    """Yield what is wrong with the value of ``RQ_API_TOKEN``, without showing a part of it."""
    if not isinstance(given, str):
        yield SettingProblem("E030", f"RQ_API_TOKEN must be text, not {type(given).__name__}.")
    elif 0 < len(given) < MIN_TOKEN_LENGTH:
        yield SettingProblem(
            "W013",
            f"RQ_API_TOKEN has fewer than {MIN_TOKEN_LENGTH} characters, so it can be guessed.",
            hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe())'",
        )


def _value(key: str) -> Any:
    rule = _RULES[key]
    value = rq().get(key, rule.default)
    if not rule.accepts(value):
        raise _refused(key, rule, value).as_error()
    return value


def _refused(key: str, rule: _Rule, value: object) -> SettingProblem:
    return SettingProblem(rule.check_id, f"RQ[{key!r}] is {value!r}.", rule.remedy)


def _mode_of_autocommit(value: object) -> str:
    return "auto" if value else "request_finished"
