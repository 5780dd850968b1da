"""The modules with the names of django-rq's modules."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
from django.db import connection as database

from django_rqlite import (
    Job,
    Queue,
    connection_utils,
    get_connection,
    get_queue,
    get_worker,
    utils,
    workers,
)
from django_rqlite import settings as names
from django_rqlite.exceptions import (
    ConfigurationError,
    InvalidJobOperation,
    InvalidQueueError,
    UnknownQueueError,
)
from django_rqlite.jobs.job import get_job_class
from django_rqlite.queues.lookup import (
    VALID_COMMIT_MODES,
    DjangoRQ,
    get_commit_mode,
    get_queue_by_index,
    get_queue_class,
    get_queues,
    get_result_ttl,
)
from django_rqlite.worker import RoundRobinWorker, Worker
from tests import sample_jobs
from tests.conftest import Server, wait_until
from tests.keyspace import dumped, places
from tests.outcomes_in_redis import fail, finish, start
from tests.worker_process import ROOT, worker

pytestmark = pytest.mark.usefixtures("redis")


class OtherQueue(Queue):
    pass


class OtherJob(Job):
    pass


# queues


def test_queues_for_one_worker() -> None:
    assert [queue.name for queue in get_queues()] == ["default"]
    assert [queue.name for queue in get_queues("low", "high")] == ["low", "high"]
    assert get_queues("low", job_class=OtherJob)[0].job_class is OtherJob


def test_queues_that_differ(settings: Any, server: Server) -> None:
    settings.RQ_QUEUES = {
        "a": {"URL": server.url},
        "b": {"URL": server.url, "QUEUE_CLASS": OtherQueue},
        "c": {"URL": server.url, "KEY_PREFIX": "c:"},
    }
    with pytest.raises(InvalidQueueError, match="'a' and 'b' have different classes, Queue"):
        get_queues("a", "b")
    with pytest.raises(ValueError, match="'a' and 'c' have different connections, unix://"):
        get_queues("a", "c")
    with pytest.raises(UnknownQueueError, match="'d'"):
        get_queues("a", "d")


def test_queues_by_index() -> None:
    assert [get_queue_by_index(place).name for place in range(3)] == ["default", "high", "low"]
    with pytest.raises(IndexError):
        get_queue_by_index(3)


def test_classes(settings: Any) -> None:
    assert (get_queue_class(), get_job_class(), workers.get_worker_class()) == (Queue, Job, Worker)
    settings.RQ = {
        "QUEUE_CLASS": f"{__name__}.OtherQueue",
        "JOB_CLASS": OtherJob,
        "WORKER_CLASS": "django_rqlite.worker.RoundRobinWorker",
    }
    assert (get_queue_class(), get_job_class()) == (OtherQueue, OtherJob)
    assert workers.get_worker_class() is RoundRobinWorker
    assert get_queue_class({"QUEUE_CLASS": Queue}) is Queue
    assert get_queue_class({"QUEUE_CLASS": Queue}, OtherQueue) is OtherQueue
    assert get_job_class(Job) is Job
    with pytest.raises(ConfigurationError, match=r"JOB_CLASS: 'no\.such\.Job' can't be imported"):
        get_job_class("no.such.Job")
    with pytest.raises(ConfigurationError, match=r"does not inherit from django_rqlite.*Worker"):
        workers.get_worker_class(Job)  # type: ignore[arg-type]
    assert DjangoRQ is Queue


def test_settings_of_queues(settings: Any, server: Server) -> None:
    assert get_commit_mode() == "on_db_commit"
    assert get_commit_mode() in VALID_COMMIT_MODES
    assert get_result_ttl() is None
    settings.RQ = {"COMMIT_MODE": "auto", "DEFAULT_RESULT_TTL": 5}
    assert (get_commit_mode(), get_result_ttl("low")) == ("auto", 5)
    settings.RQ_QUEUES = {"default": {"URL": server.url, "DEFAULT_RESULT_TTL": 7}}
    assert get_result_ttl() == 7


# settings


def test_settings_by_name(settings: Any) -> None:
    assert names.QUEUES == settings.RQ_QUEUES
    assert [queue["name"] for queue in names.get_queues_list()] == ["default", "high", "low"]
    assert names.get_queues_list()[0]["connection_config"] == settings.RQ_QUEUES["default"]
    assert names.get_queues_map() == {"default": 0, "high": 1, "low": 2}
    assert (names.NAME, names.BURST, names.SHOW_ADMIN_LINK) == ("default", False, True)
    assert names.get_api_token() == ""
    settings.RQ_API_TOKEN, settings.RQ_SHOW_ADMIN_LINK = "secret", False
    settings.RQ_EXCEPTION_HANDLERS = ["a.b"]
    assert (names.get_api_token(), names.SHOW_ADMIN_LINK) == ("secret", False)
    assert names.EXCEPTION_HANDLERS == ["a.b"]
    for name in ("QUEUES_LIST", "QUEUES_MAP"):
        with pytest.warns(DeprecationWarning, match=f"use get_{name.lower()}"):
            getattr(names, name)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = names.nonsense
    settings.RQ_QUEUES = None
    with pytest.raises(ConfigurationError, match="RQ_QUEUES is not in the settings"):
        _ = names.QUEUES


def test_importing_the_modules_needs_no_settings() -> None:
    modules = "settings queues workers jobs connection_utils utils decorators"
    code = "import importlib\n" + "".join(
        f"importlib.import_module('django_rqlite.{module}')\n" for module in modules.split()
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)


# connection_utils


def test_connections(settings: Any, server: Server) -> None:
    other = {"URL": server.url, "USERNAME": "u", "DEFAULT_TIMEOUT": 3}
    settings.RQ_QUEUES = {"b": {"URL": server.url, "ASYNC": False}, "a": other}
    settings.RQ_QUEUES["c"] = {"URL": server.url}
    assert connection_utils.filter_connection_params(other) == {"URL": server.url, "USERNAME": "u"}
    assert connection_utils.get_unique_connection_configs() == [
        {"URL": server.url, "USERNAME": "u"},
        {"URL": server.url},
    ]
    assert connection_utils.get_unique_connection_configs({"x": other}) == [
        {"URL": server.url, "USERNAME": "u"}
    ]
    assert connection_utils.get_connection_by_index(1) is get_connection("b")
    assert connection_utils.get_redis_connection({"URL": server.url}) is get_connection("c")
    with pytest.raises(IndexError):
        connection_utils.get_connection_by_index(2)
    with pytest.raises(ConfigurationError, match="names no server"):
        connection_utils.get_redis_connection({"DB": 1})


# workers


def test_a_worker_runs_queued_jobs_and_returns(settings: Any) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    jobs = [get_queue(name).enqueue(sample_jobs.add, 1) for name in ("default", "low")]
    get_worker().work(burst=True, with_scheduler=True)
    assert [job.get_status() for job in jobs] == ["finished", "queued"]
    get_worker("low", worker_class=RoundRobinWorker).work(burst=True, max_jobs=1)
    assert jobs[1].return_value() == 1
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_class_of_a_worker(settings: Any) -> None:
    settings.RQ = {"WORKER_CLASS": "django_rqlite.worker.RoundRobinWorker"}
    made = get_worker("low", "high", job_class=OtherJob, name="me")
    assert type(made) is RoundRobinWorker
    assert [queue.name for queue in made.queues] == ["low", "high"]
    assert {queue.job_class for queue in made.queues} == {OtherJob}
    assert made.name == "me"
    made.work(burst=True)


def test_exception_handlers(settings: Any) -> None:
    assert workers.get_exception_handlers() == [sample_jobs.tell_file]
    settings.RQ_EXCEPTION_HANDLERS = ["tests.nowhere"]
    with pytest.raises(ConfigurationError, match=r"'tests\.nowhere' can't be imported"):
        workers.get_exception_handlers()


# utils


def test_statistics(redis: redis_py.Redis) -> None:
    queue = get_queue()
    failed, ended, _running = (queue.enqueue(sample_jobs.add, number) for number in range(3))
    fail(start())
    finish(start(execution="e2"))
    start(execution="e3")
    waiting = queue.enqueue(sample_jobs.add, 4)
    before = dumped(redis)
    first, *others = utils.get_statistics(run_maintenance_tasks=True)["queues"]
    assert dumped(redis) == before
    assert first.pop("oldest_job_timestamp").startswith(f"{waiting.enqueued_at:%Y-}")
    assert {"path", "host"} & set(first["connection_kwargs"])
    expected = {
        "name": "default",
        "index": 0,
        "jobs": 1,
        "workers": 0,
        "started_jobs": 1,
        "finished_jobs": 1,
        "failed_jobs": 1,
        "deferred_jobs": 0,
        "scheduled_jobs": 0,
        "scheduler_pid": None,
    }
    assert {key: first[key] for key in expected} == expected
    assert [(other["name"], other["index"]) for other in others] == [("high", 1), ("low", 2)]
    assert others[0]["oldest_job_timestamp"] == "-"
    assert utils.get_jobs(queue, [ended.id, "gone", failed.id]) == [ended, failed]


def test_requeueing_from_anywhere(redis: redis_py.Redis) -> None:
    queue = get_queue()
    failed, ended = queue.enqueue(sample_jobs.add, 1), queue.enqueue(sample_jobs.add, 2)
    fail(start())
    finish(start(execution="e2"))
    scheduled = queue.enqueue_in(timedelta(hours=1), sample_jobs.add, 3)
    parent = get_queue("low").enqueue(sample_jobs.add, 4)
    deferred = queue.enqueue(sample_jobs.add, 5, depends_on=parent)
    for job in (failed, ended, scheduled, deferred):
        utils.requeue_job(queue, job)
        assert places(redis, job.id) == ["queue:default"]
    with pytest.raises(InvalidJobOperation):
        utils.requeue_job(queue, failed)


def test_stopping(tmp_path: Path) -> None:
    queue = get_queue()
    running, waiting = (queue.enqueue(sample_jobs.sleep, 60) for _ in range(2))
    with worker(tmp_path):
        wait_until(lambda: running.is_started, "it runs")
        ids = [running.id, waiting.id, "gone"]
        assert utils.stop_jobs(queue, ids) == ([running.id], [waiting.id, "gone"])
        wait_until(lambda: running.is_stopped, "it is stopped")
    assert utils.stop_jobs(queue, "gone") == ([], ["gone"])


@pytest.mark.django_db
def test_closing_databases() -> None:
    database.ensure_connection()
    utils.reset_db_connections()


def test_a_name_without_counterpart() -> None:
    with pytest.raises(ImportError, match=r"Use django\.core\.paginator\.Paginator"):
        from django_rqlite.utils import paginate  # noqa: F401
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = utils.nonsense
