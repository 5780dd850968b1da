from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks
from django.utils.module_loading import import_string

from django_rqlite import Job, Queue, Worker, checks, conf
from django_rqlite.compat.overrides import unused_overrides
from django_rqlite.conf.classes import BASE_CLASSES

if TYPE_CHECKING:
    from django.core.checks import CheckMessage
    from pytest_django.fixtures import SettingsWrapper

URL = {"URL": "redis://localhost:6379/0"}
SENTINELS = {"SENTINELS": [("h", 26379)], "MASTER_NAME": "m"}


class Mine:
    """A class that inherits from nothing of ours."""


class Inherits(type("Queue", (), {"__module__": "rq.queue"})):  # type: ignore[misc]
    """A class of a project that used RQ."""


def handler(*args: object) -> None:
    """An exception handler."""


NOT_CALLABLE = 5


def ids(messages: list[CheckMessage]) -> list[str]:
    return [message.id.removeprefix("django_rqlite.") for message in messages]


def of_queue(settings: SettingsWrapper, keys: object, name: object = "mail") -> list[CheckMessage]:
    settings.RQ_QUEUES = {name: keys}
    return checks.check_queues(None)


@pytest.mark.parametrize(
    "keys",
    [
        URL,
        {"URL": "unix:///run/redis.sock?db=1", "DEFAULT_TIMEOUT": "1h30m", "ASYNC": False},
        {"HOST": "localhost", "PORT": 6379, "DB": 0, "PASSWORD": "p", "DEFAULT_TIMEOUT": 360},
        {"HOST": "localhost", "PORT": "6379", "DB": "0", "SSL": True, "SSL_CERT_REQS": None},
        {"HOST": "localhost", "REDIS_CLIENT_KWARGS": {"ssl_ca_certs": "/ca.pem"}, "USERNAME": None},
        {"UNIX_SOCKET_PATH": "/run/redis.sock", "DB": 1, "PASSWORD": "p", "SOCKET_TIMEOUT": 1.5},
        {
            **SENTINELS,
            "SOCKET_TIMEOUT": None,
            "CONNECTION_KWARGS": {"socket_connect_timeout": 0.3},
            "SENTINEL_KWARGS": {"username": "u", "password": "p", "decode_responses": True},
        },
        {**URL, "SERIALIZER": "json", "KEY_PREFIX": "{mail}rq:", "DEFAULT_RESULT_TTL": -1},
        {**URL, "SERIALIZER": "rq.serializers.JSONSerializer"},
        {
            **URL,
            "QUEUE_CLASS": "django_rqlite.Queue",
            "JOB_CLASS": Job,
            "WORKER_CLASS": None,
        },
    ],
)
def test_finds_nothing_in_a_good_setting(settings: SettingsWrapper, keys: dict[str, Any]) -> None:
    assert of_queue(settings, keys) == []
    conf.queues()


@pytest.mark.parametrize(
    ("value", "expected", "message"),
    [
        (None, "E001", "RQ_QUEUES is not in the settings"),
        ([], "E002", "RQ_QUEUES must be a dictionary, not list"),
        ({}, "E003", "RQ_QUEUES has no queue"),
    ],
)
def test_no_queues(settings: SettingsWrapper, value: object, expected: str, message: str) -> None:
    settings.RQ_QUEUES = value
    found = checks.check_queues(None)
    assert ids(found) == [expected]
    assert message in found[0].msg
    assert "RQ_QUEUES = {" in str(found[0].hint)


def test_missing_setting(settings: SettingsWrapper) -> None:
    del settings.RQ_QUEUES
    assert ids(checks.check_queues(None)) == ["E001"]


@pytest.mark.parametrize(
    ("name", "expected", "message"),
    [
        ("failed", "E005", "RQ_QUEUES['failed']: the name of a queue would be the list in which"),
        ("x:intermediate", "E005", "a key of RQ's own"),
        ("", "E005", "must be non-empty text"),
        (None, "E005", "must be non-empty text"),
        ("a,b", "W008", "has a comma"),
    ],
)
def test_names(settings: SettingsWrapper, name: object, expected: str, message: str) -> None:
    found = of_queue(settings, URL, name)
    assert ids(found) == [expected]
    assert message in found[0].msg


