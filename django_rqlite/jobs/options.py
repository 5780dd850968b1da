"""The options of a job, each defined once.

:class:`JobOptions` is the table. A row says how an option is checked, what it sets in the job's
record, under which name other calls take it, and what it means. Where and how the record's values
are stored is declared in :class:`~django_rqlite.protocol.records.JobRecord`.
"""

# ruff: noqa: RUF009 - _option() is dataclasses.field()
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from ..exceptions import InvalidJobError, InvalidJobIdError
from ..protocol.durations import parse_duration
from ..protocol.records import JOB_ID, MOST_TAGS_BYTES, write_tags
from .policies import Callback, Dependency, Repeat, Retry

_T = TypeVar("_T")

#: Checks a value. Takes it and the name that the caller used, for errors. Returns the value to
#: store.
Check = Callable[[Any, str], Any]

#: Takes the checked value. Returns attributes of the job's record.
Recorded = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table.

    Attributes:
        name: In ``enqueue_call()``, ``prepare_data()``, ``create_job()``, ``Job.create()`` and
            ``@job``.
        meaning: One sentence for the documentation.
        check: Checks and converts a value other than None. None means that the option is not given.
        recorded: What the value sets in the job's record: a function; True for the attribute of the
            option's own name; False for nothing.
        in_enqueue: Its name in ``enqueue()``, ``enqueue_at()`` and ``enqueue_in()``, whose other
            keywords belong to the function; "" if these calls do not take it. A new option is
            called ``job_<name>`` there, since functions have arguments of all names.
        in_cron: Its name in an entry of ``RQ["CRON"]``; "" if entries do not take it.
        in_create_job: ``"always"`` if ``create_job()`` is called with it in any case, as RQ does,
            because a project's own ``create_job()`` may rely on it; ``"if given"`` for options
            that RQ does not have; ``"never"`` for those that RQ gives to ``enqueue_job()``.
    """

    name: str
    meaning: str
    check: Check
    recorded: Recorded | bool
    in_enqueue: str
    in_cron: str
    in_create_job: str


# How options are checked


def _seconds(minimum: int = 0) -> Check:
    def check(value: Any, name: str) -> int | None:
        return parse_duration(value, name=name, minimum=minimum)

    return check


def _ttl(value: Any, name: str) -> int | None:
    seconds = parse_duration(value, name=name, minimum=1)
    return None if seconds == -1 else seconds


def _lease(value: Any, name: str) -> int | None:
    return parse_duration(value, name=name, minimum=1, forever=False)


def _text(value: Any, name: str) -> str:
    return str(value)


def _flag(value: Any, name: str) -> bool:
    return bool(value)


def _job_id(value: Any, name: str) -> str:
    if not isinstance(value, str) or not JOB_ID.fullmatch(value):
        raise InvalidJobIdError(
            f"{name} {value!r} has characters other than letters, digits, '_' and '-', or is "
            "empty. Choose another, or leave it out to get a new one."
        )
    return value


def _dictionary(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidJobError(f"{name} must be a dictionary, not {type(value).__name__}.")
    return value


def _group(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidJobError(f"{name} must be the name of a group, not {value!r}.")
    return value


def _key(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidJobError(
            f"{name} must be non-empty text, not {value!r}: jobs with the same one exclude each "
            "other while they wait or run."
        )
    return value


def _tags(value: Any, name: str) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidJobError(f"{name} must be a list of texts. Write {name}=[{value!r}].")
    if not isinstance(value, list | tuple | set | frozenset):
        raise InvalidJobError(f"{name} must be a list of texts, not {type(value).__name__}.")
    for tag in value:
        if not isinstance(tag, str) or not tag.strip() or not tag.isprintable():
            raise InvalidJobError(f"{name} must be non-empty, printable texts, but has {tag!r}.")
    # A set has no order, so its tags are sorted.
    unordered = isinstance(value, set | frozenset)
    tags = tuple(dict.fromkeys(sorted(value) if unordered else value))
    size = len(write_tags(tags))
    if size > MOST_TAGS_BYTES:
        raise InvalidJobError(
            f"{name} take {size} bytes, but the most is {MOST_TAGS_BYTES}. Give the job fewer or "
            "shorter ones, and put the rest into meta."
        )
    return tags


def _callback(value: Any, name: str) -> Callback:
    return Callback.of(value)


def _dependency(value: Any, name: str) -> Dependency | None:
    if value == []:
        return None
    try:
        return Dependency.of(value)
    except ValueError as exc:
        raise InvalidJobError(f"{name}: {exc}") from exc


def _instance(kind: type[_T], example: str) -> Check:
    def check(value: Any, name: str) -> _T:
        if isinstance(value, kind):
            return value
        raise InvalidJobError(
            f"{name} must be a {kind.__name__}, such as {example}, not {value!r}."
        )

    return check


# What options set in the record


def _record_callback(end: str) -> Recorded:
    name, timeout = f"{end}_callback_name", f"{end}_callback_timeout"
    return lambda callback: {name: callback.name, timeout: callback.timeout}


def _record_dependency(dependency: Dependency) -> dict[str, Any]:
    return {
        "dependency_ids": tuple(dependency.ids),
        "allow_dependency_failures": dependency.allow_failure,
        "enqueue_at_front": dependency.enqueue_at_front,
    }


def _record_retry(retry: Retry) -> dict[str, Any]:
    return {
        "retries_left": retry.max,
        "retries_max": retry.max,
        "retry_intervals": tuple(retry.intervals),
        "enqueue_at_front_on_retry": retry.enqueue_at_front,
        "retry_extras": retry.extras() or "",
    }


def _record_repeat(repeat: Repeat) -> dict[str, Any]:
    return {
        "repeats_left": repeat.times,
        "repeats_max": repeat.times,
        "repeat_intervals": tuple(repeat.intervals),
    }


def _option(
    check: Check,
    meaning: str,
    *,
    default: object = None,
    recorded: Recorded | bool = True,
    in_enqueue: str | None = None,
    in_cron: str = "",
    in_create_job: str = "always",
) -> Any:
    """A row of the table; see :class:`Option`.

    Args:
        in_enqueue: None: the option's own name.
    """
    row = {
        "check": check,
        "meaning": meaning,
        "recorded": recorded,
        "in_enqueue": in_enqueue,
        "in_cron": in_cron,
        "in_create_job": in_create_job,
    }
    return field(default=default, metadata=row)


@dataclass(frozen=True, slots=True)
class JobOptions:
    """The options of a job. Durations are in whole seconds."""

    timeout: int | None = _option(
        _seconds(minimum=1),
        "How long the job may run; −1: without limit. Default: the queue's `DEFAULT_TIMEOUT`.",
        in_enqueue="job_timeout",
        in_cron="job_timeout",
    )
    result_ttl: int | None = _option(
        _seconds(),
        "How long its result is kept; −1: for ever, 0: not at all. Default: the queue's "
        "`DEFAULT_RESULT_TTL`.",
        in_cron="result_ttl",
    )
    failure_ttl: int | None = _option(
        _seconds(),
        "How long the job is kept when it has failed; −1: for ever. Default: a year.",
        in_cron="failure_ttl",
    )
    ttl: int | None = _option(
        _ttl,
        "How long the job may wait before it is dropped; −1: for ever. Default: for ever.",
        in_cron="ttl",
    )
    description: str | None = _option(
        _text,
        "What logs and pages show. Default: the call.",
        in_cron="description",
    )
    job_id: str | None = _option(
        _job_id,
        "The job's id, of letters, digits, `_` and `-`. Default: a random one.",
        recorded=False,
    )
    at_front: bool = _option(
        _flag,
        "Whether the job goes before all others of its queue.",
        default=False,
        recorded=False,
        in_cron="at_front",
        in_create_job="never",
    )
    meta: Mapping[str, Any] | None = _option(
        _dictionary,
        "A dictionary for the job's own use.",
        recorded=False,
        in_cron="meta",
    )
    on_success: Callback | None = _option(
        _callback,
        "A function, or a `Callback`, that is called when the job has succeeded.",
        recorded=_record_callback("success"),
    )
    on_failure: Callback | None = _option(
        _callback,
        "A function, or a `Callback`, that is called when the job has failed.",
        recorded=_record_callback("failure"),
    )
    on_stopped: Callback | None = _option(
        _callback,
        "A function, or a `Callback`, that is called when the job was stopped.",
        recorded=_record_callback("stopped"),
    )
    depends_on: Dependency | None = _option(
        _dependency,
        "A job, an id, a `Dependency`, or a list of these: the job waits until they have ended.",
        recorded=_record_dependency,
    )
    retry: Retry | None = _option(
        _instance(Retry, "Retry(max=3)"),
        "A `Retry`: how often and when the job runs again after it has failed.",
        recorded=_record_retry,
    )
    repeat: Repeat | None = _option(
        _instance(Repeat, "Repeat(times=3)"),
        "A `Repeat`: how often and when the job runs again after it has succeeded.",
        recorded=_record_repeat,
    )
    group_id: str | None = _option(
        _group,
        "The name of the group that the job joins.",
        in_enqueue="",  # as in RQ: a function may have an argument of this name
    )
    tags: tuple[str, ...] = _option(
        _tags,
        'A list of short texts by which people find the job: `["import", "customer:17"]`.',
        default=(),
        in_enqueue="job_tags",
        in_cron="tags",
        in_create_job="if given",
    )
    unique: bool = _option(
        _flag,
        "Whether the job is refused while there is any job with its `job_id`.",
        default=False,
        recorded=False,
        in_create_job="never",
    )
    unique_key: str | None = _option(
        _key,
        "A text. The job is refused while another one with the same text waits or runs.",
        in_create_job="if given",
    )
    unique_for: int | None = _option(
        _lease,
        "The longest time for which another job with the same `unique_key` is refused.",
        in_create_job="if given",
    )

    def said(self) -> dict[str, Any]:
        """Return the options as keywords of ``create_job()``; see :attr:`Option.in_create_job`."""
        said = {}
        for option, default in _IN_CREATE_JOB:
            value = getattr(self, option.name)
            if option.in_create_job == "always" or value != default:
                said[option.name] = value
        return said

    def recorded(self) -> dict[str, Any]:
        """Return what the options set in the job's record."""
        recorded: dict[str, Any] = {}
        for name, attributes in _RECORDED:
            value = getattr(self, name)
            if value is None:
                continue
            recorded |= {name: value} if attributes is True else attributes(value)
        if self.at_front and self.depends_on is not None:
            recorded["enqueue_at_front"] = True  # read when the dependencies have ended
        return recorded


