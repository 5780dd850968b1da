"""``RQ_QUEUES``: its rules, and the typed configuration of each queue.

The setting is read when it is first needed, never at import, and again when it has changed, even in
place, as test suites do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from ..exceptions import InvalidDurationError, UnknownQueueError
from ..protocol.durations import parse_duration
from ..protocol.keys import DEFAULT_PREFIX, FAILED_MIRROR
from .connection import CONNECTION_KEYS, ConnectionSetting, connection_problems, read_connection
from .settings import rq
from .validation import SettingProblem, most_similar_first, raise_first, unknown_keys

BEHAVIOUR_KEYS: Final = frozenset(
    {
        *("ASYNC", "DEFAULT_TIMEOUT", "DEFAULT_RESULT_TTL", "SERIALIZER", "KEY_PREFIX"),
        *("QUEUE_CLASS", "JOB_CLASS", "WORKER_CLASS"),
    }
)
QUEUE_KEYS: Final = CONNECTION_KEYS | BEHAVIOUR_KEYS

_EXAMPLE: Final = 'For example: RQ_QUEUES = {"default": {"URL": "redis://localhost:6379/0"}}'


@dataclass(frozen=True, slots=True)
class QueueConf:
    """The configuration of one queue, with the defaults of ``RQ`` filled in.

    Attributes:
        default_timeout: Seconds; -1 for no limit, None for RQ's default.
        default_result_ttl: Seconds; -1 to keep results for ever, None for RQ's default.
        serializer: As in the settings, like the classes.
    """

    name: str
    connection: ConnectionSetting
    key_prefix: str = DEFAULT_PREFIX
    is_async: bool = True
    default_timeout: int | None = None
    default_result_ttl: int | None = None
    serializer: str | type | None = None
    queue_class: str | type | None = None
    job_class: str | type | None = None
    worker_class: str | type | None = None


def queues() -> dict[str, QueueConf]:
    """Return the configuration of every queue by its name, in the order of ``RQ_QUEUES``.

    Raises:
        ConfigurationError: ``RQ_QUEUES`` is missing or invalid.
    """
    snapshot = _snapshot
    if snapshot is None or not snapshot.is_current(getattr(settings, "RQ_QUEUES", None), rq()):
        snapshot = _read()
    return dict(snapshot.queues)


def queue(name: str) -> QueueConf:
    """Return the configuration of the queue ``name``.

    Raises:
        UnknownQueueError: There is no such queue; the message lists the configured queues.
        ConfigurationError: ``RQ_QUEUES`` is missing or invalid.
    """
    snapshot = _snapshot
    if snapshot is None or not snapshot.is_current_for(
        name, getattr(settings, "RQ_QUEUES", None), rq()
    ):
        snapshot = _read()
    found = snapshot.queues.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(map(repr, most_similar_first(str(name), snapshot.queues))) or "none"
        raise UnknownQueueError(f"RQ_QUEUES has no queue {name!r}. Configured queues: {known}.")
    return found


def read_queue(name: object, given: object) -> QueueConf:
    """Return the configuration of a queue, which need not be in ``RQ_QUEUES``.

    Args:
        name: The name of the queue, or its name in errors.
        given: Its keys.

    Raises:
        ConfigurationError: The name or the configuration is invalid.
    """
    raise_first(queue_problems(name, given))
    assert isinstance(given, Mapping)
    defaults = rq()
    if "DEFAULT_RESULT_TTL" not in given:
        raise_first(duration_problems("RQ", "DEFAULT_RESULT_TTL", defaults))
    return QueueConf(
        name=str(name),
        connection=read_connection(given),
        key_prefix=given.get("KEY_PREFIX", DEFAULT_PREFIX),
        is_async=bool(given.get("ASYNC", True)),
        # RQ takes zero for "the default", like None.
        default_timeout=parse_duration(given.get("DEFAULT_TIMEOUT"), name="DEFAULT_TIMEOUT")
        or None,
        default_result_ttl=parse_duration(
            given.get("DEFAULT_RESULT_TTL", defaults.get("DEFAULT_RESULT_TTL")),
            name="DEFAULT_RESULT_TTL",
        ),
        serializer=given.get("SERIALIZER"),
        queue_class=given.get("QUEUE_CLASS", defaults.get("QUEUE_CLASS")),
        job_class=given.get("JOB_CLASS", defaults.get("JOB_CLASS")),
        worker_class=given.get("WORKER_CLASS", defaults.get("WORKER_CLASS")),
    )


def queues_problems(given: object) -> Iterator[SettingProblem]:
    """Yield what is wrong with the value of ``RQ_QUEUES``, without looking at its queues.

    Args:
        given: The value; None if the setting is missing.
    """
    if given is None:
        yield SettingProblem("E001", "RQ_QUEUES is not in the settings.", _EXAMPLE)
    elif not isinstance(given, Mapping):
        found = type(given).__name__
        yield SettingProblem("E002", f"RQ_QUEUES must be a dictionary, not {found}.", _EXAMPLE)
    elif not given:
        yield SettingProblem("E003", "RQ_QUEUES has no queue.", _EXAMPLE, is_raised=False)


def queue_problems(name: object, given: object) -> Iterator[SettingProblem]:
    """Yield what is wrong with the configuration of one queue.

    The rules for its classes, its serializer and its client are elsewhere, because they import what
    the queue names.
    """
    where = _where(name)
    if problem := queue_name_problem(name):
        yield SettingProblem(
            "E005", f"{where}: the name of a queue {problem}.", hint="Choose another name."
        )
    elif "," in str(name):
        yield SettingProblem(
            "W008",
            f"{where}: the name has a comma, which separates the names in a worker's list of "
            "queues.",
            hint="Choose another name.",
        )
    if not isinstance(given, Mapping):
        yield SettingProblem(
            "E004", f"{where} must be a dictionary, not {type(given).__name__}.", _EXAMPLE
        )
        return
    yield from unknown_keys(where, given, QUEUE_KEYS, "W001")
    yield from connection_problems(where, given)
    yield from _behaviour_problems(where, given)


def duration_problems(where: str, key: str, given: Mapping[str, Any]) -> Iterator[SettingProblem]:
    """Yield what is wrong with a duration.

    Args:
        where: The setting that has the key, ``RQ`` or ``RQ_QUEUES['default']``.
    """
    try:
        parse_duration(given.get(key), name=f"{where}[{key!r}]")
    except InvalidDurationError as error:
        yield SettingProblem("E015", str(error))


def queue_name_problem(name: object) -> str | None:
    """Return why ``name`` cannot be the name of a queue; None if it can."""
    if not isinstance(name, str) or not name:
        return "must be non-empty text"
    if name == FAILED_MIRROR:
        return "would be the list in which failed jobs are mirrored, which is not a queue"
    if name.endswith(":intermediate") or ":intermediate:" in name:
        return "would be a key of RQ's own (<queue>:intermediate)"
    return None


def _behaviour_problems(where: str, given: Mapping[str, Any]) -> Iterator[SettingProblem]:
    is_async = given.get("ASYNC", True)
    if not isinstance(is_async, bool):
        yield SettingProblem(
            "E010",
            f"{where}['ASYNC'] is {is_async!r}; it must be True or False.",
            is_raised=not isinstance(is_async, int),  # 0 and 1 work
        )
    prefix = given.get("KEY_PREFIX", DEFAULT_PREFIX)
    if not isinstance(prefix, str) or not prefix:
        yield SettingProblem(
            "E016",
            f"{where}['KEY_PREFIX'] is {prefix!r}; it must be non-empty text.",
            hint=f"Leave it out for {DEFAULT_PREFIX!r}.",
        )
    for key in ("DEFAULT_TIMEOUT", "DEFAULT_RESULT_TTL"):
        yield from duration_problems(where, key, given)
    timeout = given.get("DEFAULT_TIMEOUT")
    if timeout in (0, "0") and timeout is not False:
        yield SettingProblem(
            "W007",
            f"{where}['DEFAULT_TIMEOUT'] is 0, which means the default of 180 s, as in RQ.",
            hint="Leave it out, or use -1 for no limit.",
        )


def _where(name: object) -> str:
    return f"RQ_QUEUES[{name!r}]"


class _Snapshot:
    """A copy of ``RQ_QUEUES``, and the configuration that was read from it.

    Reading the setting takes longer than enqueueing a job. Comparing one queue's part of it with
    the copy takes a small part of that time.
    """

    __slots__ = ("_copy", "_defaults", "_source", "queues")

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.queues = {name: read_queue(name, keys) for name, keys in given.items()}
        self._source = given
        self._copy = {name: _copied(keys) for name, keys in given.items()}
        self._defaults = _queue_defaults(rq())

    def is_current_for(self, name: object, given: object, defaults: Mapping[str, Any]) -> bool:
        """Return whether the settings of the queue ``name`` are unchanged."""
        return (
            given is self._source
            and isinstance(name, str)
            and self._copy.get(name) == self._source.get(name)
            and self._defaults == _queue_defaults(defaults)
        )

    def is_current(self, given: object, defaults: Mapping[str, Any]) -> bool:
        """Return whether all settings are unchanged, including the order of the queues."""
        return (
            given is self._source
            and list(self._copy.items()) == list(self._source.items())
            and self._defaults == _queue_defaults(defaults)
        )


_snapshot: _Snapshot | None = None


def _read() -> _Snapshot:
    global _snapshot
    given = getattr(settings, "RQ_QUEUES", None)
    raise_first(queues_problems(given))
    assert given is not None
    _snapshot = _Snapshot(given)
    return _snapshot


def _queue_defaults(given: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the keys of ``RQ`` that are defaults for queues; see :func:`read_queue`."""
    get = given.get
    return get("DEFAULT_RESULT_TTL"), get("QUEUE_CLASS"), get("JOB_CLASS"), get("WORKER_CLASS")


def _copied(value: object) -> object:
    """Return a copy that changes in place do not affect. Only containers are copied."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(_copied, value))
    return set(value) if isinstance(value, set) else value
