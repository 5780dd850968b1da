from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_rqlite import checks, conf
from django_rqlite.conf.connection_url import url_problem
from django_rqlite.conf.signer import signer, signing_keys
from django_rqlite.exceptions import ConfigurationError, UnknownQueueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django.fixtures import SettingsWrapper

URL = {"URL": "redis://localhost:6379/0"}


@pytest.fixture
def configure(settings: SettingsWrapper) -> Callable[..., conf.QueueConf]:
    """Set ``RQ_QUEUES`` to one queue with these keys, and return its configuration."""

    def configure(**keys: Any) -> conf.QueueConf:
        settings.RQ_QUEUES = {"mail": keys}
        return conf.queue("mail")

    return configure


def test_defaults(configure: Callable[..., conf.QueueConf]) -> None:
    queue = configure(**URL)

    assert queue == conf.QueueConf(name="mail", connection=queue.connection)
    assert (queue.key_prefix, queue.is_async) == ("rq:", True)
    assert (queue.default_timeout, queue.default_result_ttl) == (None, None)
    assert dict(queue.connection) == URL


def test_behaviour_keys(configure: Callable[..., conf.QueueConf]) -> None:
    queue = configure(
        **URL,
        ASYNC=False,
        DEFAULT_TIMEOUT="1h30m",
        DEFAULT_RESULT_TTL=-1,
        SERIALIZER="json",
        KEY_PREFIX="{mail}rq:",
        QUEUE_CLASS="a.Queue",
        JOB_CLASS="a.Job",
        WORKER_CLASS="a.Worker",
    )

    assert not queue.is_async
    assert (queue.default_timeout, queue.default_result_ttl) == (5400, -1)
    assert (queue.serializer, queue.key_prefix) == ("json", "{mail}rq:")
    assert (queue.queue_class, queue.job_class, queue.worker_class) == (
        *("a.Queue", "a.Job", "a.Worker"),
    )


def test_rq_fills_in_what_a_queue_leaves_out(settings: SettingsWrapper) -> None:
    settings.RQ = {"DEFAULT_RESULT_TTL": "5m", "QUEUE_CLASS": "all.Queue", "JOB_CLASS": "all.Job"}
    settings.RQ_QUEUES = {
        "plain": URL,
        "own": {**URL, "DEFAULT_RESULT_TTL": 0, "QUEUE_CLASS": "own.Queue"},
    }

    plain, own = conf.queues().values()

    assert (plain.default_result_ttl, plain.queue_class) == (300, "all.Queue")
    assert (own.default_result_ttl, own.queue_class, own.job_class) == (0, "own.Queue", "all.Job")


def test_a_timeout_of_zero_is_the_default_as_in_rq(
    configure: Callable[..., conf.QueueConf],
) -> None:
    assert configure(**URL, DEFAULT_TIMEOUT=0).default_timeout is None


def test_queues_keep_the_order_of_the_settings(settings: SettingsWrapper) -> None:
    settings.RQ_QUEUES = dict.fromkeys(["b", "a", "c"], URL)
    assert list(conf.queues()) == ["b", "a", "c"]


def test_callers_cannot_change_the_configuration() -> None:
    conf.queues().clear()
    assert conf.queues()


