"""Cron entries, which describe periodic jobs. Reads and checks them, mostly from ``RQ["CRON"]``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from .. import conf
from ..engine.scripts import Argument
from ..exceptions import ConfigurationError, InvalidJobError, MissingExtraError, RQLiteError
from ..jobs import callables
from ..jobs.job import Job
from ..jobs.options import CRON_KEYS, checked_cron_entry
from ..protocol.durations import parse_duration
from ..queues.lookup import get_queue
from .cron_expression import cron_expression
from .schedule import Interval, Schedule

#: All keys of an entry of ``RQ["CRON"]``.
ENTRY_KEYS = frozenset(
    {"func", "cron", "interval", "timezone", "queue", "args", "kwargs", *CRON_KEYS}
)

EXTRA_MISSING = (
    "RQ['CRON'] has cron expressions, which need the package cronsim: pip install "
    "'django-rqlite[cron]'. Entries with an interval work without it."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A job that is enqueued at each tick of a schedule.

    Attributes:
        name: Unique on its server. At each tick, one job is enqueued for each name.
        source: Where the entry was found, for people.
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
        """The name of the function in its jobs."""
        return callables.reference(self.func)[0]

    def job(self) -> tuple[Job, dict[str, Argument]]:
        """Return a new job, and its hash as an enqueueing script writes it.

        Raises:
            RQLiteError: The job can't be made.
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
    """The entries of the settings.

    Attributes:
        good: The valid entries.
        problems: A sentence about each error in the others.
    """

    good: Sequence[Entry]
    problems: Sequence[str]


def from_settings() -> Entries:
    """Return the entries of ``RQ["CRON"]``. An error becomes a problem, not an exception."""
    try:
        given = conf.cron()
    except ConfigurationError as exc:
        return Entries((), (str(exc),))
    good, problems, lack_extra = [], [], []
    for name in given:
        mistakes = list(mistakes_of(name, given[name]))
        if not mistakes:
            good.append(_settings_entry(name, given[name]))
        elif isinstance(mistakes[0], MissingExtraError):
            lack_extra.append(f"{name!r}")
        else:
            problems.append(str(mistakes[0]))
    if lack_extra:
        problems.append(f"{EXTRA_MISSING} Left out: {', '.join(lack_extra)}.")
    return Entries(good, problems)


def configured_entry(name: str) -> Entry:
    """Return the entry of ``RQ["CRON"]`` with this name.

    Raises:
        ConfigurationError: There is no such entry, or it can't be used.
    """
    given = conf.cron()
    if name not in given:
        raise ConfigurationError(f"RQ['CRON'] has no entry {name!r}.")
    for mistake in mistakes_of(name, given[name]):
        raise mistake
    return _settings_entry(name, given[name])


def why_not_importable(func: object) -> str | None:
    """Return why a function can't be called; None if it can. Imports the module of a path."""
    if not isinstance(func, str):
        return None
    try:
        found = callables.resolve(func, None)
    except Exception as exc:  # noqa: BLE001 - a module may raise anything when it is imported
        return f"the function {func!r} can't be imported ({type(exc).__name__}: {exc})."
    return None if callable(found) else f"{func!r} can't be called."


def mistakes_of(name: object, given: object) -> Iterator[ConfigurationError]:
    """Yield everything that is wrong with an entry of ``RQ["CRON"]``, except for unknown keys."""
    where = _where(name)
    if not isinstance(name, str) or not name:
        yield ConfigurationError(f"{where}: the name of an entry must be non-empty text.")
        return
    if not isinstance(given, Mapping):
        yield ConfigurationError(f"{where} must be a dictionary, not {type(given).__name__}.")
        return
    found = False
    for read in (read_func, _schedule, _queue, _arguments, _options):
        try:
            read(where, given)
        except ConfigurationError as exc:
            found = True
            yield exc
    if not found:
        try:
            check_usable(_settings_entry(name, given), where)
        except ConfigurationError as exc:
            yield exc


def _where(name: object) -> str:
    return f"RQ['CRON'][{name!r}]"


def _settings_entry(name: str, given: Mapping[str, Any]) -> Entry:
    return make_entry(name, given, where=_where(name), source="settings")


def make_entry(name: str, given: Mapping[str, Any], *, where: str, source: str) -> Entry:
    """Make an entry from its keys.

    Args:
        given: Values for :data:`ENTRY_KEYS`.
        where: The name of the entry in messages, such as ``RQ['CRON']['nightly']``.
        source: Where it was found, for people.

    Raises:
        ConfigurationError: A value can't be used.
    """
    args, kwargs = _arguments(where, given)
    return Entry(
        name=name,
        func=read_func(where, given),
        schedule=_schedule(where, given),
        queue=_queue(where, given),
        source=source,
        args=args,
        kwargs=kwargs,
        options=_options(where, given),
    )


def check_usable(entry: Entry, where: str) -> None:
    """Make a job, so that an error shows now and not at the first tick.

    Raises:
        ConfigurationError: The job can't be made.
    """
    try:
        entry.job()
    except ConfigurationError:
        raise
    except RQLiteError as exc:
        raise ConfigurationError(f"{where}: {exc}") from exc


def read_func(where: str, given: Mapping[str, Any]) -> Callable[..., Any] | str:
    """Return the function of an entry.

    Raises:
        ConfigurationError: It is missing, or jobs can't name it.
    """
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
