"""Jobs that recur: the entries of ``RQ["CRON"]``, and those of a file for ``manage.py rqcron``.

Such a file calls :func:`register`, as RQ's do::

    from django_rqlite import cron
    from myapp.jobs import send_report

    cron.register(send_report, "default", cron="0 9 * * mon-fri")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from .. import conf
from ..compat.missing_names import module_getattr
from ..engine.scripts import Argument
from ..exceptions import ConfigurationError, InvalidJobError, MissingExtraError, RQLiteError
from ..jobs import callables
from ..jobs.job import Job
from ..jobs.options import CRON_KEYS, checked_cron_entry
from ..protocol.durations import parse_duration
from ..queues.lookup import get_queue
from .cron_expression import cron_expression
from .schedule import Interval, Schedule

#: What an entry of ``RQ["CRON"]`` may say.
ENTRY_KEYS = frozenset(
    {"func", "cron", "interval", "timezone", "queue", "args", "kwargs", *CRON_KEYS}
)

#: The zone of expressions in files for ``rqcron``, as RQ reads them.
ZONE_OF_FILES = "UTC"

EXTRA_MISSING = (
    "RQ['CRON'] has cron expressions, which need the package cronsim: pip install "
    "'django-rqlite[cron]'. Entries with an interval work without it."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A job to be enqueued again and again.

    Attributes:
        name: unique on its server: at each tick, one job is enqueued for each name.
        source: where it was found, for people.
    """

    name: str
    func: Callable[..., Any] | str
    schedule: Schedule
    queue: str
    source: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def func_name(self) -> str:
        """How its jobs name what they call."""
        return callables.reference(self.func)[0]

    def job(self) -> tuple[Job, dict[str, Argument]]:
        """A new job, and its hash as an enqueueing script writes it.

        Raises:
            RQLiteError: it can't become a job.
        """
        described = {"description": self._description(), **self.options}
        job = get_queue(self.queue).create_job(self.func, self.args, self.kwargs, **described)
        job.cron_entry = self.name
        return job, job.to_fields()

    def _description(self) -> str:
        call = callables.description(*callables.reference(self.func), self.args, self.kwargs)
        return call if self.name == self.func_name else f"{self.name}: {call}"


@dataclass(frozen=True, slots=True)
class Entries:
    """What the settings say, as far as it can be used."""

    good: Sequence[Entry]
    #: Why others can't be, in sentences.
    problems: Sequence[str]


def from_settings() -> Entries:
    """The entries of ``RQ["CRON"]``. Never raises: what can't be used becomes a problem."""
    try:
        given = conf.cron()
    except ConfigurationError as exc:
        return Entries((), (str(exc),))
    good, problems, lack_extra = [], [], []
    for name in given:
        mistakes = list(mistakes_of(name, given[name]))
        if not mistakes:
            good.append(_of_settings(name, given[name]))
        elif isinstance(mistakes[0], MissingExtraError):
            lack_extra.append(f"{name!r}")
        else:
            problems.append(str(mistakes[0]))
    if lack_extra:
        problems.append(f"{EXTRA_MISSING} Left out: {', '.join(lack_extra)}.")
    return Entries(good, problems)


def of_settings(name: str) -> Entry:
    """One entry of ``RQ["CRON"]``.

    Raises:
        ConfigurationError: there is none of this name, or what it says can't be used.
    """
    given = conf.cron()
    if name not in given:
        raise ConfigurationError(f"RQ['CRON'] has no entry {name!r}.")
    for mistake in mistakes_of(name, given[name]):
        raise mistake
    return _of_settings(name, given[name])


def why_not_importable(func: object) -> str | None:
    """What is wrong with a function given by its path, in a sentence. Imports its module."""
    if not isinstance(func, str):
        return None
    try:
        found = callables.resolve(func, None)
    except Exception as exc:  # noqa: BLE001 - a module may raise anything when it is imported
        return f"the function {func!r} can't be imported ({type(exc).__name__}: {exc})."
    return None if callable(found) else f"{func!r} can't be called."


def mistakes_of(name: object, given: object) -> Iterator[ConfigurationError]:
    """All that is wrong with an entry of ``RQ["CRON"]``, unknown keys excepted."""
    where = _where(name)
    if not isinstance(name, str) or not name:
        yield ConfigurationError(f"{where}: the name of an entry must be non-empty text.")
        return
    if not isinstance(given, Mapping):
        yield ConfigurationError(f"{where} must be a dictionary, not {type(given).__name__}.")
        return
    found = False
    for read in (_func, _schedule, _queue, _arguments, _options):
        try:
            read(where, given)
        except ConfigurationError as exc:
            found = True
            yield exc
    if not found:
        try:
            _usable(_of_settings(name, given), where)
        except ConfigurationError as exc:
            yield exc


def _where(name: object) -> str:
    return f"RQ['CRON'][{name!r}]"


def _of_settings(name: str, given: Mapping[str, Any]) -> Entry:
    return _entry(name, given, where=_where(name), source="settings")


