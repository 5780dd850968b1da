"""The keys of a queue that select a Redis server: the forms, their rules and their normal form.

A queue names its server in one of several forms, each a key of :data:`CONNECTION_FORMS`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from os import PathLike
from typing import Any, Final

from .cache import cache_problem
from .connection_url import has_query_option, keys_in_url, url_problem
from .validation import SettingProblem

DEFAULT_PORT: Final = 6379

#: The forms and the keys that have a meaning beside each. If a queue has several forms, the first
#: of this order wins, as in django-rq.
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

_UNSET = "(is an environment variable unset?)"


class ConnectionSetting(Mapping[str, Any]):
    """The connection keys of one queue that have an effect, in a normal form.

    Settings with the same meaning, including the credentials, are equal and have the same hash, so
    that queues can share a client. The repr has only the names of the keys, because tracebacks and
    error pages show it.

    Attributes:
        form: The key of :data:`CONNECTION_FORMS` that wins.
    """

    __slots__ = ("_identity", "_values", "form")

    def __init__(self, form: str, values: Mapping[str, Any]) -> None:
        self.form = form
        self._values = dict(values)
        self._identity = _hashable(self._values)

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


def read_connection(given: Mapping[str, Any]) -> ConnectionSetting:
    """Return the connection setting of a queue.

    Args:
        given: The keys of the queue, in which :func:`connection_problems` finds no error.
    """
    form = _forms(given)[0]
    values = {form: given[form]}
    for key in CONNECTION_FORMS[form]:
        value = given.get(key)
        # For SSL_CERT_REQS, None means "do not verify" to redis-py. Elsewhere it means "not given".
        if key == "SSL_CERT_REQS" and key in given and value is None:
            value = "none"
        if value is None or (key in ("USERNAME", "PASSWORD") and value == ""):
            continue
        values[key] = int(value) if key in ("PORT", "DB") else value
    if form == "HOST":
        values.setdefault("PORT", DEFAULT_PORT)
    if form == "SENTINELS":
        values["SENTINELS"] = tuple((host, int(port)) for host, port in values["SENTINELS"])
    if form in ("UNIX_SOCKET_PATH", "SENTINELS", "HOST"):
        values.setdefault("DB", 0)
    return ConnectionSetting(form, values)


def connection_problems(where: str, given: Mapping[str, Any]) -> Iterator[SettingProblem]:
    """Yield what is wrong with the connection keys of a queue.

    Args:
        where: What the problems call the queue, ``RQ_QUEUES['default']``.
    """
    forms = _forms(given)
    if not forms:
        yield _no_server(where, given)
        return
    form = forms[0]
    if len(forms) > 1:
        others = ", ".join(forms[1:])
        yield SettingProblem(
            "W002",
            f"{where} names its server by {', '.join(forms)}. {form} wins; {others} has no effect.",
            hint=f"Take {others} out.",
        )
    companions = CONNECTION_FORMS[form]
    if idle := sorted((CONNECTION_KEYS - CONNECTION_FORMS.keys() - {*companions}) & given.keys()):
        yield SettingProblem(
            "W003",
            f"{where}: {', '.join(idle)} has no effect beside {form}.",
            hint="Everything comes from the cache's own entry in CACHES."
            if form == "USE_REDIS_CACHE"
            else f"Beside {form} these keys have an effect: {', '.join(companions)}.",
        )
    yield from _form_problems(where, given, form)
    for key in companions:
        value = given.get(key)
        if value is not None and (expected := _expected_of(key, value)):
            # redis-py refuses the others when it first connects, or takes them as they are.
            is_raised = key in ("PORT", "DB") or key.endswith("_KWARGS")
            yield _wrong_type(where, key, value, expected, is_raised=is_raised)
    if form == "URL" and not url_problem(given["URL"]):
        contained = keys_in_url(given["URL"])
        overruled = [key for key in ("DB", "USERNAME", "PASSWORD") if given.get(key)]
        if overruled := [key for key in overruled if key in contained]:
            yield SettingProblem(
                "W010",
                f"{where}: the URL has its own {', '.join(overruled)}, so the key beside it has no "
                "effect.",
            )


def client_problems(where: str, given: Mapping[str, Any]) -> Iterator[SettingProblem]:
    """Yield the reasons why no client can be made from valid connection keys.

    These are raised when the client is made and not when the setting is read, because one of the
    rules imports the backend of a cache.

    Args:
        where: What the problems call the queue, ``RQ_QUEUES['default']``.
    """
    form = next(iter(_forms(given)), None)
    if form == "USE_REDIS_CACHE" and given[form] and (problem := cache_problem(given[form])):
        yield SettingProblem("E012", f"{where}: {problem}")
    for key in ("REDIS_CLIENT_KWARGS", "CONNECTION_KWARGS", "URL"):
        if _asks_to_decode(key, given.get(key)):
            yield SettingProblem(
                "E014",
                f"{where}[{key!r}] asks for decode_responses, but jobs are bytes.",
                hint="Take decode_responses out.",
            )
            return


def _wrong_type(
    where: str, key: str, value: object, expected: str, *, is_raised: bool = True
) -> SettingProblem:
    """Return the problem of a value of the wrong type.

    Only its type is shown: it may be a password in the wrong place.
    """
    found = f"of type {type(value).__name__}" if value else "empty"
    if value is None:
        found = "None"
    message = f"{where}[{key!r}] is {found}; it must be {expected}."
    return SettingProblem("E010", message, is_raised=is_raised)


def _forms(given: Mapping[str, Any]) -> list[str]:
    return [form for form in CONNECTION_FORMS if form in given]


def _no_server(where: str, given: Mapping[str, Any]) -> SettingProblem:
    for companion, form in (("PORT", "HOST"), ("MASTER_NAME", "SENTINELS")):
        if companion in given:
            return _missing(where, companion, form)
    return SettingProblem(
        "E008",
        f"{where} names no server.",
        hint=f"Give it one of {', '.join(CONNECTION_FORMS)}.",
    )


def _missing(where: str, key: str, companion: str) -> SettingProblem:
    return SettingProblem("E009", f"{where} has {key} but no {companion}.", f"Add {companion}.")


def _form_problems(where: str, given: Mapping[str, Any], form: str) -> Iterator[SettingProblem]:
    value = given[form]
    if form == "URL":
        if problem := url_problem(value):
            yield SettingProblem("E011", f"{where}['URL'] {problem}.")
    elif form == "USE_REDIS_CACHE":
        if not value:
            yield SettingProblem("E012", f"{where}[{form!r}] names no cache {_UNSET}.")
    elif not value:
        yield _wrong_type(where, form, value, f"something {_UNSET}")
    elif form == "SENTINELS":
        if not _are_addresses(value):
            yield _wrong_type(where, form, value, "a list of (host, port)")
        if not given.get("MASTER_NAME"):
            yield _missing(where, "SENTINELS", "MASTER_NAME")
    elif form == "HOST" and not isinstance(value, str):
        yield _wrong_type(where, form, value, "text", is_raised=False)
    elif form == "UNIX_SOCKET_PATH" and not isinstance(value, str | PathLike):
        yield _wrong_type(where, form, value, "a path", is_raised=False)


def _expected_of(key: str, value: object) -> str | None:
    """Return what the value of a key beside a form must be; None if it is valid."""
    if key in ("PORT", "DB"):
        return None if _is_whole_number(value) else "a whole number"
    if key == "SOCKET_TIMEOUT":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number else "a number of seconds"
    if key == "SSL":
        return None if isinstance(value, bool) else "True or False"
    if key.endswith("_KWARGS"):
        return None if isinstance(value, Mapping) else "a dictionary"
    return None


def _is_whole_number(value: object) -> bool:
    if isinstance(value, str):  # often from the environment; redis-py accepts it
        try:
            int(value)
        except ValueError:
            return False
        return True
    return isinstance(value, int) and not isinstance(value, bool)


def _are_addresses(value: object) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and isinstance(pair[0], str)
        and _is_whole_number(pair[1])
        for pair in value
    )


def _asks_to_decode(key: str, value: object) -> bool:
    if key == "URL":
        # To redis-py, any text is true here, even 'False'.
        return has_query_option(value, "decode_responses")
    return isinstance(value, Mapping) and bool(value.get("decode_responses"))


def _hashable(value: object) -> Hashable:
    """Return a hashable stand-in, equal for settings with the same meaning."""
    if isinstance(value, Mapping):
        return frozenset((key, _hashable(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    if isinstance(value, set | frozenset):
        return frozenset(map(_hashable, value))
    # An unhashable object of redis-py's, such as a credential provider, is equal only to itself.
    # The setting keeps it alive, so that its id stays unique.
    return value if isinstance(value, Hashable) else id(value)