@pytest.mark.parametrize(
    ("keys", "expected", "message"),
    [
        ("redis://h", "E004", "RQ_QUEUES['mail'] must be a dictionary, not str"),
        ({}, "E008", "RQ_QUEUES['mail'] names no server"),
        ({"DB": 1}, "E008", "names no server"),
        ({"PORT": 6379}, "E009", "has PORT but no HOST"),
        ({"MASTER_NAME": "m"}, "E009", "has MASTER_NAME but no SENTINELS"),
        ({"SENTINELS": [("h", 1)]}, "E009", "has SENTINELS but no MASTER_NAME"),
        ({**URL, "TIMEOUT": 5}, "W001", "the unknown key 'TIMEOUT', which has no effect"),
        ({**URL, 5: 5}, "W001", "the unknown key 5"),
        ({**URL, "HOST": "h"}, "W002", "by URL, HOST. URL wins; HOST has no effect"),
        ({"HOST": "h", **SENTINELS}, "W002", "SENTINELS wins; HOST has no effect"),
        ({**URL, "PORT": 1, "MASTER_NAME": "m"}, "W003", "MASTER_NAME, PORT has no effect beside"),
        ({"UNIX_SOCKET_PATH": "/s", "SSL": True}, "W003", "SSL has no effect beside UNIX_SOCKET"),
        ({"HOST": "h", "CONNECTION_KWARGS": {}}, "W003", "CONNECTION_KWARGS has no effect"),
        (
            {"HOST": "h", "PORT": 1.5},
            "E010",
            "['PORT'] is of type float; it must be a whole number",
        ),
        ({"HOST": "h", "PORT": True}, "E010", "['PORT'] is of type bool"),
        ({"HOST": "h", "PORT": "s3cret"}, "E010", "['PORT'] is of type str"),
        ({"HOST": "h", "DB": []}, "E010", "['DB'] is empty"),
        ({"HOST": None}, "E010", "['HOST'] is None; it must be something (is an environment"),
        ({"HOST": 5}, "E010", "['HOST'] is of type int; it must be text"),
        ({"HOST": "h", "SSL": "yes"}, "E010", "['SSL'] is of type str; it must be True or False"),
        ({"HOST": "h", "SOCKET_TIMEOUT": "5"}, "E010", "it must be a number of seconds"),
        ({"HOST": "h", "REDIS_CLIENT_KWARGS": ["x"]}, "E010", "it must be a dictionary"),
        ({"UNIX_SOCKET_PATH": 5}, "E010", "['UNIX_SOCKET_PATH'] is of type int; it must be a path"),
        ({**SENTINELS, "SENTINELS": ["h:1"]}, "E010", "it must be a list of (host, port)"),
        ({**SENTINELS, "SENTINELS": "h:1"}, "E010", "it must be a list of (host, port)"),
        ({**SENTINELS, "SENTINELS": [("h", "x")]}, "E010", "it must be a list of (host, port)"),
        ({**URL, "ASYNC": "False"}, "E010", "['ASYNC'] is 'False'; it must be True or False"),
        ({"URL": None}, "E011", "['URL'] must be text such as"),
        ({"URL": "http://s3cret@h"}, "E011", "must begin with redis://"),
        ({"URL": "redis://:s3/cret@h"}, "E011", "percent-encoded"),
        ({**URL, "DB": 2}, "W010", "the URL has its own DB"),
        ({"URL": "redis://:p@h", "PASSWORD": "s3cret"}, "W010", "the URL has its own PASSWORD"),
        ({"USE_REDIS_CACHE": "nope"}, "E012", "names the cache 'nope', but CACHES has 'default'"),
        ({"USE_REDIS_CACHE": "default"}, "E012", "is a django.core.cache.backends.locmem.LocMem"),
        ({"URL": "redis://h?decode_responses=1"}, "E014", "['URL'] asks for decode_responses"),
        (
            {"HOST": "h", "REDIS_CLIENT_KWARGS": {"decode_responses": True}},
            *("E014", "['REDIS_CLIENT_KWARGS'] asks for decode_responses"),
        ),
        ({**URL, "DEFAULT_TIMEOUT": "soon"}, "E015", "['DEFAULT_TIMEOUT'] is 'soon', which is"),
        ({**URL, "DEFAULT_TIMEOUT": False}, "E015", "['DEFAULT_TIMEOUT'] is False, which is"),
        ({**URL, "DEFAULT_RESULT_TTL": -7}, "E015", "['DEFAULT_RESULT_TTL'] is -7, but the"),
        ({**URL, "DEFAULT_TIMEOUT": 0}, "W007", "is 0, which means the default of 180 s"),
        ({**URL, "KEY_PREFIX": ""}, "E016", "['KEY_PREFIX'] is ''; it must be non-empty text"),
        ({**URL, "SERIALIZER": "nope.Serializer"}, "E017", "['SERIALIZER']: the serializer 'nope."),
        (
            {**URL, "JOB_CLASS": "nope.Job"},
            "E018",
            "'nope.Job' can't be imported: No module",
        ),
        (
            {**URL, "JOB_CLASS": "tests.conf.test_checks.Nope"},
            "E018",
            "'tests.conf.test_checks.Nope' can't be imported",
        ),
        ({**URL, "JOB_CLASS": "nope"}, "E018", "'nope' can't be imported"),
        ({**URL, "JOB_CLASS": "..nope"}, "E018", "'..nope' can't be imported"),
        (
            {**URL, "JOB_CLASS": handler},
            "E018",
            "does not inherit from django_rqlite.Job.",
        ),
        (
            {**URL, "QUEUE_CLASS": "tests.conf.test_checks.Mine"},
            "E018",
            "does not inherit from django_rqlite.Queue.",
        ),
        ({**URL, "QUEUE_CLASS": "rq.Queue"}, "E019", "is or inherits from a class of rq"),
        ({**URL, "QUEUE_CLASS": Inherits}, "E019", "is or inherits from a class of rq"),
        (
            {**URL, "WORKER_CLASS": "tests.conf.test_checks.Inherits"},
            "E019",
            "is or inherits from a class of rq",
        ),
    ],
)
def test_mistakes_of_a_queue(
    settings: SettingsWrapper, keys: object, expected: str, message: str
) -> None:
    found = of_queue(settings, keys)

    assert ids(found) == [expected]
    assert message in found[0].msg
    assert "RQ_QUEUES['mail']" in found[0].msg
    assert "cret" not in f"{found[0].msg} {found[0].hint}"


