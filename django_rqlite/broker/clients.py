"""Redis clients for the connection settings of ``RQ_QUEUES``.

One client for each distinct setting and key prefix in a process: a client keeps a pool of
connections, so one for each queue, let alone one for each call, would drown the server. A child
process makes its own, because two processes cannot speak over one socket.

Making a client connects to nothing; its first command does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import redis
from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string
from redis.connection import SSLConnection, UnixDomainSocketConnection
from redis.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

from .. import conf
from ..conf.settings import ConnectionSetting, QueueConf
from ..exceptions import ConfigurationError, RedisUnavailableError, RQLiteError
from ..protocol.keys import DEFAULT_PREFIX
from .server_errors import refusal
from .wire import Once

# The process that these are of. One that was forked finds out when it first needs a client: most
# children of a worker never do.
_owner = os.getpid()
_lock = threading.Lock()
_clients: dict[tuple[ConnectionSetting, str], Client] = {}


class Client(redis.Redis):
    """A client that was made from the settings, and the prefix of the keys that it is meant for."""

    key_prefix: str = DEFAULT_PREFIX


def get_connection(name: str = "default", use_strict_redis: bool = False) -> redis.Redis:
    """Return the client of the queue ``name``; the same one to queues of the same setting.

    :param use_strict_redis: without effect, for django-rq's callers: redis-py has one class.
    :raises UnknownQueueError: if ``RQ_QUEUES`` has no such queue.
    :raises ConfigurationError: if its setting cannot be used.
    """
    return connection_for(conf.queue(name))


def get_redis_connection(config: Mapping[str, Any], use_strict_redis: bool = False) -> redis.Redis:
    """Return the client for a queue's configuration, shared with all that say the same.

    :param use_strict_redis: without effect, for django-rq's callers: redis-py has one class.
    :raises ConfigurationError: if it cannot be used.
    """
    return connection_for(conf.queue_of("the queue with this connection", config))


def filter_connection_params(queue_params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a queue's configuration says which keys on which server are meant."""
    telling = conf.CONNECTION_KEYS | {"KEY_PREFIX"}
    return {key: value for key, value in queue_params.items() if key in telling}


def connection_for(queue: QueueConf) -> redis.Redis:
    """Return this process's client for the connection setting and prefix of ``queue``.

    :raises ConfigurationError: if the setting cannot be used, naming the queue.
    """
    key = (queue.connection, queue.key_prefix)
    if _owner != os.getpid():
        _forget()
    with _lock:
        client = _clients.get(key)
        if client is None:
            client = _make(queue)
            _clients[key] = client
            client.key_prefix = queue.key_prefix
    return client


def decodes_answers(client: redis.Redis) -> bool:
    """Whether a client turns the bytes it reads into text, which jobs don't survive."""
    return bool(client.get_encoder().decode_responses)


def describe(target: QueueConf | redis.Redis) -> str:
    """Return where a client's server is, for people. User and password are never part of it.

    ``redis://host:6379/0``, ``rediss://…`` with TLS, ``unix:///run/redis.sock``,
    ``sentinel mymaster (host:26379, …)``.

    :raises ConfigurationError: if ``target`` is a setting that cannot be used.
    """
    # A cluster's client is a class of its own, which callers may give as connection= all the same.
    client: Any = connection_for(target) if isinstance(target, QueueConf) else target
    if isinstance(client, redis.RedisCluster):
        return f"the cluster of {client.get_default_node().name}"  # type: ignore[no-untyped-call]
    pool = client.connection_pool
    options: Mapping[str, Any] = pool.connection_kwargs
    db = options.get("db") or 0
    if isinstance(pool, SentinelConnectionPool):
        sentinels = ", ".join(
            _address(sentinel.connection_pool.connection_kwargs, 26379)
            for sentinel in pool.sentinel_manager.sentinels
        )
        return f"sentinel {pool.service_name}{f'/{db}' if db else ''} ({sentinels})"
    if issubclass(pool.connection_class, UnixDomainSocketConnection):
        return f"unix://{options.get('path')}{f'?db={db}' if db else ''}"
    scheme = "rediss" if issubclass(pool.connection_class, SSLConnection) else "redis"
    return f"{scheme}://{_address(options, conf.DEFAULT_PORT)}/{db}"


def longest_wait(connection: redis.Redis) -> float | None:
    """Seconds for which a command of this client may block; None: any time.

    Half of its socket timeout, after which redis-py would take the server for dead.
    """
    pool = connection.connection_pool
    # Releases of redis-py differ in what they take where nothing is set. This connects to nothing.
    patience: float | None = pool.connection_class(**pool.connection_kwargs).socket_timeout
    return patience / 2 if patience else None