def _rows() -> dict[str, Option]:
    rows = {}
    for column in fields(JobOptions):
        said = dict(column.metadata)
        if said["in_enqueue"] is None:
            said["in_enqueue"] = column.name
        rows[column.name] = Option(name=column.name, **said)
    return rows


#: The rows of the table by their names.
OPTIONS: Mapping[str, Option] = _rows()

#: The options of a call that has none.
NOTHING_SAID = JobOptions()

_IN_CREATE_JOB = tuple(
    (option, getattr(NOTHING_SAID, name))
    for name, option in OPTIONS.items()
    if option.in_create_job != "never"
)
_RECORDED: tuple[tuple[str, Any], ...] = tuple(
    (name, option.recorded) for name, option in OPTIONS.items() if option.recorded
)

#: RQ's options that are not supported. Passing one of them on to the function would only fail
#: later, in the worker; leaving it out would silently ignore what was asked for.
_UNSUPPORTED = {
    "webhooks": "The option 'webhooks' is not supported by this release of django_rqlite. To pass "
    "'webhooks' to the function itself, use args=(...) and kwargs={...}.",
    "pipeline": "The option 'pipeline' is not supported: one enqueue is one atomic script here, so "
    "there is nothing to group. Leave it out.",
}

#: The keywords that ``enqueue()`` takes for itself, and the options that they mean.
_KEYWORDS = {option.in_enqueue: name for name, option in OPTIONS.items() if option.in_enqueue}
_KEYWORDS |= {name: name for name in _UNSUPPORTED}
#: All keywords that ``enqueue()`` does not pass to the function.
ENQUEUE_KEYWORDS = _KEYWORDS.keys() | {"args", "kwargs"}