def test_all_mistakes_at_once(settings: SettingsWrapper) -> None:
    settings.RQ_QUEUES = {
        "failed": {"PORT": 1, "ASINC": True},
        "mail": {"HOST": "h", "DB": "x", "ASYNC": None, "KEY_PREFIX": 5},
    }
    assert ids(checks.check_queues(None)) == [
        *("E005", "W001", "E009"),
        *("E010", "E010", "E016"),
    ]


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        ({**URL, "DEFAULT_TIMOUT": 5}, "Did you mean 'DEFAULT_TIMEOUT'?"),
        ({**URL, "asinc": True}, "Did you mean 'ASYNC'?"),
        ({**URL, "PASSWD": "x"}, "Did you mean 'PASSWORD'?"),
        ({**URL, "JOB_CLASS": "rq.job.Job"}, "Inherit from django_rqlite.Job instead"),
        ({**URL, "QUEUE_CLASS": "django_rq.queues.DjangoRQ"}, "from django_rqlite.Queue"),
        ({**URL, "WORKER_CLASS": "rq.SimpleWorker"}, "from django_rqlite.Worker"),
        ({**URL, "PORT": 1}, "Beside URL these keys have an effect: DB, USERNAME"),
        ({"DB": 1}, "one of URL, USE_REDIS_CACHE, UNIX_SOCKET_PATH, SENTINELS, HOST"),
    ],
)
def test_hints(settings: SettingsWrapper, keys: dict[str, object], hint: str) -> None:
    (message,) = of_queue(settings, keys)
    assert hint in str(message.hint)


def test_a_good_cache(settings: SettingsWrapper) -> None:
    settings.CACHES = {
        "shared": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://h/1"}
    }
    assert of_queue(settings, {"USE_REDIS_CACHE": "shared"}) == []
    (message,) = of_queue(settings, {"USE_REDIS_CACHE": "shared", "DB": 1})
    assert message.id == "django_rqlite.W003"
    assert message.hint == "Everything comes from the cache's own entry in CACHES."


