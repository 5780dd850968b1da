"""A typed, lazy view of ``RQ_QUEUES``, ``RQ`` and the other settings of this package.

The settings are those of django-rq 4.2, read as it reads them. They are read when they are first
needed, never at import, and again when they have changed, in place too, as test suites do. What
cannot be used raises :class:`~django_rqlite.exceptions.ConfigurationError`; ``manage.py check``
(see ``checks.py``) reports the same mistakes, and the doubtful ones, all at once.
"""

from __future__ import annotations

import hmac
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.core.signals import setting_changed

from ..exceptions import ConfigurationError, InvalidDurationError, UnknownQueueError
from ..protocol.durations import parse_duration
from ..protocol.keys import DEFAULT_PREFIX, FAILED_MIRROR

DEFAULT_PORT: Final = 6379
DEFAULT_LEASE: Final = 60
DEFAULT_TIMEOUT_GRACE: Final = 10
#: Bytes. A result crosses the wire twice in one command, once in base64: then that is 150 MB. A
#: server takes it, and is not kept from others for long.
DEFAULT_MAX_RESULT_SIZE: Final = 64 * 1024 * 1024

#: The ways to name a server. The first that a queue has wins, as in django-rq. With each come the
#: keys that have a meaning beside it.
CONNECTION_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "URL": (
        *("DB", "USERNAME", "PASSWORD", "SSL", "SSL_CERT_REQS", "SOCKET_TIMEOUT"),
        "REDIS_CLIENT_KWARGS",
    ),
    "USE_REDIS_CACHE": (),
    "UNIX_SOCKET_PATH": ("DB", "USERNAME", "PASSWORD", "SOCKET_TIMEOUT", "REDIS_CLIENT_KWARGS"),
    "SENTINELS": (
        *("MASTER_NAME", "DB", "USERNAME", "PASSWORD", "SSL", "SSL_CERT_REQS", "SOCKET_TIMEOUT"),
        *("CONNECTION_KWARGS", "SENTINEL_KWARGS"),
    ),
    "HOST": (
        *("PORT", "DB", "USERNAME", "PASSWORD", "SSL", "SSL_CERT_REQS", "SOCKET_TIMEOUT"),
        "REDIS_CLIENT_KWARGS",
    ),
}
CONNECTION_KEYS: Final = frozenset(CONNECTION_FORMS) | frozenset(
    key for companions in CONNECTION_FORMS.values() for key in companions
)
BEHAVIOUR_KEYS: Final = frozenset(
    {
        *("ASYNC", "DEFAULT_TIMEOUT", "DEFAULT_RESULT_TTL", "SERIALIZER", "KEY_PREFIX"),
        *("QUEUE_CLASS", "JOB_CLASS", "WORKER_CLASS"),
    }
)
QUEUE_KEYS: Final = CONNECTION_KEYS | BEHAVIOUR_KEYS
RQ_KEYS: Final = frozenset(
    {
        *("COMMIT_MODE", "AUTOCOMMIT", "QUEUE_CLASS", "JOB_CLASS", "WORKER_CLASS"),
        *("SCHEDULER_CLASS", "DEFAULT_RESULT_TTL", "LEASE", "TIMEOUT_GRACE", "REQUIRE_SIGNATURE"),
        *("HUGE_PAGES", "PRELOAD", "JOB_LOGS", "MAX_RESULT_SIZE"),
        *("ON_WORKER_DEATH", "CRON"),
    }
)
#: Lines of a job's log that can be kept.
MOST_LOG_LINES: Final = 1000

COMMIT_MODES: Final = ("on_db_commit", "auto", "request_finished")

#: What messages show to those who have nothing yet.
EXAMPLE: Final = 'RQ_QUEUES = {"default": {"URL": "redis://localhost:6379/0"}}'


class ConnectionSetting(Mapping[str, Any]):
    """The connection keys of one queue that have an effect, in a normal form; a value.

    Two settings that say the same are equal and hash alike, credentials included, so that they
    can share one client. The repr names the keys only: tracebacks and error pages show it.
    """

    __slots__ = ("_identity", "_values", "form")

    def __init__(self, form: str, values: Mapping[str, Any]) -> None:
        self.form = form  #: the key of :data:`CONNECTION_FORMS` that won
        self._values = dict(values)
        self._identity = _frozen(self._values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConnectionSetting) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"<ConnectionSetting {', '.join(self._values)}>"