#: The keys of an entry of ``RQ["CRON"]`` that are options of its job, and their options.
CRON_KEYS: Mapping[str, str] = {
    option.in_cron: name for name, option in OPTIONS.items() if option.in_cron
}


def checked(**given: Any) -> JobOptions:
    """Return the options of ``enqueue_call()``, checked and converted.

    Raises:
        InvalidJobError: An option is unknown, or its value cannot be used; see the subclasses.
    """
    return _checked(given, {})


def checked_cron_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options in an entry of ``RQ["CRON"]``, as keywords of ``create_job()``.

    Raises:
        InvalidJobError: A value cannot be used; see the subclasses.
    """
    given = {name: entry[key] for key, name in CRON_KEYS.items() if entry.get(key) is not None}
    _checked(given, {name: key for key, name in CRON_KEYS.items()})
    return given


def _checked(given: Mapping[str, Any], written: Mapping[str, str]) -> JobOptions:
    """Check options.

    Args:
        written: The names that the caller used, for errors, if they differ.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        option = OPTIONS.get(name)
        if option is None:
            _refuse(name, value)
        elif value is not None:
            values[name] = option.check(value, written.get(name, name))
    options = JobOptions(**values)
    if options.unique and options.job_id is None:
        raise InvalidJobError(
            "unique=True needs a job_id, and refuses the job while another job has this id. To "
            "exclude jobs with other ids while one of them waits or runs, use unique_key."
        )
    if options.unique_key is None and options.unique_for is not None:
        _key(None, "unique_key")
    if options.unique_for is None and options.unique_key is not None:
        raise InvalidJobError(
            f"unique_key={options.unique_key!r} needs unique_for: the seconds, or a form such as "
            "'10m', after which another job may have the key even if this one has not ended."
        )
    return options