@pytest.mark.parametrize(
    "rq",
    [
        {},
        {
            "COMMIT_MODE": "auto",
            "DEFAULT_RESULT_TTL": "1d",
            "LEASE": 30,
            "TIMEOUT_GRACE": 5,
            "REQUIRE_SIGNATURE": True,
            "HUGE_PAGES": False,
            "PRELOAD": ["myapp.jobs"],
            "JOB_LOGS": 200,
            "MAX_RESULT_SIZE": 1_000_000,
            "ON_WORKER_DEATH": "fail",
            "CRON": [],
            "QUEUE_CLASS": "django_rqlite.queues.Queue",
            "SCHEDULER_CLASS": None,
        },
    ],
)
def test_finds_nothing_in_a_good_rq(settings: SettingsWrapper, rq: dict[str, object]) -> None:
    settings.RQ = rq
    assert checks.check_rq(None) == []


@pytest.mark.parametrize(
    ("rq", "expected", "message"),
    [
        ([], "E020", "RQ must be a dictionary, not list"),
        ({"COMMIT_MOD": "auto"}, "W004", "RQ has the unknown key 'COMMIT_MOD'"),
        (
            {"COMMIT_MODE": "always"},
            "E021",
            "Use one of 'on_db_commit', 'auto', 'request_finished'",
        ),
        ({"COMMIT_MODE": ["auto"]}, "E021", "RQ['COMMIT_MODE'] is ['auto']"),
        ({"LEASE": 0}, "E022", "RQ['LEASE'] is 0"),
        ({"TIMEOUT_GRACE": "10"}, "E022", "RQ['TIMEOUT_GRACE'] is '10'"),
        ({"ON_WORKER_DEATH": None}, "E034", "Use 'requeue' (at most three times) or 'fail'"),
        ({"REQUIRE_SIGNATURE": 1}, "E023", "RQ['REQUIRE_SIGNATURE'] is 1"),
        ({"HUGE_PAGES": "yes"}, "E029", "RQ['HUGE_PAGES'] is 'yes'"),
        ({"PRELOAD": "myapp.jobs"}, "E033", "RQ['PRELOAD'] is 'myapp.jobs'"),
        ({"PRELOAD": [1]}, "E033", "Use True (jobs and tasks of every app), False, or a list"),
        ({"JOB_LOGS": True}, "E031", "RQ['JOB_LOGS'] is True"),
        ({"JOB_LOGS": 9999}, "E031", "up to 1000"),
        ({"JOB_LOGS": -1}, "E031", "RQ['JOB_LOGS'] is -1"),
        ({"MAX_RESULT_SIZE": 0}, "E032", "RQ['MAX_RESULT_SIZE'] is 0"),
        ({"MAX_RESULT_SIZE": "64mb"}, "E032", "Use a whole number of bytes"),
        ({"AUTOCOMMIT": True}, "W005", "RQ['AUTOCOMMIT'] is deprecated."),
        ({"AUTOCOMMIT": 1, "COMMIT_MODE": "auto"}, "W005", "and COMMIT_MODE beside it wins."),
        ({"SCHEDULER_CLASS": "x.Y"}, "W006", "RQ['SCHEDULER_CLASS'] has no effect"),
        ({"DEFAULT_RESULT_TTL": "x"}, "E015", "RQ['DEFAULT_RESULT_TTL'] is 'x'"),
        ({"JOB_CLASS": "nope.Job"}, "E018", "RQ['JOB_CLASS']: 'nope.Job' can't be imported"),
        ({"WORKER_CLASS": "rq.Worker"}, "E019", "RQ['WORKER_CLASS']: 'rq.Worker' does not inherit"),
    ],
)
def test_mistakes_of_rq(settings: SettingsWrapper, rq: object, expected: str, message: str) -> None:
    settings.RQ = rq
    found = checks.check_rq(None)
    assert ids(found) == [expected]
    assert message in f"{found[0].msg} {found[0].hint}"


class OwnJob(Job):
    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> Any:
        return super().create(*args, **kwargs)

    def get_call_string(self) -> str:
        return "mine"

    def perform(self) -> None:
        """RQ calls this."""


class HeirOfOwnJob(OwnJob):
    pass


class OwnQueue(Queue):
    def enqueue_call(self, *args: Any, **kwargs: Any) -> Any:
        return super().enqueue_call(*args, **kwargs)

    def enqueue_job(self, *args: Any, **kwargs: Any) -> Any:
        return super().enqueue_job(*args, **kwargs)


class OwnWorker(Worker):
    def perform_job(self, *args: Any) -> None:
        """RQ calls this."""

    def work(self, *args: Any, **kwargs: Any) -> bool:
        return super().work(*args, **kwargs)