def _entry(name: str, given: Mapping[str, Any], *, where: str, source: str) -> Entry:
    args, kwargs = _arguments(where, given)
    return Entry(
        name=name,
        func=_func(where, given),
        schedule=_schedule(where, given),
        queue=_queue(where, given),
        source=source,
        args=args,
        kwargs=kwargs,
        options=_options(where, given),
    )


def _usable(entry: Entry, where: str) -> Entry:
    """Make a job on trial: what is wrong with it is said now and not at the first tick."""
    try:
        entry.job()
    except ConfigurationError:
        raise
    except RQLiteError as exc:
        raise ConfigurationError(f"{where}: {exc}") from exc
    return entry


def _func(where: str, given: Mapping[str, Any]) -> Callable[..., Any] | str:
    func = given.get("func")
    if func is None:
        raise ConfigurationError(f"{where} has no 'func'. Give it the path of a function.")
    try:
        callables.reference(func)
    except InvalidJobError as exc:
        raise ConfigurationError(f"{where}['func']: {exc}") from exc
    return func  # type: ignore[no-any-return]


def _schedule(where: str, given: Mapping[str, Any]) -> Schedule:
    cron, interval = given.get("cron"), given.get("interval")
    if (cron is None) == (interval is None):
        raise ConfigurationError(
            f"{where} has {'both' if cron is not None else 'neither'} 'cron' "
            f"{'and' if cron is not None else 'nor'} 'interval'. Give it one of them: "
            "'cron': '*/5 * * * *', or 'interval': '5m'."
        )
    if interval is not None:
        try:
            seconds = parse_duration(
                interval, name=f"{where}['interval']", minimum=1, forever=False
            )
        except InvalidJobError as exc:
            raise ConfigurationError(str(exc)) from None
        assert seconds is not None
        return Interval(seconds)
    zone = given.get("timezone") or settings.TIME_ZONE or "UTC"
    for key, value in (("cron", cron), ("timezone", zone)):
        if not isinstance(value, str):
            raise ConfigurationError(f"{where}[{key!r}] must be text, not {type(value).__name__}.")
    return cron_expression(cron, zone, where=where)


def _queue(where: str, given: Mapping[str, Any]) -> str:
    name = given.get("queue", "default")
    try:
        return conf.queue(name).name
    except RQLiteError as exc:
        raise ConfigurationError(f"{where}['queue']: {exc}") from exc


def _arguments(where: str, given: Mapping[str, Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
    args, kwargs = given.get("args") or (), given.get("kwargs") or {}
    if not isinstance(args, tuple | list):
        raise ConfigurationError(
            f"{where}['args'] must be a tuple or a list, not {type(args).__name__}."
        )
    if not isinstance(kwargs, Mapping):
        raise ConfigurationError(
            f"{where}['kwargs'] must be a dictionary, not {type(kwargs).__name__}."
        )
    return args, kwargs


def _options(where: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return checked_cron_entry(given)
    except InvalidJobError as exc:
        raise ConfigurationError(f"{where}: {exc}") from exc


# Files for rqcron

_registered: list[Entry] = []


def register(
    func: Callable[..., Any] | str,
    queue_name: str = "default",
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    interval: int | str | None = None,
    cron: str | None = None,
    job_timeout: int | str | None = None,
    result_ttl: int | str | None = None,
    ttl: int | str | None = None,
    failure_ttl: int | str | None = None,
    meta: Mapping[str, Any] | None = None,
    webhooks: Sequence[object] | None = None,
    name: str = "",
    *,
    timezone: str = ZONE_OF_FILES,
    at_front: bool = False,
    description: str | None = None,
) -> Entry:
    """Have ``manage.py rqcron`` enqueue a job again and again. RQ's signature, and a little more.

    Args:
        interval: seconds, or a form such as ``'5m'``; this or ``cron``.
        cron: an expression of five fields.
        name: None: the function's path. Each name ticks for itself; a second entry of the same
            name gets a number behind it.
        timezone: in which ``cron`` is read; UTC unless given, as RQ does.

    Raises:
        ConfigurationError: this can't become a job.
    """
    if webhooks:
        raise ConfigurationError(
            "register(): webhooks are not supported by this release of django_rqlite. Take them "
            "out, and send what is to be sent from the job."
        )
    where = f"register({name or _shown(func)!r})"
    given = {
        "func": func,
        "queue": queue_name,
        "args": args,
        "kwargs": kwargs,
        # RQ takes zero and empty text for "not given".
        "interval": interval or None,
        "cron": cron or None,
        "timezone": timezone,
        "job_timeout": job_timeout,
        "result_ttl": result_ttl,
        "ttl": ttl,
        "failure_ttl": failure_ttl,
        "meta": meta,
        "at_front": at_front,
        "description": description,
    }
    entry = _entry(name or _shown(_func(where, given)), given, where=where, source="register()")
    _registered.append(_usable(entry, where))
    return entry


def take_registered() -> list[Entry]:
    """What was registered since the last call."""
    entries = _registered.copy()
    _registered.clear()
    return entries


def _shown(func: object) -> str:
    try:
        return callables.reference(func)[0]
    except InvalidJobError:
        return repr(func)


if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = module_getattr(__name__)