# Not a generator: that costs four times as much, with every call.
class translate_errors:
    """Turn redis-py's errors into ours, which name the server's address.

    :raises RedisUnavailableError: from ``redis.ConnectionError`` and ``redis.TimeoutError``.
    :raises RedisRefusedError: from a ``redis.ResponseError`` that says in which state the server
        is. Any other stays as it is.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if not isinstance(error, redis.RedisError) or isinstance(error, RQLiteError):
            return
        if isinstance(error, redis.ResponseError):
            if ours := refusal(error, describe(self._connection)):
                raise ours from error
            return
        if not isinstance(error, redis.ConnectionError | redis.TimeoutError):
            return
        # Some releases of redis-py put the sentinels' passwords into this text.
        reason = (
            "no Sentinel that answers knows a master of that name."
            if isinstance(error, MasterNotFoundError)
            else f"{error} See the user and the password in RQ_QUEUES."
            if isinstance(error, redis.AuthenticationError)
            else error
        )
        raise RedisUnavailableError(
            f"Redis at {describe(self._connection)} is not available: {reason}"
        ) from error


def _address(options: Mapping[str, Any], default_port: int) -> str:
    host = str(options.get("host") or "localhost")
    return f"{f'[{host}]' if ':' in host else host}:{options.get('port') or default_port}"


def _make(queue: QueueConf) -> Client:
    where = f"RQ_QUEUES[{queue.name!r}]"
    try:
        client = _MAKERS[queue.connection.form](queue.connection)
        # redis-py looks at most options when it first connects; a wrong one should show here.
        pool = client.connection_pool
        pool.connection_class(**pool.connection_kwargs)
        if decodes_answers(client):
            raise ConfigurationError(
                f"{queue.connection.form} leads to a client with decode_responses=True, but jobs"
                " are bytes. Look for decode_responses in a connection_pool of yours, and take it"
                " out."
            )
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    except (TypeError, ValueError, redis.RedisError) as error:
        raise ConfigurationError(f"{where}: redis-py refuses its options: {error}") from error
    return client


def _from_url(setting: ConnectionSetting) -> Client:
    url = _without_protocol(setting["URL"])
    options = _credentials(setting) | _client_options(setting, "REDIS_CLIENT_KWARGS")
    if "DB" in setting:
        options["db"] = setting["DB"]
    secure = options.pop("ssl", False) or setting.get("SSL", False)
    if url.startswith("redis://") and secure:
        options["connection_class"] = SSLConnection
    if url.startswith("rediss://") or "connection_class" in options:
        options.setdefault("ssl_cert_reqs", setting.get("SSL_CERT_REQS", "required"))
    else:
        # A connection without TLS doesn't know these, and django-rq's settings may have them.
        options = {key: value for key, value in options.items() if not key.startswith("ssl_")}
    # redis-py says that it returns its own class, whatever the class is.
    return cast("Client", Client.from_url(url, **options))


def _from_unix_socket(setting: ConnectionSetting) -> Client:
    return Client(
        **{"unix_socket_path": str(setting["UNIX_SOCKET_PATH"]), "db": setting["DB"]}
        | _credentials(setting)
        | _client_options(setting, "REDIS_CLIENT_KWARGS")
    )


def _from_host(setting: ConnectionSetting) -> Client:
    options = {
        "host": setting["HOST"],
        "port": setting["PORT"],
        "db": setting["DB"],
        "ssl": bool(setting.get("SSL", False)),
        "ssl_cert_reqs": setting.get("SSL_CERT_REQS", "required"),
    }
    return Client(
        **options | _credentials(setting) | _client_options(setting, "REDIS_CLIENT_KWARGS")
    )


def _from_sentinels(setting: ConnectionSetting) -> Client:
    options = {"db": setting["DB"]} | _credentials(setting)
    if setting.get("SSL"):
        options |= {"ssl": True, "ssl_cert_reqs": setting.get("SSL_CERT_REQS", "required")}
    options |= _client_options(setting, "CONNECTION_KWARGS")
    # The sentinels have the timeouts of the master unless told otherwise, but not its password.
    sentinel_options = {key: options[key] for key in options if key.startswith("socket_")}
    sentinel_options |= {"protocol": 2, "retry": Once(), **setting.get("SENTINEL_KWARGS", {})}
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
        setting["SENTINELS"], sentinel_kwargs=sentinel_options, **options
    )
    client: Client = sentinel.master_for(setting["MASTER_NAME"], redis_class=Client)
    return client


def _from_cache(setting: ConnectionSetting) -> Client:
    """A client with every option of a django-redis cache, on a pool of its own.

    The cache's own pool would not do: it may decode what it reads, and a worker that waits for
    jobs would take connections from the site's cache.
    """
    alias = setting["USE_REDIS_CACHE"]
    if problem := cache_problem(alias):
        raise ConfigurationError(problem)
    from django_redis.pool import get_connection_factory  # type: ignore[import-untyped]

    cache = settings.CACHES[alias]
    servers = cache["LOCATION"]
    if isinstance(servers, str):
        servers = servers.split(",")
    options = dict(cache.get("OPTIONS", {}))
    pool_options = dict(options.get("CONNECTION_POOL_KWARGS", {}))
    options["CONNECTION_POOL_KWARGS"] = pool_options | {"protocol": 2, "decode_responses": False}
    factory: Any = get_connection_factory(options=options)
    # The first server is the one that django-redis writes to.
    parameters = factory.make_connection_params(_without_protocol(servers[0], "decode_responses"))
    return Client(connection_pool=factory.get_connection_pool(parameters))


_MAKERS: dict[str, Callable[[ConnectionSetting], Client]] = {
    "URL": _from_url,
    "USE_REDIS_CACHE": _from_cache,
    "UNIX_SOCKET_PATH": _from_unix_socket,
    "SENTINELS": _from_sentinels,
    "HOST": _from_host,
}


def cache_problem(alias: object) -> str | None:
    """Say why ``USE_REDIS_CACHE`` cannot name this cache, or return ``None``."""
    if not isinstance(alias, str) or alias not in settings.CACHES:
        known = ", ".join(map(repr, settings.CACHES)) or "none"
        return f"USE_REDIS_CACHE names the cache {alias!r}, but CACHES has {known}."
    from django_redis.cache import RedisCache  # type: ignore[import-untyped]
    from django_redis.client import DefaultClient, ShardClient  # type: ignore[import-untyped]

    cache = settings.CACHES[alias]
    kind = f"USE_REDIS_CACHE names the cache {alias!r}, which"
    try:
        backend = import_string(cache["BACKEND"])
        client = cache.get("OPTIONS", {}).get("CLIENT_CLASS", DefaultClient)
        client = import_string(client) if isinstance(client, str) else client
    except (ImportError, KeyError) as error:
        return f"{kind} cannot be used: {error}"
    if not issubclass(backend, RedisCache):
        return (
            f"{kind} is a {cache['BACKEND']}, not a django-redis cache"
            " (django_redis.cache.RedisCache). Use such a cache, or give the queue a URL."
        )
    if issubclass(client, ShardClient):
        return f"{kind} is spread over several servers. Give the queue a URL."
    if not cache.get("LOCATION"):
        return f"{kind} has no LOCATION."
    return None


def decodes(setting: Mapping[str, Any]) -> str | None:
    """Return the key under which a queue's setting asks for ``decode_responses``, if any does."""
    for key in ("REDIS_CLIENT_KWARGS", "CONNECTION_KWARGS"):
        kwargs = setting.get(key)
        if isinstance(kwargs, Mapping) and kwargs.get("decode_responses"):
            return key
    # redis-py takes any text for true here, even 'False'.
    return "URL" if "decode_responses" in _query_options(setting.get("URL")) else None