@dataclass(frozen=True, slots=True)
class QueueConf:
    """What ``RQ_QUEUES`` says of one queue, with the defaults of ``RQ`` filled in."""

    name: str
    connection: ConnectionSetting
    key_prefix: str = DEFAULT_PREFIX
    is_async: bool = True
    default_timeout: int | None = None  #: seconds; -1: no limit; None: RQ's default
    default_result_ttl: int | None = None  #: seconds; -1: for ever; None: RQ's default
    serializer: str | type | None = None  #: as given
    queue_class: str | type | None = None
    job_class: str | type | None = None
    worker_class: str | type | None = None


def queues() -> dict[str, QueueConf]:
    """Return every configured queue by its name, in the order of the settings.

    :raises ConfigurationError: if ``RQ_QUEUES`` is missing or cannot be used.
    """
    return dict(_queues())


def queue(name: str) -> QueueConf:
    """Return the configuration of the queue ``name``.

    :raises UnknownQueueError: if there is none; the message lists those there are.
    :raises ConfigurationError: if ``RQ_QUEUES`` is missing or cannot be used.
    """
    read = _read
    if read is None or not read.still_says(name, getattr(settings, "RQ_QUEUES", None), _rq()):
        read = _read_anew()
    found = read.queues.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(map(repr, nearest_first(str(name), read.queues))) or "none"
        raise UnknownQueueError(f"RQ_QUEUES has no queue {name!r}. Configured queues: {known}.")
    return found


def read_queue(name: str, given: Mapping[str, Any]) -> QueueConf:
    """Return the view of one queue's configuration that need not be in ``RQ_QUEUES``.

    :param name: what errors call it.
    :raises ConfigurationError: if it cannot be used.
    """
    return _queue(name, given)


def default_class(key: str) -> str | type | None:
    """Return ``RQ[key]``, a class for all queues that name none: ``QUEUE_CLASS`` or the like."""
    given: str | type | None = _rq().get(key)
    return given


def commit_mode() -> str:
    """Return when ``enqueue()`` inside a transaction pushes: one of :data:`COMMIT_MODES`."""
    given = _rq().get("COMMIT_MODE")
    if not given:
        # The older spelling of django-rq; checks.py says that it is deprecated.
        if "AUTOCOMMIT" in _rq():
            return "auto" if _rq()["AUTOCOMMIT"] else "request_finished"
        return COMMIT_MODES[0]
    if given not in COMMIT_MODES:
        raise ConfigurationError(
            f"RQ['COMMIT_MODE'] is {given!r}. Use one of {', '.join(map(repr, COMMIT_MODES))}."
        )
    return str(given)


def lease() -> int:
    """Return for how many seconds a worker holds a job before it has to renew."""
    return _positive_seconds("LEASE", DEFAULT_LEASE)


def timeout_grace() -> int:
    """Return the seconds between a timeout's exception in the job and the SIGKILL."""
    return _positive_seconds("TIMEOUT_GRACE", DEFAULT_TIMEOUT_GRACE)


def requeue_on_worker_death() -> bool:
    """Return whether a job whose worker died is queued again; if not, it fails."""
    given = _rq().get("ON_WORKER_DEATH", "requeue")
    if given not in {"requeue", "fail"}:
        raise ConfigurationError(
            f"RQ['ON_WORKER_DEATH'] is {given!r}. Use 'requeue' (at most three times) or 'fail'."
        )
    return bool(given == "requeue")


def require_signature() -> bool:
    """Return whether bytes from Redis without a signature are refused."""
    return _yes_or_no("REQUIRE_SIGNATURE", default=False)


def huge_pages() -> bool:
    """Return whether a worker keeps what it shares with its children in huge pages."""
    return _yes_or_no("HUGE_PAGES", default=True)


def preload() -> bool | tuple[str, ...]:
    """Return what a worker imports before it forks.

    True: ``jobs`` and ``tasks`` of every app; False: nothing; or the names of modules.
    """
    given = _rq().get("PRELOAD", True)
    if isinstance(given, bool):
        return given
    if not isinstance(given, list | tuple) or not all(
        isinstance(name, str) and name for name in given
    ):
        raise ConfigurationError(
            f"RQ['PRELOAD'] is {given!r}. Use True (jobs and tasks of every app), False, or a list "
            "of modules, such as ['myapp.jobs']."
        )
    return tuple(given)