def test_settings_are_read_again_when_they_change(settings: SettingsWrapper) -> None:
    before = signing_keys()
    settings.RQ_QUEUES = {"first": URL}
    assert list(conf.queues()) == ["first"]
    settings.RQ_QUEUES = {"second": URL}
    assert list(conf.queues()) == ["second"]
    settings.RQ = {"DEFAULT_RESULT_TTL": 7}
    assert conf.queue("second").default_result_ttl == 7
    settings.SECRET_KEY = "another"
    assert signing_keys() != before


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda queues, rq: queues["mail"].update(ASYNC=False), {"is_async": False}),
        (lambda queues, rq: queues["mail"].update(DEFAULT_TIMEOUT="2m"), {"default_timeout": 120}),
        (lambda queues, rq: queues["mail"].pop("DEFAULT_TIMEOUT"), {"default_timeout": None}),
        (lambda queues, rq: queues["mail"].update(SERIALIZER="json"), {"serializer": "json"}),
        (lambda queues, rq: queues["mail"].update(KEY_PREFIX="x:"), {"key_prefix": "x:"}),
        (lambda queues, rq: queues.update(mail={**URL, "ASYNC": False}), {"is_async": False}),
        (lambda queues, rq: rq.update(DEFAULT_RESULT_TTL=7), {"default_result_ttl": 7}),
        (lambda queues, rq: rq.update(JOB_CLASS="a.B"), {"job_class": "a.B"}),
        (lambda queues, rq: rq.update(QUEUE_CLASS="a.B"), {"queue_class": "a.B"}),
        (lambda queues, rq: rq.update(WORKER_CLASS="a.B"), {"worker_class": "a.B"}),
    ],
)
def test_settings_changed_in_place(
    settings: SettingsWrapper,
    change: Callable[[dict[str, Any], dict[str, Any]], object],
    seen: dict[str, Any],
) -> None:
    """Test suites written for django-rq do so: it reads the settings each time."""
    settings.RQ = {}
    settings.RQ_QUEUES = {"mail": {**URL, "DEFAULT_TIMEOUT": 60}}
    before = conf.queue("mail")
    assert conf.queue("mail") is before
    change(settings.RQ_QUEUES, settings.RQ)
    for found in (conf.queue("mail"), conf.queues()["mail"]):
        assert {name: getattr(found, name) for name in seen} == seen


def test_options_of_a_connection_changed_in_place(settings: SettingsWrapper) -> None:
    options: dict[str, Any] = {"socket_options": [1]}
    settings.RQ_QUEUES = {"mail": {**URL, "REDIS_CLIENT_KWARGS": options}}
    first = conf.queue("mail").connection
    options["socket_options"].append(2)
    second = conf.queue("mail").connection
    assert second != first
    options["health_check_interval"] = 3
    assert conf.queue("mail").connection != second


def test_queues_added_and_removed_in_place(settings: SettingsWrapper) -> None:
    settings.RQ_QUEUES = {"first": URL, "second": URL}
    assert list(conf.queues()) == ["first", "second"]
    settings.RQ_QUEUES["third"] = URL
    assert conf.queue("third").name == "third"
    first = settings.RQ_QUEUES.pop("first")
    with pytest.raises(UnknownQueueError, match="'third', 'second'"):
        conf.queue("first")
    settings.RQ_QUEUES["first"] = first
    assert list(conf.queues()) == ["second", "third", "first"]


def test_a_mistake_made_in_place(settings: SettingsWrapper) -> None:
    settings.RQ_QUEUES = {"mail": dict(URL)}
    assert conf.queue("mail").is_async
    settings.RQ_QUEUES["mail"]["ASYNC"] = "no"
    with pytest.raises(ConfigurationError, match="ASYNC"):
        conf.queue("mail")
    settings.RQ_QUEUES["mail"]["ASYNC"] = False
    assert not conf.queue("mail").is_async


def test_signatures_required_in_place(settings: SettingsWrapper) -> None:
    settings.RQ = {}
    assert not signer().required
    settings.RQ["REQUIRE_SIGNATURE"] = True
    assert signer().required


def test_unknown_queue_lists_the_nearest_first(settings: SettingsWrapper) -> None:
    settings.RQ_QUEUES = dict.fromkeys(["default", "emails", "low"], URL)

    with pytest.raises(UnknownQueueError) as caught:
        conf.queue("email")

    assert str(caught.value) == (
        "RQ_QUEUES has no queue 'email'. Configured queues: 'emails', 'default', 'low'."
    )
    assert isinstance(caught.value, KeyError)