def _query_options(url: object) -> set[str]:
    if not isinstance(url, str) or conf.url_problem(url):
        return set()
    return {key for key, _ in parse_qsl(urlsplit(url).query)}


def _credentials(setting: ConnectionSetting) -> dict[str, Any]:
    names = {"USERNAME": "username", "PASSWORD": "password", "SOCKET_TIMEOUT": "socket_timeout"}
    return {names[key]: setting[key] for key in names if key in setting}


def _client_options(setting: ConnectionSetting, key: str) -> dict[str, Any]:
    """The user's options for redis-py, and ours, which make every form behave alike."""
    if where := decodes(setting):
        raise ConfigurationError(
            f"{where} asks for decode_responses, but jobs are bytes. Take it out."
        )
    given = dict(setting.get(key, {}))
    given.pop("decode_responses", None)
    # redis-py repeats a command after a cut connection if it is a client of host and port, and
    # doesn't if it is one of a URL. Most of ours must not run twice.
    if not given.keys() & {"retry", "retry_on_error", "retry_on_timeout"}:
        given["retry"] = Once()
    return {**given, "protocol": 2}


def _without_protocol(url: str, *also: str) -> str:
    """The URL without a query option that would win over ours."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if not any(key in ("protocol", *also) for key, _ in query):
        return url
    kept = [(key, value) for key, value in query if key not in ("protocol", *also)]
    return urlunsplit(parts._replace(query=urlencode(kept)))


def _forget() -> None:
    """Start without clients: in a child process, whose parent keeps them."""
    global _owner, _lock, _clients
    _owner = os.getpid()
    # Another thread of the parent may have held the lock at the fork; nobody would release it.
    _lock = threading.Lock()
    _clients = {}


def _forget_caches(*, setting: str, **_: object) -> None:
    if setting == "CACHES":
        with _lock:
            for key in [key for key in _clients if key[0].form == "USE_REDIS_CACHE"]:
                del _clients[key]


setting_changed.connect(_forget_caches, dispatch_uid="django_rqlite.broker.clients")
