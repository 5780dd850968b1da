"""``stats.json`` and ``metrics``: permissions, content, and that requests change nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import include, path
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse
from redis.connection import AbstractConnection

from django_rqlite import checks
from django_rqlite.metrics.prometheus import RQCollector
from django_rqlite.metrics.statistics import get_statistics

from ..admin.test_harmless import keyspace
from ..admin.test_permissions import client_with
from ..admin_world import QUEUES, WORKER, World

if TYPE_CHECKING:
    import redis as redis_py
    from pytest_django.fixtures import SettingsWrapper

urlpatterns = [
    path("admin/", admin.site.urls),
    path("rq/", include("django_rqlite.urls")),
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.metrics.test_views")]

TOKEN = "tokén-of-sufficient-length"
STATS, METRICS = "/rq/stats.json", "/rq/metrics"
ADDRESSES = [STATS, METRICS, f"{QUEUES}stats.json", f"{QUEUES}metrics"]
DEAD = "redis://:hidden@localhost:1/0"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def world(redis: redis_py.Redis, settings: SettingsWrapper) -> World:
    settings.RQ_API_TOKEN = TOKEN
    world = World(redis)
    world.worker(
        WORKER,
        "default",
        "low",
        successful_job_count="3",
        failed_job_count="2",
        total_working_time="1.5",
    )
    world.failed("low", "broken")
    world.queued("high", "waits", fields={"enqueued_at": "2026-01-02T03:04:05Z"})
    return world


def get(address: str, authorization: str = f"Bearer {TOKEN}", **headers: str) -> Any:
    # Servers pass each byte as one character.
    wire = authorization.encode().decode("latin-1")
    return Client(headers={"authorization": wire, **headers}).get(address)


def samples_of(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def scraped(address: str = METRICS) -> Samples:
    answer = get(address)
    assert answer.status_code == 200
    return samples_of(answer.content.decode())


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_may_ask(world: World, address: str) -> None:
    answer = get(address)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert get(address, f"bearer  {TOKEN}").status_code == 200
    assert client_with("view_queue").get(address).status_code == 200
    User.objects.all().delete()
    assert client_with("change_queue").get(address).status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN],
)
def test_who_may_not(world: World, address: str, authorization: str) -> None:
    answer = get(f"{address}?token={TOKEN}", authorization)
    assert answer.status_code == 401
    assert "RQ_API_TOKEN" in answer.json()["error"]
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Cache-Control"] == "no-store"


def test_characters_of_no_byte_are_no_token(world: World) -> None:
    for given in ("Bearer \u20ac", "Bearer \ud800"):
        assert Client(headers={"authorization": given}).get(STATS).status_code == 401


@pytest.mark.parametrize("token", ["", None])
def test_without_a_token_none_is_accepted(
    world: World, settings: SettingsWrapper, token: str | None
) -> None:
    settings.RQ_API_TOKEN = token
    for given in ("Bearer ", "Bearer", "Bearer None", f"Bearer {TOKEN}"):
        assert get(STATS, given).status_code == 401


@pytest.mark.parametrize("address", ADDRESSES)
def test_staff_need_the_permission(world: World, address: str) -> None:
    answer = client_with("view_job").get(address)
    assert answer.status_code == 403
    assert "django_rqlite.view_queue" in answer.json()["error"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_others_who_log_in_are_nobody(world: World, address: str) -> None:
    assert client_with("view_queue", staff=False).get(address).status_code == 401


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_login_for_everything_leaves_the_token(
    world: World, settings: SettingsWrapper, address: str
) -> None:
    required = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, required]
    assert get(address).status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_reading(world: World, address: str) -> None:
    client = client_with("view_queue")
    assert client.post(address).status_code == 405
    assert client.delete(address).status_code == 405
    answer = client.head(address)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_setting_of_another_type(world: World, settings: SettingsWrapper) -> None:
    settings.RQ_API_TOKEN = b"secret"
    answer = get(STATS, "Bearer secret")
    assert answer.status_code == 503
    assert answer.json() == {"error": "RQ_API_TOKEN must be text, not bytes."}
    assert [message.id for message in checks.check_api_token(None)] == ["django_rqlite.E030"]


@pytest.mark.parametrize(
    ("token", "found"), [("", []), ("a" * 15, ["django_rqlite.W013"]), ("a" * 16, [])]
)
def test_a_short_token_is_warned_of(
    settings: SettingsWrapper, token: str, found: list[str]
) -> None:
    settings.RQ_API_TOKEN = token
    messages = checks.check_api_token(None)
    assert [message.id for message in messages] == found
    assert "aaa" not in "".join(message.msg for message in messages)


def test_stats_are_the_statistics(world: World) -> None:
    answer = get(STATS)
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == get_statistics()
    assert answer.json()["queues"][1]["jobs"] == 1


def test_metrics(world: World) -> None:
    found = scraped()
    worker = (("name", WORKER), ("queues", "default,low"))
    assert found["rq_workers", (*worker, ("state", "idle"))] == 1
    assert found["rq_job_successful_total", worker] == 3
    assert found["rq_job_failed_total", worker] == 3  # and the one of this test
    assert 1.5 < found["rq_working_seconds_total", worker] < 100
    assert found["rq_jobs", (("queue", "low"), ("status", "failed"))] == 1
    assert found["rq_jobs", (("queue", "high"), ("status", "queued"))] == 1
    assert found["rq_jobs", (("queue", "high"), ("status", "canceled"))] == 0
    assert found["rq_queue_oldest_job_age_seconds", (("queue", "high"),)] > 0
    assert found["rq_queue_oldest_job_age_seconds", (("queue", "low"),)] == 0
    assert found["rq_queue_paused", (("queue", "low"),)] == 0
    world.redis.set(world.keys.paused("low"), "1")
    assert scraped()["rq_queue_paused", (("queue", "low"),)] == 1
    assert [number for (name, _), number in found.items() if name == "rq_up"] == [1]


def test_the_samples_of_django_rq_are_among_them(world: World) -> None:
    from django_rq.contrib.prometheus import RQCollector as Theirs

    registry = CollectorRegistry()
    registry.register(Theirs())
    theirs = samples_of(generate_latest(registry).decode())
    assert {name for name, _ in theirs} == {
        *("rq_workers", "rq_jobs", "rq_working_seconds_total"),
        *("rq_job_successful_total", "rq_job_failed_total"),
    }
    assert theirs.items() <= scraped().items()


def test_a_filter_holds_for_one_scrape(world: World) -> None:
    whole = scraped()
    for _ in range(2):
        names = {name for name, _ in scraped(f"{METRICS}?name[]=rq_jobs&name[]=rq_up")}
        assert names == {"rq_jobs", "rq_up"}
    assert get(f"{METRICS}?name[]=unknown").content == b""
    assert scraped().keys() == whole.keys()


def test_openmetrics(world: World) -> None:
    answer = get(METRICS, accept="application/openmetrics-text; version=1.0.0,text/plain;q=0.5")
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    text = answer.content.decode()
    assert text.endswith("# EOF\n")
    assert "rq_jobs" in {family.name for family in parse_open(text)}


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain; version=x", "\xff;;=,"])
def test_any_accept(world: World, accept: str) -> None:
    answer = get(METRICS, accept=accept)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")


def test_nothing_is_registered_for_all(world: World) -> None:
    before = {family.name for family in REGISTRY.collect()}
    scraped()
    assert {family.name for family in REGISTRY.collect()} == before


def test_in_a_registry_of_ones_own(world: World) -> None:
    registry = CollectorRegistry()
    registry.register(RQCollector())
    labels = {"queue": "low", "status": "failed"}
    assert registry.get_sample_value("rq_jobs", labels) == 1


def test_costs_little_and_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(600):
        world.worker(f"w-{number}")
    get(METRICS)  # connects
    before = keyspace(world.redis)
    sent: list[int] = []
    send = AbstractConnection.send_packed_command

    def counted(connection: Any, command: Any, *args: Any, **options: Any) -> Any:
        sent.append(1)
        return send(connection, command, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(AbstractConnection, "send_packed_command", counted)
        text = get(METRICS).content.decode()
    assert len(sent) == 4
    found = samples_of(text)
    assert [number for (name, _), number in found.items() if name == "rq_workers_omitted"] == [101]
    assert keyspace(world.redis) == before


def test_a_server_that_is_away(
    world: World, settings: SettingsWrapper, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RQ_QUEUES = {**settings.RQ_QUEUES, "away": {"URL": DEAD}}
    found = scraped()
    assert found["rq_up", (("server", "redis://localhost:1/0"),)] == 0
    assert found["rq_jobs", (("queue", "low"), ("status", "failed"))] == 1
    assert ("rq_jobs", (("queue", "away"), ("status", "failed"))) not in found
    answer = get(STATS)
    assert answer.status_code == 200
    assert "not available" in answer.json()["queues"][0]["error"]
    assert b"hidden" not in answer.content + get(METRICS).content
    settings.RQ_QUEUES = {"away": {"URL": DEAD}}
    answer = get(STATS)
    assert answer.status_code == 503
    assert "not available" in answer.json()["queues"][0]["error"]
    assert get(METRICS).status_code == 200
    # Programs repeat their requests, and Django mails errors to ADMINS.
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_settings_that_cannot_be_used(world: World, settings: SettingsWrapper) -> None:
    settings.RQ_QUEUES = {"default": {}}
    for address in ADDRESSES:
        answer = get(address)
        assert answer.status_code == 503
        assert "names no server" in answer.json()["error"]


@pytest.mark.parametrize("evil", [b"\xff\xfe", b'"\\\n\r\0', b"y" * 100_000, b"9" * 400, b""])
def test_whatever_is_stored(world: World, evil: bytes) -> None:
    fields = ("state", "queues", "successful_job_count", "failed_job_count", "total_working_time")
    for name in (evil, b"w"):
        world.redis.sadd("rq:workers", b"rq:worker:" + name)
        world.redis.hset(b"rq:worker:" + name, mapping=dict.fromkeys(fields, evil))
    world.redis.set("rq:wip:default", "of another kind")
    world.redis.hset("rq:job:waits", "enqueued_at", evil)
    assert len(scraped()) > 20
    assert len(get(METRICS).content) < 30_000
    assert get(STATS).status_code == 200


def test_without_the_extra(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "django_rqlite.metrics.prometheus")
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    answer = get(METRICS)
    assert answer.status_code == 501
    assert "pip install 'django-rqlite[prometheus]'" in answer.content.decode()
    assert get(STATS).status_code == 200