@pytest.mark.parametrize("given", [True, False])
def test_overrides_that_nothing_calls(settings: SettingsWrapper, given: bool) -> None:
    """Given as classes or by path. Each override is named with what to use instead."""
    named = {"JOB_CLASS": HeirOfOwnJob, "QUEUE_CLASS": OwnQueue, "WORKER_CLASS": OwnWorker}
    settings.RQ = {
        key: kind if given else f"{__name__}.{kind.__name__}" for key, kind in named.items()
    }
    found = {message.msg: str(message.hint) for message in checks.check_rq(None)}
    start = "RQ['{}']: tests.conf.test_checks.{} overrides {}(), which nothing here calls."
    assert found.keys() == {
        start.format("JOB_CLASS", "HeirOfOwnJob", "perform"),
        start.format("QUEUE_CLASS", "OwnQueue", "enqueue_call"),
        start.format("WORKER_CLASS", "OwnWorker", "perform_job"),
    }
    assert (
        "create_job() or enqueue_job()"
        in found[start.format(*("QUEUE_CLASS", "OwnQueue"), "enqueue_call")]
    )
    assert ids(checks.check_rq(None)) == ["W021"] * 3


def test_own_methods_are_not_reported_as_overrides() -> None:
    for key, base in BASE_CLASSES.items():
        kind = import_string(base)
        assert isinstance(kind, type)
        assert not [*unused_overrides(key, kind)]


@pytest.mark.parametrize(("value", "mode"), [(True, "'auto'"), (False, "'request_finished'")])
def test_autocommit_names_its_successor(settings: SettingsWrapper, value: bool, mode: str) -> None:
    settings.RQ = {"AUTOCOMMIT": value}
    (message,) = checks.check_rq(None)
    assert f"RQ['COMMIT_MODE'] = {mode}" in str(message.hint)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a.b", "must be a list of dotted paths"),
        (["nope.handler"], "'nope.handler' can't be imported"),
        (["tests.conf.test_checks.NOT_CALLABLE"], "can't be called"),
    ],
)
def test_mistakes_of_exception_handlers(
    settings: SettingsWrapper, value: object, message: str
) -> None:
    settings.RQ_EXCEPTION_HANDLERS = value
    found = checks.check_exception_handlers(None)
    assert ids(found) == ["E024"]
    assert message in found[0].msg


def test_good_exception_handlers(settings: SettingsWrapper) -> None:
    settings.RQ_EXCEPTION_HANDLERS = ["tests.conf.test_checks.handler"]
    assert checks.check_exception_handlers(None) == []


def test_deployment_without_signatures(settings: SettingsWrapper) -> None:
    def found() -> list[CheckMessage]:
        deployment = run_checks(include_deployment_checks=True)
        return [message for message in deployment if "rqlite" in message.id]

    (warning,) = found()
    assert warning.id == "django_rqlite.W009"
    for meaning in ("RQ['REQUIRE_SIGNATURE']", "without a signature are trusted", "callback"):
        assert meaning in warning.msg
    settings.RQ = {"REQUIRE_SIGNATURE": True}
    assert found() == []


def test_checks_are_registered(settings: SettingsWrapper) -> None:
    settings.RQ_QUEUES = {"failed": URL}
    settings.RQ = {"LEASE": -1}
    settings.RQ_EXCEPTION_HANDLERS = ["nope.handler"]
    found = [message for message in run_checks() if "rqlite" in message.id]
    assert sorted(ids(found)) == ["E005", "E022", "E024"]


def test_the_settings_of_the_tests_are_good() -> None:
    assert [message for message in run_checks() if "rqlite" in message.id] == []


def test_checks_do_not_connect(settings: SettingsWrapper) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url}}
        settings.RQ_QUEUES = {"a": {"URL": url}, "b": {"USE_REDIS_CACHE": "default"}}
        assert checks.check_queues(None) == []
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_checks_without_rq_installed() -> None:
    """RQ's names in the settings are understood, although nothing can be imported."""
    program = (
        "import sys; sys.modules['rq'] = sys.modules['django_rq'] = None\n"
        "from django.conf import settings\n"
        "settings.configure(RQ_QUEUES={'a': {'URL': 'redis://h',"
        " 'SERIALIZER': 'rq.serializers.JSONSerializer', 'JOB_CLASS': 'rq.job.Job'}})\n"
        "from django_rqlite import checks\n"
        "print([message.id for message in checks.check_queues(None)])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("['django_rqlite.E019']\n", "")