def test_missing_setting_shows_an_example(settings: SettingsWrapper) -> None:
    del settings.RQ_QUEUES
    with pytest.raises(
        ImproperlyConfigured, match=r"RQ_QUEUES is not in the settings\. For example"
    ):
        conf.queues()


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("failed", URL, r"RQ_QUEUES\['failed'\]: the name of a queue would be the list in which"),
        ("", URL, "must be non-empty text"),
        (7, URL, "must be non-empty text"),
        ("a:intermediate", URL, "would be a key of RQ's own"),
        ("a", [], r"RQ_QUEUES\['a'\] must be a dictionary, not list"),
        ("a", {}, "names no server. Give it one of URL, USE_REDIS_CACHE, UNIX_SOCKET_PATH"),
        ("a", {"PORT": 1}, "has PORT but no HOST. Add HOST"),
        ("a", {"URL": None}, r"\['URL'\] must be text .* \(is an environment variable unset\?\)"),
        ("a", {"URL": "http://localhost"}, r"\['URL'\] must begin with redis://"),
        ("a", {"HOST": ""}, r"\['HOST'\] is empty"),
        ("a", {"HOST": "h", "PORT": "http"}, r"\['PORT'\] is of type str; .*a whole number"),
        ("a", {"HOST": "h", "DB": True}, r"\['DB'\] is of type bool; .*a whole number"),
        ("a", {"HOST": "h", "DB": 1.5}, r"\['DB'\] is of type float"),
        (
            "a",
            {"HOST": "h", "REDIS_CLIENT_KWARGS": []},
            "KWARGS'] is empty; .* a dictionary",
        ),
        ("a", {"SENTINELS": [("h", 1)]}, "has SENTINELS but no MASTER_NAME"),
        ("a", {"SENTINELS": ["h:1"], "MASTER_NAME": "m"}, r"must be a list of \(host, port\)"),
        ("a", {"SENTINELS": [("h", "x")], "MASTER_NAME": "m"}, r"must be a list of \(host, port\)"),
        ("a", {**URL, "ASYNC": "False"}, r"\['ASYNC'\] is 'False'; it must be True or False"),
        ("a", {**URL, "KEY_PREFIX": ""}, r"\['KEY_PREFIX'\] is ''; it must be non-empty text"),
        ("a", {**URL, "KEY_PREFIX": None}, r"\['KEY_PREFIX'\] is None"),
        ("a", {**URL, "DEFAULT_TIMEOUT": "soon"}, r"\['DEFAULT_TIMEOUT'\] is 'soon', which is not"),
        ("a", {**URL, "DEFAULT_RESULT_TTL": -2}, r"\['a'\]\['DEFAULT_RESULT_TTL'\] is -2"),
    ],
)
def test_refuses_invalid_queues(
    settings: SettingsWrapper, name: object, keys: object, message: str
) -> None:
    settings.RQ_QUEUES = {name: keys}
    with pytest.raises(ConfigurationError, match=message.replace("']", r"'\]")) as caught:
        conf.queues()
    reported = [f"{found.msg} {found.hint or ''}".rstrip() for found in checks.check_queues(None)]
    assert str(caught.value) in reported, "the check has the same rule"


@pytest.mark.parametrize("value", [[], "redis://localhost", 5])
def test_refuses_queues_that_are_not_a_dictionary(settings: SettingsWrapper, value: object) -> None:
    settings.RQ_QUEUES = value
    with pytest.raises(ConfigurationError, match="RQ_QUEUES must be a dictionary"):
        conf.queues()


@pytest.mark.parametrize(
    ("keys", "wins"),
    [
        (["URL", "USE_REDIS_CACHE", "UNIX_SOCKET_PATH", "SENTINELS", "HOST"], "URL"),
        (["HOST", "SENTINELS", "UNIX_SOCKET_PATH", "USE_REDIS_CACHE"], "USE_REDIS_CACHE"),
        (["HOST", "SENTINELS", "UNIX_SOCKET_PATH"], "UNIX_SOCKET_PATH"),
        (["HOST", "SENTINELS"], "SENTINELS"),
        (["HOST"], "HOST"),
    ],
)
def test_the_same_form_wins_as_in_django_rq(
    configure: Callable[..., conf.QueueConf], keys: list[str], wins: str
) -> None:
    values = {
        "URL": "redis://url",
        "USE_REDIS_CACHE": "default",
        "UNIX_SOCKET_PATH": "/run/redis.sock",
        "SENTINELS": [("sentinel", 26379)],
        "HOST": "host",
    }

    connection = configure(MASTER_NAME="mymaster", **{key: values[key] for key in keys}).connection

    assert connection.form == wins
    assert connection.keys() & values.keys() == {wins}