def job_logs() -> int:
    """Return how many of the lines that a job logs are kept; 0: none."""
    given = _rq().get("JOB_LOGS", 0)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= MOST_LOG_LINES:
        raise ConfigurationError(
            f"RQ['JOB_LOGS'] is {given!r}. Use how many lines to keep of each job, up to "
            f"{MOST_LOG_LINES}, or 0 to keep none."
        )
    return given


def max_result_size() -> int:
    """Return how many bytes a serialized result may have; a larger one is not kept."""
    given = _rq().get("MAX_RESULT_SIZE", DEFAULT_MAX_RESULT_SIZE)
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigurationError(
            f"RQ['MAX_RESULT_SIZE'] is {given!r}. Use a whole number of bytes, at least 1."
        )
    return given


def _yes_or_no(key: str, *, default: bool) -> bool:
    given = _rq().get(key, default)
    # Truthiness would take the text 'False' for yes, and None for no.
    if not isinstance(given, bool):
        raise ConfigurationError(f"RQ[{key!r}] is {given!r}. Use True or False.")
    return given


def exception_handlers() -> list[str]:
    """Return ``RQ_EXCEPTION_HANDLERS``: dotted paths, called in this order."""
    given = getattr(settings, "RQ_EXCEPTION_HANDLERS", None) or []
    if not isinstance(given, list | tuple) or not all(isinstance(path, str) for path in given):
        raise ConfigurationError("RQ_EXCEPTION_HANDLERS must be a list of dotted paths.")
    return list(given)


def cron() -> Mapping[str, Any]:
    """Return ``RQ["CRON"]`` as it stands: names and what they say; ``cron.py`` reads that."""
    given = _rq().get("CRON") or {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"RQ['CRON'] must be a dictionary, not {type(given).__name__}. For example: "
            "{'nightly': {'func': 'myapp.jobs.tidy', 'cron': '0 3 * * *'}}"
        )
    return given


def api_token() -> str:
    """Return ``RQ_API_TOKEN``; empty means that no token is accepted."""
    given = getattr(settings, "RQ_API_TOKEN", "") or ""
    if not isinstance(given, str):
        # Its value is a secret, so only the type is told.
        raise ConfigurationError(f"RQ_API_TOKEN must be text, not {type(given).__name__}.")
    return given


def show_admin_link() -> bool:
    """Return ``RQ_SHOW_ADMIN_LINK``: whether the admin's index shows a link."""
    return bool(getattr(settings, "RQ_SHOW_ADMIN_LINK", True))


@lru_cache(maxsize=1)
def signing_keys() -> tuple[bytes, ...]:
    """Return 32-byte keys derived from ``SECRET_KEY``, which signs, then the fallbacks.

    Derived, so that what is signed here cannot be passed off as signed by Django, or vice versa.
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return tuple(
        hmac.digest(
            secret if isinstance(secret, bytes) else str(secret).encode(),
            b"django_rqlite signing key 1",
            "sha256",
        )
        for secret in secrets
    )


def nearest_first(name: str, known: Mapping[str, object] | frozenset[str]) -> list[str]:
    """Return ``known``, the names most like ``name`` first."""
    return sorted(known, key=lambda k: -SequenceMatcher(None, name.lower(), k.lower()).ratio())


def url_problem(url: object) -> str | None:
    """Say what is wrong with a connection URL, or return ``None``.

    The sentence has no part of the URL in it but its scheme: a URL that was taken apart at the
    wrong place has pieces of the password anywhere.
    """
    if not isinstance(url, str) or not url:
        return "must be text such as 'redis://localhost:6379/0' (is an environment variable unset?)"
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("redis", "rediss", "unix"):
        return "must begin with redis://, rediss:// or unix://"
    unescaped = "cannot be read; write special characters of the password percent-encoded"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError:
        return unescaped
    if scheme == "unix":
        if parts.netloc and "@" not in parts.netloc:
            return "must have three slashes before the socket's path: unix:///run/redis.sock"
        return None if parts.path.strip("/") else "must name the socket's path"
    # A '/', '?' or '#' in a bare password ends the host too early, and leaves the '@' behind.
    if "@" in rest and "@" not in parts.netloc:
        return unescaped
    return None


def said_by_url(url: str) -> set[str]:
    """Return which of ``DB``, ``USERNAME`` and ``PASSWORD`` a valid URL has in itself."""
    parts = urlsplit(url)
    query = {key for key, value in parse_qsl(parts.query) if value}
    said = {"DB": "db" in query, "USERNAME": "username" in query, "PASSWORD": "password" in query}
    said["DB"] |= parts.scheme != "unix" and parts.path.strip("/").isdecimal()
    said["USERNAME"] |= bool(parts.username)
    said["PASSWORD"] |= bool(parts.password)
    return {key for key, is_said in said.items() if is_said}


def queue_name_problem(name: object) -> str | None:
    """Say why ``name`` cannot be a queue's name, or return ``None``."""
    if not isinstance(name, str) or not name:
        return "must be non-empty text"
    if name == FAILED_MIRROR:
        return "would be the list in which failed jobs are mirrored, which is no queue"
    if name.endswith(":intermediate") or ":intermediate:" in name:
        return "would be a key of RQ's own (<queue>:intermediate)"
    return None