def _refuse(name: str, value: object) -> None:
    if name not in _UNSUPPORTED:
        raise InvalidJobError(
            f"enqueue_call() has no option {name!r}. To pass it to the function, put it into "
            "kwargs={...}."
        )
    # Code that calls with RQ's signature passes all of them, empty.
    if value is not None and (value or name == "pipeline"):
        raise InvalidJobError(_UNSUPPORTED[name])


def refuse_pipeline(given: object, call: str, error: type[Exception]) -> None:
    """Refuse the argument ``pipeline`` of RQ's signatures, which would have no effect.

    Raises:
        Exception: ``error``, if a pipeline is given.
    """
    if given is not None:
        raise error(
            f"{call} can't use a pipeline of yours: it is one atomic script by itself, which runs "
            "at once. Leave the pipeline out."
        )


def split(
    args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[JobOptions, Sequence[Any], Mapping[str, Any]]:
    """Split the arguments of ``enqueue()`` into options and the function's own, as RQ does.

    If ``args=`` or ``kwargs=`` is given explicitly, these alone go to the function.

    Raises:
        InvalidJobError: There are other arguments besides explicit ones; or see :func:`checked`.
    """
    if ENQUEUE_KEYWORDS.isdisjoint(kwargs):
        return NOTHING_SAID, args, kwargs
    given: dict[str, Any] = {}
    written: dict[str, str] = {}
    for keyword in _KEYWORDS.keys() & kwargs.keys():
        name = _KEYWORDS[keyword]
        given[name] = kwargs.pop(keyword)
        written[name] = keyword
    if "args" in kwargs or "kwargs" in kwargs:
        if args:
            raise InvalidJobError(
                "Positional arguments can't be combined with explicit args=(...) and "
                "kwargs={...}. Put all of them into args."
            )
        args = kwargs.pop("args", None) or ()
        explicit = kwargs.pop("kwargs", None) or {}
        if kwargs:
            raise InvalidJobError(
                f"The keywords {', '.join(map(repr, kwargs))} would be lost beside explicit "
                "args=(...) and kwargs={...}. Put all of them into kwargs."
            )
        kwargs = explicit
    return _checked(given, written), args, kwargs