class TestIdentity:
    """Equal settings share a client; any difference that reaches the server makes another."""

    @pytest.mark.parametrize(
        ("a", "b"),
        [
            ({"HOST": "h"}, {"HOST": "h", "PORT": "6379", "DB": 0, "PASSWORD": None}),
            ({"HOST": "h"}, {"HOST": "h", "PASSWORD": "", "ASYNC": False, "DEFAULT_TIMEOUT": 5}),
            ({"UNIX_SOCKET_PATH": "/s"}, {"UNIX_SOCKET_PATH": "/s", "DB": 0, "HOST": "ignored"}),
            (
                {"SENTINELS": [("h", 1)], "MASTER_NAME": "m", "SENTINEL_KWARGS": {"a": [1]}},
                {"SENTINEL_KWARGS": {"a": [1]}, "MASTER_NAME": "m", "SENTINELS": (["h", "1"],)},
            ),
        ],
    )
    def test_equal(self, settings: SettingsWrapper, a: Any, b: Any) -> None:
        settings.RQ_QUEUES = {"a": a, "b": b}
        one, other = (queue.connection for queue in conf.queues().values())
        assert one == other
        assert hash(one) == hash(other)

    @pytest.mark.parametrize(
        "difference",
        [
            {"HOST": "i"},
            {"PORT": 6380},
            {"DB": 1},
            {"USERNAME": "alice"},
            {"PASSWORD": "secret"},
            {"SSL": True},
            {"SSL_CERT_REQS": None},
            {"SOCKET_TIMEOUT": 3},
            {"REDIS_CLIENT_KWARGS": {"client_name": "x"}},
            {"REDIS_CLIENT_KWARGS": {"credential_provider": object()}},
        ],
    )
    def test_different(self, settings: SettingsWrapper, difference: Any) -> None:
        settings.RQ_QUEUES = {"a": {"HOST": "h"}, "b": {"HOST": "h", **difference}}
        one, other = (queue.connection for queue in conf.queues().values())
        assert one != other

    def test_sentinel_kwargs_count(self, settings: SettingsWrapper) -> None:
        keys = {"SENTINELS": [("h", 1)], "MASTER_NAME": "m"}
        settings.RQ_QUEUES = {"a": keys, "b": {**keys, "SENTINEL_KWARGS": {"password": "p"}}}
        one, other = (queue.connection for queue in conf.queues().values())
        assert one != other

    def test_unhashable_options_are_themselves_only(self, settings: SettingsWrapper) -> None:
        unhashable = type("Unhashable", (), {"__hash__": None})()
        keys = {"HOST": "h", "REDIS_CLIENT_KWARGS": {"credential_provider": unhashable}}
        settings.RQ_QUEUES = {"a": keys, "b": dict(keys)}
        one, other = (queue.connection for queue in conf.queues().values())
        assert one == other

    def test_the_repr_keeps_the_secrets(self, configure: Callable[..., conf.QueueConf]) -> None:
        queue = configure(
            URL="redis://:s3cret@h/0", PASSWORD="s3cret", REDIS_CLIENT_KWARGS={"x": "s3cret"}
        )
        assert "s3cret" not in repr(queue)
        assert "PASSWORD" in repr(queue)


class TestUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "redis://localhost",
            "redis://alice:p%40ss%2F@[::1]:6379/0?socket_timeout=3",
            "rediss://:secret@host",
            "unix:///run/redis.sock?db=3",
            "unix://alice:secret@/run/redis@host.sock",
        ],
    )
    def test_good(self, url: str) -> None:
        assert url_problem(url) is None

    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            (None, "is an environment variable unset"),
            ("", "is an environment variable unset"),
            (5, "must be text"),
            ("localhost:6379", "must begin with redis://"),
            ("redis:/localhost", "must begin with redis://"),
            ("valkey://localhost", "must begin with redis://"),
            ("redis://:s3/cret@host", "percent-encoded"),
            ("redis://:s3#cret@host", "percent-encoded"),
            ("redis://:s3?cret@host", "percent-encoded"),
            ("redis://:123/s3cret@host", "percent-encoded"),
            ("redis://host:port", "cannot be read"),
            ("redis://[::1", "cannot be read"),
            ("unix://run/redis.sock", "three slashes"),
            ("unix:///", "must name the socket's path"),
        ],
    )
    def test_bad(self, url: object, problem: str) -> None:
        said = url_problem(url)
        assert said is not None
        assert problem in said
        assert "s3" not in said
        assert "cret" not in said


