"""``manage.py rqcron``, with files in RQ's format, and what RQ's own tools see of it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis as redis_py
from rq import cron_scheduler_registry
from rq.cron import CronScheduler

from django_rqlite.broker.broker import Broker
from django_rqlite.cron.config_file import load
from django_rqlite.cron.process import NOT_JSON, TTL, CronProcess
from django_rqlite.exceptions import ConfigurationError
from django_rqlite.protocol.keys import Keys
from django_rqlite.queries.queries import Queries
from tests.conftest import Server, wait_until
from tests.worker_process import WorkerProcess

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

KEYS = Keys()

REGISTER = "from django_rqlite import cron\nfrom tests import sample_jobs\n"
EVERY_SECOND = f"{REGISTER}cron.register(sample_jobs.add, 'default', (1,), interval=1)\n"


class CronRunner(WorkerProcess):
    COMMAND = "rqcron"


@contextmanager
def rqcron(folder: Path, *arguments: str, server: Server | None = None) -> Iterator[CronRunner]:
    number = len(list(folder.glob("rqcron-*.log")))
    environment = {"RQ_TEST_URL": server.url} if server else {}
    process = CronRunner(folder / f"rqcron-{number}.log", arguments, environment)
    try:
        yield process
    finally:
        process.stop()


def config(folder: Path, text: str) -> str:
    path = folder / "cron_config.py"
    path.write_text(text)
    return str(path)


def enqueued(redis: redis_py.Redis) -> int:
    return redis.llen(KEYS.queue("default"))


# The process


def test_enqueues_and_ends_when_asked(redis: redis_py.Redis, tmp_path: Path) -> None:
    with rqcron(tmp_path, config(tmp_path, EVERY_SECOND)) as process:
        wait_until(lambda: enqueued(redis) >= 2, "two ticks")
        (name,) = redis.zrange(KEYS.cron_schedulers, 0, -1)
        assert 0 < redis.ttl(KEYS.cron_scheduler(name.decode())) <= TTL
        process.signal(signal.SIGTERM)
        assert process.ends() == 0, process.output
    assert "got SIGTERM, quitting" in process.output
    assert not redis.exists(KEYS.cron_schedulers, KEYS.cron_scheduler(name.decode()))
    job_id = redis.lindex(KEYS.queue("default"), 0)
    assert job_id
    assert redis.hget(KEYS.job(job_id.decode()), "x_cron") == b"tests.sample_jobs.add"


def test_ends_at_ctrl_c(redis: redis_py.Redis, tmp_path: Path) -> None:
    text = f"{REGISTER}cron.register(sample_jobs.add, 'default', cron='0 3 1 1 *')\n"
    with rqcron(tmp_path, config(tmp_path, text)) as process:
        process.prints("0 3 1 1 * UTC")
        process.signal(signal.SIGINT)
        assert process.ends() == 0, process.output


def test_two_of_them_enqueue_once(redis: redis_py.Redis, tmp_path: Path) -> None:
    path = config(tmp_path, EVERY_SECOND)
    with rqcron(tmp_path, path) as first, rqcron(tmp_path, path) as second:
        for process in (first, second):
            process.prints("every 1 s")
        wait_until(lambda: enqueued(redis) >= 2, "two ticks")
        first.process.kill()
        before = enqueued(redis)
        wait_until(lambda: enqueued(redis) >= before + 2, "the other goes on")
        second.signal(signal.SIGTERM)
        assert second.ends() == 0, second.output
    assert enqueued(redis) == len(redis.keys(KEYS.cron_tick("*", "*")))


def test_outlives_an_outage(tmp_path: Path) -> None:
    own_server = Server.start(append_only=True)
    try:
        with (
            rqcron(tmp_path, config(tmp_path, EVERY_SECOND), server=own_server) as process,
            own_server.client() as client,
        ):
            wait_until(lambda: enqueued(client) >= 1, "a tick")
            own_server.kill()
            process.prints("Lost Redis")
            own_server.start_again()
            before = enqueued(client)
            wait_until(lambda: enqueued(client) > before, "another tick")
            assert process.output.count("Lost Redis") == 1
            process.signal(signal.SIGTERM)
            assert process.ends() == 0, process.output
    finally:
        own_server.stop()


def test_without_redis_it_does_not_start(tmp_path: Path) -> None:
    nowhere = Server("redis://localhost:1/0")
    with rqcron(tmp_path, config(tmp_path, EVERY_SECOND), server=nowhere) as process:
        assert process.ends() == 1
    assert "redis://localhost:1/0" in process.output
    assert "Traceback" not in process.output


def test_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    with rqcron(tmp_path, "no.such.module", "-l", "DEBUG") as process:
        assert process.ends() == 1
    assert "CommandError: no.such.module" in process.output


# What RQ's tools see


def test_rq_lists_it(redis: redis_py.Redis, tmp_path: Path) -> None:
    text = (
        f"{REGISTER}"
        "cron.register(sample_jobs.add, 'default', (1,), {'b': 2}, interval=60, job_timeout=9)\n"
        "cron.register(sample_jobs.echo, 'low', ({1},), cron='@daily', meta={'a': 1}, name='e')\n"
    )
    path = config(tmp_path, text)
    process = CronProcess(load(path), path)
    process._beat()

    (listed,) = CronScheduler.all(redis)
    assert (listed.name, listed.pid, listed.config_file) == (process.name, os.getpid(), path)
    assert listed.last_heartbeat is not None
    first, second = listed.get_jobs()
    assert (first.func_name, first.queue_name) == ("tests.sample_jobs.add", "default")
    assert (first.args, first.kwargs, first.interval) == ((1,), {"b": 2}, 60)
    assert first.job_options["job_timeout"] == 9
    assert first.next_enqueue_time is not None
    assert (second.name, second.cron, second.args) == ("e", "0 0 * * *", NOT_JSON)
    assert second.job_options["meta"] == {"a": 1}
    process._close()
    assert CronScheduler.all(redis) == []


def test_rq_uses_the_same_names(redis: redis_py.Redis) -> None:
    assert cron_scheduler_registry.get_registry_key() == KEYS.cron_schedulers
    assert CronScheduler(connection=redis, name="h:1:a").key == KEYS.cron_scheduler("h:1:a")


# What people see


def test_entries_can_be_looked_at(redis: redis_py.Redis, tmp_path: Path) -> None:
    path = config(tmp_path, EVERY_SECOND)
    with rqcron(tmp_path, path) as process:
        wait_until(lambda: enqueued(redis) >= 1, "a tick")
        process.signal(signal.SIGTERM)
        assert process.ends() == 0, process.output
    redis.zadd(KEYS.cron_entries, {"gone": 1, "foreign": 2})
    redis.set(KEYS.cron_entry("foreign"), "text")

    seen = Queries(Broker(redis)).schedule([], jobs=1).entries
    assert seen.total == 3
    foreign, gone, entry = seen.found
    assert "its key can't be read" in foreign.problems[0]
    assert gone.problems == ("its record is gone",)
    assert (entry.name, entry.schedule) == ("tests.sample_jobs.add", "every 1 s")
    assert (entry.queue, entry.func) == ("default", "tests.sample_jobs.add")
    assert entry.source == path
    assert entry.last_tick is not None
    assert entry.next_tick is not None
    assert entry.enqueued_at is not None
    assert entry.announced_at is not None
    assert redis.exists(KEYS.job(entry.last_job))
    assert entry.problems == ()
    few = Queries(Broker(redis)).schedule([], jobs=1, entries=1).entries
    assert (few.total, [each.name for each in few.found]) == (3, ["foreign"])


def test_foreign_data_in_the_place_of_the_list(redis: redis_py.Redis) -> None:
    redis.set(KEYS.cron_entries, "text")
    assert Queries(Broker(redis)).schedule([], jobs=1).entries.total == 0


# The file


@pytest.mark.parametrize(
    "text",
    [
        "from rq import cron\ncron.register(len, 'default', interval=1)\n",
        "from rq.cron import register\nregister(len, 'default', interval=1)\n",
    ],
)
@pytest.mark.parametrize("installed", [True, False])
def test_files_for_rq_are_told_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, installed: bool
) -> None:
    if not installed:
        monkeypatch.setitem(sys.modules, "rq", None)
        monkeypatch.setitem(sys.modules, "rq.cron", None)
    with pytest.raises(ConfigurationError, match="Write `from django_rqlite import cron` instead"):
        load(config(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "registers nothing"),
        ("import no_such_thing\n", "No module named 'no_such_thing'"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("def f(:\n", "SyntaxError"),
        (f"{REGISTER}cron.register(sample_jobs.add, 'lo', interval=1)", "has no queue 'lo'"),
        (f"{REGISTER}def mine(): ...\ncron.register(mine, interval=1)", "'mine' is defined in"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = config(tmp_path, text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(path)


@pytest.mark.parametrize("path", ["/no/such/file.py", "/etc/hostname", "no/such/file.py", ".", ""])
def test_paths_that_lead_nowhere(path: str) -> None:
    with pytest.raises(ConfigurationError):
        load(path)


@pytest.mark.parametrize(
    "form", ["app_x/cron_config.py", "./app_x/cron_config", "app_x.cron_config"]
)
def test_modules_by_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    (tmp_path / "app_x").mkdir()
    config(tmp_path / "app_x", EVERY_SECOND)
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(2):  # also when it was imported before
        assert [entry.name for entry in load(form)] == ["tests.sample_jobs.add"]
    for name in ("app_x", "app_x.cron_config"):
        monkeypatch.delitem(sys.modules, name)


def test_entries_of_one_name_are_told_apart(tmp_path: Path) -> None:
    text = EVERY_SECOND + "cron.register(sample_jobs.add, interval=5)\n"
    names = [entry.name for entry in load(config(tmp_path, text))]
    assert names == ["tests.sample_jobs.add", "tests.sample_jobs.add (2)"]


def test_a_name_of_the_settings_is_refused(tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.RQ = {"CRON": {"tests.sample_jobs.add": {}}}
    with pytest.raises(ConfigurationError, match=r"is in RQ\['CRON'\] too"):
        load(config(tmp_path, EVERY_SECOND))


def test_queues_of_two_servers_are_refused(tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.RQ_QUEUES = {
        **settings.RQ_QUEUES,
        "elsewhere": {"URL": "redis://localhost:1/0"},
    }
    path = config(
        tmp_path, EVERY_SECOND + "cron.register(sample_jobs.add, 'elsewhere', interval=5)"
    )
    with pytest.raises(ConfigurationError, match="different servers"):
        CronProcess(load(path), path)