class _Read:
    """``RQ_QUEUES`` as it was read, and what came of it.

    Reading it takes longer than enqueueing a job, comparing one queue's part of it a small part of
    that.
    """

    __slots__ = ("_given", "_rq", "_source", "queues")

    def __init__(self, given: Mapping[str, Any], rq: Mapping[str, Any]) -> None:
        self.queues = {name: _queue(name, keys) for name, keys in given.items()}
        self._source = given
        self._given = {name: _copied(keys) for name, keys in given.items()}
        self._rq = _behaviour(rq)

    def still_says(self, name: object, given: object, rq: Mapping[str, Any]) -> bool:
        """Whether nothing that concerns the queue ``name`` has changed since."""
        return (
            given is self._source
            and isinstance(name, str)
            and self._given.get(name) == self._source.get(name)
            and self._rq == _behaviour(rq)
        )

    def still_says_all(self, given: object, rq: Mapping[str, Any]) -> bool:
        """Whether nothing has changed since, the order of the queues included."""
        return (
            given is self._source
            and list(self._given.items()) == list(self._source.items())
            and self._rq == _behaviour(rq)
        )


_read: _Read | None = None


def _queues() -> dict[str, QueueConf]:
    read = _read
    if read is None or not read.still_says_all(getattr(settings, "RQ_QUEUES", None), _rq()):
        read = _read_anew()
    return read.queues


def _read_anew() -> _Read:
    global _read
    given = getattr(settings, "RQ_QUEUES", None)
    if given is None:
        raise ConfigurationError(f"RQ_QUEUES is not in the settings. For example: {EXAMPLE}")
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"RQ_QUEUES must be a dictionary, not {type(given).__name__}. For example: {EXAMPLE}"
        )
    _read = _Read(given, _rq())
    return _read


def _behaviour(rq: Mapping[str, Any]) -> tuple[Any, ...]:
    """What ``RQ`` says for queues that do not say it themselves; see :func:`_queue`."""
    get = rq.get
    return get("DEFAULT_RESULT_TTL"), get("QUEUE_CLASS"), get("JOB_CLASS"), get("WORKER_CLASS")