@pytest.mark.parametrize(
    ("rq", "mode"),
    [
        ({}, "on_db_commit"),
        ({"COMMIT_MODE": None}, "on_db_commit"),
        ({"COMMIT_MODE": "auto"}, "auto"),
        ({"AUTOCOMMIT": True}, "auto"),
        ({"AUTOCOMMIT": False}, "request_finished"),
        ({"AUTOCOMMIT": True, "COMMIT_MODE": "on_db_commit"}, "on_db_commit"),
    ],
)
def test_commit_mode(settings: SettingsWrapper, rq: dict[str, object], mode: str) -> None:
    settings.RQ = rq
    assert conf.commit_mode() == mode


def test_rq_numbers_and_switches(settings: SettingsWrapper) -> None:
    settings.RQ = {}
    assert (conf.lease(), conf.timeout_grace(), conf.require_signature()) == (60, 10, False)
    settings.RQ = {"LEASE": 5, "TIMEOUT_GRACE": 1, "REQUIRE_SIGNATURE": True}
    assert (conf.lease(), conf.timeout_grace(), conf.require_signature()) == (5, 1, True)


@pytest.mark.parametrize(
    ("rq", "preload"),
    [
        ({}, True),
        ({"PRELOAD": False}, False),
        ({"PRELOAD": ["a.jobs", "b"]}, ("a.jobs", "b")),
        ({"PRELOAD": ()}, ()),
    ],
)
def test_preload(settings: SettingsWrapper, rq: dict[str, object], preload: object) -> None:
    settings.RQ = rq
    assert conf.preload() == preload


@pytest.mark.parametrize(
    ("read", "rq", "message"),
    [
        (conf.commit_mode, {"COMMIT_MODE": "always"}, r"RQ\['COMMIT_MODE'\] is 'always'. Use one"),
        (conf.lease, {"LEASE": 0}, r"RQ\['LEASE'\] is 0. Use whole seconds, at least 1"),
        (conf.lease, {"LEASE": "60"}, r"RQ\['LEASE'\] is '60'"),
        (conf.lease, {"LEASE": True}, r"RQ\['LEASE'\] is True"),
        (conf.timeout_grace, {"TIMEOUT_GRACE": 1.5}, r"RQ\['TIMEOUT_GRACE'\] is 1.5"),
        (conf.require_signature, {"REQUIRE_SIGNATURE": "no"}, "is 'no'. Use True or False"),
        (conf.huge_pages, {"HUGE_PAGES": 0}, r"RQ\['HUGE_PAGES'\] is 0. Use True or False"),
        (
            conf.preload,
            {"PRELOAD": "a.jobs"},
            r"RQ\['PRELOAD'\] is 'a.jobs'. Use True .*, False",
        ),
        (conf.preload, {"PRELOAD": None}, r"RQ\['PRELOAD'\] is None"),
        (conf.lease, None, "RQ must be a dictionary, not NoneType"),
    ],
)
def test_refuses_bad_rq(
    settings: SettingsWrapper, read: Callable[[], object], rq: object, message: str
) -> None:
    settings.RQ = rq
    with pytest.raises(ConfigurationError, match=message) as caught:
        read()
    reported = [f"{found.msg} {found.hint or ''}".rstrip() for found in checks.check_rq(None)]
    assert str(caught.value) in reported, "the check has the same rule"


def test_other_settings(settings: SettingsWrapper) -> None:
    settings.RQ_EXCEPTION_HANDLERS = None
    assert (conf.exception_handlers(), conf.api_token(), conf.show_admin_link()) == ([], "", True)
    settings.RQ_EXCEPTION_HANDLERS = ("a.b",)
    settings.RQ_API_TOKEN = "token"
    settings.RQ_SHOW_ADMIN_LINK = False
    assert (conf.exception_handlers(), conf.api_token()) == (["a.b"], "token")
    assert not conf.show_admin_link()
    settings.RQ_EXCEPTION_HANDLERS = "a.b"
    with pytest.raises(ConfigurationError, match="must be a list of dotted paths"):
        conf.exception_handlers()


def test_signing_keys(settings: SettingsWrapper) -> None:
    settings.SECRET_KEY = "now"
    settings.SECRET_KEY_FALLBACKS = ["before", b"long before"]
    now, before, long_before = signing_keys()
    assert {len(now), len(before), len(long_before)} == {32}
    assert len({now, before, long_before}) == 3
    assert b"now" not in now

    settings.SECRET_KEY = "before"
    settings.SECRET_KEY_FALLBACKS = []
    assert signing_keys() == (before,)
