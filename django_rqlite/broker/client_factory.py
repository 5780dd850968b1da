"""Makes a redis-py client from a connection setting: one function for each form.

With any form, a client uses protocol 2, returns bytes, and does not repeat commands unless the
settings ask for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import redis
from django.conf import settings
from redis.connection import SSLConnection
from redis.sentinel import Sentinel

from ..conf import ConnectionSetting, QueueConf
from ..conf.connection import client_problems
from ..conf.validation import raise_first
from ..exceptions import ConfigurationError
from ..protocol.keys import DEFAULT_PREFIX
from .wire import NoRetry


class Client(redis.Redis):
    """A client made from the settings, with its key prefix."""

    key_prefix: str = DEFAULT_PREFIX


def make_client(queue: QueueConf) -> Client:
    """Return a new client for the connection setting and key prefix of ``queue``.

    Raises:
        ConfigurationError: redis-py or django-redis refuses the setting; the message names the
            queue.
    """
    where = f"RQ_QUEUES[{queue.name!r}]"
    raise_first(client_problems(where, queue.connection))
    try:
        client = _FACTORIES[queue.connection.form](queue.connection)
        # redis-py checks most options when it first connects; report an invalid one here.
        pool = client.connection_pool
        pool.connection_class(**pool.connection_kwargs)
    except (TypeError, ValueError, redis.RedisError) as error:
        raise ConfigurationError(f"{where}: redis-py refuses its options: {error}") from error
    if decodes_responses(client):
        raise ConfigurationError(
            f"{where}: {queue.connection.form} leads to a client with decode_responses=True, but "
            "jobs are bytes. Look for decode_responses in a connection_pool of yours, and take it "
            "out."
        )
    client.key_prefix = queue.key_prefix
    return client


def decodes_responses(client: redis.Redis) -> bool:
    """Return whether a client decodes responses, which corrupts jobs."""
    return bool(client.get_encoder().decode_responses)


def _from_url(setting: ConnectionSetting) -> Client:
    url = _without_options(setting["URL"], "protocol")
    options = _credentials(setting) | _client_options(setting, "REDIS_CLIENT_KWARGS")
    if "DB" in setting:
        options["db"] = setting["DB"]
    secure = options.pop("ssl", False) or setting.get("SSL", False)
    if url.startswith("redis://") and secure:
        options["connection_class"] = SSLConnection
    if url.startswith("rediss://") or "connection_class" in options:
        options.setdefault("ssl_cert_reqs", setting.get("SSL_CERT_REQS", "required"))
    else:
        # Without TLS, redis-py refuses these options, but settings for django-rq may have them.
        options = {key: value for key, value in options.items() if not key.startswith("ssl_")}
    # redis-py annotates its own class and not the subclass.
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
    # The sentinels get the master's timeouts unless they have their own, but not its password.
    sentinel_options = {key: options[key] for key in options if key.startswith("socket_")}
    sentinel_options |= {"protocol": 2, "retry": NoRetry(), **setting.get("SENTINEL_KWARGS", {})}
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
        setting["SENTINELS"], sentinel_kwargs=sentinel_options, **options
    )
    client: Client = sentinel.master_for(setting["MASTER_NAME"], redis_class=Client)
    return client


def _from_cache(setting: ConnectionSetting) -> Client:
    """Return a client with every option of a django-redis cache, on a separate pool.

    The pool of the cache itself is not used: it may decode responses, and a worker that waits for
    jobs would take connections from the site's cache.
    """
    from django_redis.pool import get_connection_factory  # type: ignore[import-untyped]

    cache = settings.CACHES[setting["USE_REDIS_CACHE"]]
    servers = cache["LOCATION"]
    if isinstance(servers, str):
        servers = servers.split(",")
    options = dict(cache.get("OPTIONS", {}))
    pool_options = dict(options.get("CONNECTION_POOL_KWARGS", {}))
    options["CONNECTION_POOL_KWARGS"] = pool_options | {"protocol": 2, "decode_responses": False}
    factory: Any = get_connection_factory(options=options)
    # The first server is the one that django-redis writes to.
    url = _without_options(servers[0], "protocol", "decode_responses")
    return Client(connection_pool=factory.get_connection_pool(factory.make_connection_params(url)))


_FACTORIES: dict[str, Callable[[ConnectionSetting], Client]] = {
    "URL": _from_url,
    "USE_REDIS_CACHE": _from_cache,
    "UNIX_SOCKET_PATH": _from_unix_socket,
    "SENTINELS": _from_sentinels,
    "HOST": _from_host,
}


def _credentials(setting: ConnectionSetting) -> dict[str, Any]:
    names = {"USERNAME": "username", "PASSWORD": "password", "SOCKET_TIMEOUT": "socket_timeout"}
    return {names[key]: setting[key] for key in names if key in setting}


def _client_options(setting: ConnectionSetting, key: str) -> dict[str, Any]:
    """Return the project's options for redis-py and ours, which make all forms behave alike."""
    given = dict(setting.get(key, {}))
    given.pop("decode_responses", None)
    # redis-py repeats a command after a broken connection if the client was made from a host and a
    # port, and does not if it was made from a URL. Most of our commands must not run twice.
    if not given.keys() & {"retry", "retry_on_error", "retry_on_timeout"}:
        given["retry"] = NoRetry()
    return {**given, "protocol": 2}


def _without_options(url: str, *names: str) -> str:
    """Return the URL without query options that would win over ours."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if not any(key in names for key, _ in query):
        return url
    kept = [(key, value) for key, value in query if key not in names]
    return urlunsplit(parts._replace(query=urlencode(kept)))