def _copied(value: object) -> object:
    """A copy of a setting that no change in place reaches. What is no container is the same."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(_copied, value))
    return set(value) if isinstance(value, set) else value


def _queue(name: object, given: object) -> QueueConf:
    where = f"RQ_QUEUES[{name!r}]"
    if problem := queue_name_problem(name):
        raise ConfigurationError(f"{where}: the name of a queue {problem}. Choose another name.")
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{where} must be a dictionary, not {type(given).__name__}.")
    rq = _rq()
    prefix = given.get("KEY_PREFIX", DEFAULT_PREFIX)
    if not isinstance(prefix, str) or not prefix:
        raise ConfigurationError(
            f"{where}['KEY_PREFIX'] is {prefix!r}. Use non-empty text, or leave it out for"
            f" {DEFAULT_PREFIX!r}."
        )
    is_async = given.get("ASYNC", True)
    if not isinstance(is_async, int):
        raise ConfigurationError(f"{where}['ASYNC'] is {is_async!r}. Use True or False.")
    ttl_where = where if "DEFAULT_RESULT_TTL" in given else "RQ"
    return QueueConf(
        name=str(name),
        connection=_connection(where, given),
        key_prefix=prefix,
        is_async=bool(is_async),
        # RQ takes zero for "the default", like None.
        default_timeout=_duration(f"{where}['DEFAULT_TIMEOUT']", given.get("DEFAULT_TIMEOUT"))
        or None,
        default_result_ttl=_duration(
            f"{ttl_where}['DEFAULT_RESULT_TTL']",
            given.get("DEFAULT_RESULT_TTL", rq.get("DEFAULT_RESULT_TTL")),
        ),
        serializer=given.get("SERIALIZER"),
        queue_class=given.get("QUEUE_CLASS", rq.get("QUEUE_CLASS")),
        job_class=given.get("JOB_CLASS", rq.get("JOB_CLASS")),
        worker_class=given.get("WORKER_CLASS", rq.get("WORKER_CLASS")),
    )


def _connection(where: str, given: Mapping[str, Any]) -> ConnectionSetting:
    form = next((form for form in CONNECTION_FORMS if form in given), None)
    if form is None:
        raise ConfigurationError(
            f"{where} names no server. Give it one of {', '.join(CONNECTION_FORMS)}."
        )
    if not given[form]:
        raise ConfigurationError(
            f"{where}[{form!r}] is {given[form]!r} (is an environment variable unset?)."
        )
    values = {form: given[form]}
    for key in CONNECTION_FORMS[form]:
        value = given.get(key)
        # None as SSL_CERT_REQS means "don't verify" to redis-py; elsewhere it means "not given".
        if key == "SSL_CERT_REQS" and key in given and value is None:
            value = "none"
        if value is None or (key in ("USERNAME", "PASSWORD") and value == ""):
            continue
        values[key] = value
    for key in ("PORT", "DB"):
        if key in values:
            values[key] = _whole_number(f"{where}[{key!r}]", values[key])
    for key in ("REDIS_CLIENT_KWARGS", "CONNECTION_KWARGS", "SENTINEL_KWARGS"):
        if key in values and not isinstance(values[key], Mapping):
            raise ConfigurationError(f"{where}[{key!r}] must be a dictionary.")
    if form == "URL" and (problem := url_problem(values["URL"])):
        raise ConfigurationError(f"{where}['URL'] {problem}.")
    if form == "HOST":
        values.setdefault("PORT", DEFAULT_PORT)
    if form == "SENTINELS":
        values["SENTINELS"] = _addresses(f"{where}['SENTINELS']", values["SENTINELS"])
        if not values.get("MASTER_NAME"):
            raise ConfigurationError(f"{where} has SENTINELS but no MASTER_NAME.")
    if form in ("UNIX_SOCKET_PATH", "SENTINELS", "HOST"):
        values.setdefault("DB", 0)
    return ConnectionSetting(form, values)


def _addresses(where: str, given: object) -> tuple[tuple[str, int], ...]:
    if not isinstance(given, list | tuple) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)
        for pair in given
    ):
        raise ConfigurationError(f"{where} must be a list of (host, port).")
    return tuple((host, _whole_number(where, port)) for host, port in given)


def _whole_number(where: str, value: object) -> int:
    # Text too: it often comes from the environment, and redis-py has always accepted it.
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ConfigurationError(f"{where} is {value!r}. Use a whole number.")
    try:
        return int(value)
    except ValueError:
        raise ConfigurationError(f"{where} is {value!r}. Use a whole number.") from None


def _duration(where: str, value: Any) -> int | None:
    try:
        return parse_duration(value, name=where)
    except InvalidDurationError as error:
        raise ConfigurationError(str(error)) from None


def _positive_seconds(key: str, default: int) -> int:
    given = _rq().get(key, default)
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigurationError(f"RQ[{key!r}] is {given!r}. Use whole seconds, at least 1.")
    return given


def _rq() -> Mapping[str, Any]:
    given = getattr(settings, "RQ", {})
    # The first test spares the second, which takes longer than what the caller is here for.
    if type(given) is not dict and not isinstance(given, Mapping):
        raise ConfigurationError(f"RQ must be a dictionary, not {type(given).__name__}.")
    return given


def _frozen(value: object) -> Hashable:
    """A hashable stand-in: equal for settings that say the same."""
    if isinstance(value, Mapping):
        return frozenset((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    if isinstance(value, set | frozenset):
        return frozenset(map(_frozen, value))
    # A live object of the client's (a credential provider, say) that is not hashable is the same
    # only if it is the very same; the setting keeps it alive, so its id stays its own.
    return value if isinstance(value, Hashable) else id(value)


def _forget_keys(*, setting: str, **_: object) -> None:
    if setting in ("SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        signing_keys.cache_clear()


setting_changed.connect(_forget_keys, dispatch_uid="django_rqlite.conf")
