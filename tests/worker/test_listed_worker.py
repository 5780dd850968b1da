"""RQ's API of workers: make one from queue names, find them in Redis, run one in this process."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import rq
from django.core.management import CommandError, call_command
from django.db import connection as database

from django_rqlite import (
    Job,
    Queue,
    Repeat,
    Result,
    Retry,
    SimpleWorker,
    Worker,
    cancel_job,
    get_connection,
    get_queue,
    get_worker,
    requeue_job,
)
from django_rqlite.exceptions import (
    ConfigurationError,
    InvalidJobOperation,
    NoSuchJobError,
    UnknownQueueError,
    WorkerNameTakenError,
)
from django_rqlite.worker import (
    DequeueStrategy,
    HerokuWorker,
    RandomWorker,
    RoundRobinWorker,
    SpawnWorker,
)
from tests import sample_jobs
from tests.conftest import Server, wait_until
from tests.keyspace import dumped, places
from tests.outcomes_in_redis import fail, start
from tests.worker_process import worker

pytestmark = pytest.mark.usefixtures("redis")


def states(*jobs: Job) -> list[str]:
    return [str(job.get_status()) for job in jobs]


# Made of names


def test_a_worker_by_the_names_of_its_queues() -> None:
    jobs = [get_queue(name).enqueue(sample_jobs.add, 1) for name in ("high", "low", "default")]
    made = Worker(["high", get_queue("low")], "me", connection=get_connection())
    assert made.queue_names() == ["high", "low"]
    assert made.queue_keys() == ["rq:queue:high", "rq:queue:low"]
    assert (made.name, made.key, made.connection) == ("me", "rq:worker:me", get_connection())
    assert repr(made) == "<Worker me: high, low>"
    assert made.work(burst=True) is True
    assert states(*jobs) == ["finished", "finished", "queued"]
    assert Worker("high").work(burst=True) is False
    with pytest.raises(UnknownQueueError, match="no queue 'nowhere'"):
        Worker(["nowhere"])


def remember_place() -> str:
    """Write into the job's own record, wherever that is."""
    job = sample_jobs.get_current_job()
    assert job is not None
    job.meta["told"] = job.origin
    job.save_meta()
    return job.origin


def test_a_worker_on_a_connection_that_the_settings_do_not_know() -> None:
    other = Server.start()
    try:
        link = other.client()
        queue = Queue("unheard of", link)
        jobs = [queue.enqueue(remember_place), Queue("default", link).enqueue(remember_place)]
        for made in (Worker, SimpleWorker):
            made(["unheard of", "default"], connection=link).work(burst=True)
            assert states(*jobs) == ["finished", "finished"]
            assert [job.get_meta()["told"] for job in jobs] == ["unheard of", "default"]
            jobs = [queue.enqueue(remember_place), Queue("default", link).enqueue(remember_place)]
        with pytest.raises(ConfigurationError, match="connection"):
            Worker([get_queue("low")], connection=link)
    finally:
        other.stop()


def test_what_rq_s_workers_are_told_beside() -> None:
    made = get_worker(
        "low",
        maintenance_interval=9,
        job_monitoring_interval=9,
        log_job_description=False,
        prepare_for_work=True,
        disable_default_exception_handler=False,
        default_worker_ttl=99,
        default_result_ttl=500,
        exception_handlers=[],
        connection=get_connection("low"),
    )
    jobs = [get_queue("low").enqueue(sample_jobs.add, number) for number in range(2)]
    made.work(
        burst=True,
        logging_level="INFO",
        date_format="%H",
        log_format="%(message)s",
        max_jobs=1,
        with_scheduler=True,
        dequeue_strategy=DequeueStrategy.ROUND_ROBIN,
    )
    assert states(*jobs) == ["finished", "queued"]
    with pytest.raises(TypeError, match="unexpected keyword argument 'maintenance_intervall'"):
        get_worker("low", maintenance_intervall=9)
    for name, value in (
        ("exception_handlers", [print]),
        ("default_result_ttl", 7),
        ("work_horse_killed_handler", print),
    ):
        with pytest.raises(ConfigurationError, match=rf"Worker\({name}=\.\.\.\) has no effect"):
            get_worker("low", **{name: value})
    with pytest.raises(ConfigurationError, match="dequeue strategy 'odd'"):
        made.work(dequeue_strategy="odd")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("rq.Worker", Worker),
        ("rq.worker.Worker", Worker),
        ("rq.SimpleWorker", SimpleWorker),
        ("rq.worker.worker_classes.SimpleWorker", SimpleWorker),
        ("rq.SpawnWorker", SpawnWorker),
        ("rq.worker.HerokuWorker", HerokuWorker),
        ("rq.worker.RoundRobinWorker", RoundRobinWorker),
        ("rq.worker.RandomWorker", RandomWorker),
        ("django_rq.workers.Worker", Worker),
    ],
)
def test_classes_by_their_paths_in_rq(tmp_path: Path, path: str, kind: type[Worker]) -> None:
    made = get_worker("low", worker_class=path)
    assert type(made) is kind
    made.work(burst=True)


def test_classes_of_rq_as_options_of_the_command(tmp_path: Path) -> None:
    job = get_queue().enqueue(os.getpid)
    options = ("--worker-class", "rq.worker.SimpleWorker", "--job-class", "rq.job.Job")
    options += ("--queue-class", "django_rq.queues.DjangoRQ")
    with worker(tmp_path, "--burst", *options) as process:
        assert process.ends() == 0, process.output
        assert job.return_value() == process.pid


@pytest.mark.parametrize(
    ("flag", "path", "told"),
    [
        ("worker-class", "rq.Queue", r"rq\.Queue: .* does not inherit from django_rqlite.*Worker"),
        ("worker-class", "rq.worker.Nope", r"'rq\.worker\.Nope' does not inherit.*rq or django-rq"),
        ("queue-class", "tests.sample_jobs.Greeter", "does not inherit from django_rqlite.*Queue"),
        ("job-class", "tests.nowhere.Job", "can't be imported"),
    ],
)
def test_a_class_that_an_option_should_not_name(
    monkeypatch: pytest.MonkeyPatch, flag: str, path: str, told: str
) -> None:
    monkeypatch.setitem(sys.modules, "rq.worker", None)  # to import it would be an ImportError
    with pytest.raises(CommandError, match=rf"--{flag} .*{told}"):
        call_command("rqworker", "low", f"--{flag}", path, "--burst")


# Found in Redis


def test_workers_are_listed(redis: redis_py.Redis, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    job = get_queue("low").enqueue(sample_jobs.wait_for, str(ready))
    theirs = rq.Worker(["high"], name="theirs", connection=redis)
    theirs.register_birth()
    with worker(tmp_path, "low", "default", "--name", "ours") as process:
        wait_until(lambda: job.is_started, "it runs")
        before = dumped(redis)
        assert [found.name for found in Worker.all(connection=get_connection())] == [
            "ours",
            "theirs",
        ]
        assert (Worker.count(), Worker.count(queue=get_queue("low"))) == (2, 1)
        assert Worker.all_keys() == ["rq:worker:ours", "rq:worker:theirs"]
        assert Worker.all_keys(queue=get_queue("high")) == ["rq:worker:theirs"]
        (ours,) = Worker.all(queue=get_queue("default"))
        assert ours == Worker.find_by_key("rq:worker:ours")
        assert len({ours, *Worker.all()}) == 2
        assert ours.state == ours.get_state() == "busy"
        assert ours.queues == [get_queue("low"), get_queue("default")]
        assert ours.queue_names() == ["low", "default"]
        assert ours.queue_keys() == ["rq:queue:low", "rq:queue:default"]
        assert (ours.key, ours.pubsub_channel_name) == ("rq:worker:ours", "rq:pubsub:ours")
        assert ours.get_current_job_id() == job.id
        assert ours.get_current_job() == job
        assert ours.pid == process.pid
        assert ours.birth_date is not None
        assert ours.last_heartbeat is not None
        assert ours.birth_date <= ours.last_heartbeat
        assert ours.version.startswith("django_rqlite ")
        assert ours.hostname
        assert ours.python_version
        assert (ours.death_date, ours.shutdown_requested_date) == (None, None)
        assert repr(ours) == "<ListedWorker ours: busy>"
        assert dumped(redis) == before
        ready.touch()
        wait_until(lambda: job.is_finished, "it has run")
        ours.refresh()
        assert (ours.successful_job_count, ours.failed_job_count) == (1, 0)
        assert ours.total_working_time > 0
        assert ours.current_job_working_time == 0
        job.delete()
        assert ours.get_current_job() is None
    theirs.register_death()


def test_a_worker_that_is_not_there() -> None:
    assert Worker.all() == []
    assert Worker.count() == 0
    assert Worker.find_by_key("rq:worker:gone") is None
    with pytest.raises(ValueError, match=r"'gone' is not the key of a worker.*'rq:worker:'"):
        Worker.find_by_key("gone")


def test_foreign_data_under_the_keys_of_workers(redis: redis_py.Redis) -> None:
    redis.sadd("rq:workers", "rq:worker:odd", "rq:worker:gone", "rq:worker:half")
    redis.set("rq:worker:odd", "text")
    redis.hset("rq:worker:half", mapping={"queues": "low,,failed", "pid": "x", "state": ""})
    (half,) = Worker.all()
    assert (half.name, half.state, half.pid) == ("half", "?", None)
    assert half.queues == [get_queue("low")]  # no queue may be called "failed"
    assert Worker.count() == 3
    assert Worker.find_by_key("rq:worker:odd") is None


# In the caller's process


def fail_once(path: str) -> int:
    return sample_jobs.fail_at_first(path, 1)


def rows_of_users() -> list[str]:
    from django.contrib.auth.models import User

    return [user.username for user in User.objects.all()]


@pytest.mark.django_db
def test_a_simple_worker_sees_what_the_test_s_transaction_has_written(tmp_path: Path) -> None:
    from django.contrib.auth.models import User

    User.objects.create_user("ann")
    queue = get_queue(commit_mode="auto")
    jobs = [
        queue.enqueue(os.getpid),
        queue.enqueue(rows_of_users),
        queue.enqueue(sample_jobs.divide, 1, 0),
        queue.enqueue(fail_once, str(tmp_path / "runs"), retry=Retry(1)),
        queue.enqueue(sample_jobs.add, 5, repeat=Repeat(1)),
    ]
    child = queue.enqueue(sample_jobs.add, 2, depends_on=jobs[0])
    assert SimpleWorker([queue], connection=queue.connection).work(burst=True) is True
    assert states(*jobs, child) == [*["finished"] * 2, "failed", *["finished"] * 3]
    assert [jobs[0].return_value(), jobs[1].return_value()] == [os.getpid(), ["ann"]]
    assert "ZeroDivisionError" in (jobs[2].exc_info or "")
    assert [len(job.results()) for job in jobs] == [1, 1, 1, 2, 2]
    assert database.in_atomic_block
    assert User.objects.count() == 1
    assert Worker.all() == []


def look_at_own_record() -> list[Any]:
    (found,) = Worker.all()
    link = get_connection()
    job_id = found.get_current_job_id()
    assert job_id is not None
    (score,) = [score for _, score in link.zrange("rq:wip:default", 0, -1, withscores=True)]
    return [found.state, job_id, score - link.time()[0], link.ttl(found.key)]


@pytest.mark.parametrize(("timeout", "lasts"), [(500, 500), (None, 180), (-1, 86_000)])
def test_a_simple_worker_holds_a_job_for_as_long_as_it_may_run(
    timeout: int | None, lasts: int
) -> None:
    job = get_queue().enqueue(look_at_own_record, job_timeout=timeout)
    SimpleWorker(["default"]).work(burst=True)
    state, current, lease, ttl = job.return_value()
    assert (state, current) == ("busy", job.id)
    assert lasts < lease <= lasts + 500
    assert ttl >= lease - 5


def test_a_simple_worker_ends_a_job_that_takes_too_long() -> None:
    jobs = [
        get_queue().enqueue(sample_jobs.sleep, 60, job_timeout=1),
        get_queue().enqueue(sample_jobs.add, 1),
    ]
    SimpleWorker(["default"]).work(burst=True)
    assert states(*jobs) == ["failed", "finished"]
    assert "its timeout of 1 s" in (jobs[0].exc_info or "")


def test_a_timeout_in_this_process_is_none_in_those_forked_from_it() -> None:
    get_queue().enqueue(sample_jobs.sleep, 60, job_timeout=1)
    SimpleWorker(["default"]).work(burst=True)
    jobs = [get_queue().enqueue(os.getpid) for _ in range(2)]
    Worker(["default"], max_jobs_per_child=0).work(burst=True)
    one, other = (job.return_value() for job in jobs)
    assert one == other, "the process was used again"


def fork_and_return(path: str) -> str:
    pid = os.fork()
    if pid == 0:
        return "forked"
    _, status = os.waitpid(pid, 0)
    sample_jobs.write(path, str(status))
    return "own"


def test_a_job_of_a_simple_worker_that_forks(tmp_path: Path) -> None:
    status = tmp_path / "status"
    jobs = [
        get_queue().enqueue(fork_and_return, str(status)),
        get_queue().enqueue(sample_jobs.add, 1),
    ]
    with worker(tmp_path, "--burst", "--worker-class", "rq.SimpleWorker") as process:
        assert process.ends() == 0, process.output
        assert process.output.count("Job OK") == 2
    assert [job.return_value() for job in jobs] == ["own", 1]
    assert status.read_text() == "0"


def end_worker() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_simple_worker_is_asked_to_end(tmp_path: Path, redis: redis_py.Redis) -> None:
    jobs = [get_queue().enqueue(end_worker), get_queue().enqueue(sample_jobs.add, 1)]
    with worker(tmp_path, "--worker-class", "django_rqlite.worker.SimpleWorker") as process:
        assert process.ends() == 0, process.output
    assert states(*jobs) == ["finished", "queued"]
    assert places(redis, jobs[1].id) == ["queue:default"]


def test_a_simple_worker_waits_for_jobs_and_calls_back(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with worker(
        tmp_path,
        *("--worker-class", "rq.SimpleWorker", "--max-jobs", "2"),
        environment={"RQ_TEST_TELL": str(told)},
    ) as process:
        process.ready()
        first = get_queue().enqueue(sample_jobs.add, 1, on_success=sample_jobs.tell_success)
        wait_until(lambda: first.is_finished, "the first has run")
        get_queue().enqueue(sample_jobs.divide, 1, 0, on_failure=sample_jobs.tell_failure)
        assert process.ends() == 0, process.output
    assert [line.split()[0] for line in told.read_text().splitlines()] == ["success", "failure"]


def test_a_job_of_a_simple_worker_that_was_killed_runs_again(
    tmp_path: Path, redis: redis_py.Redis
) -> None:
    pids = tmp_path / "pids"
    job = get_queue().enqueue(sample_jobs.write_pid_and_hang, str(pids))
    with worker(tmp_path, "--worker-class", "rq.SimpleWorker") as process:
        wait_until(lambda: pids.exists() and pids.read_text(), "it runs")
        assert int(pids.read_text()) == process.pid
        process.signal(signal.SIGKILL)
        process.ends()
    assert places(redis, job.id) == ["wip:default"]


def test_a_worker_that_can_not_be_listed_leaves_the_process_as_it_was(
    redis: redis_py.Redis,
) -> None:
    alive = {"birth": "2026-01-01T00:00:00Z", "hostname": "elsewhere", "pid": "1"}
    redis.hset("rq:worker:taken", mapping=alive)
    frozen = gc.get_freeze_count()
    with pytest.raises(WorkerNameTakenError):
        Worker("default", "taken").work(burst=True)
    assert gc.get_freeze_count() == frozen
    Worker("default").work(burst=True)
    assert gc.get_freeze_count() == frozen


# Where every process gets SIGTERM


def end_process_group_and_go_on(path: str) -> str:
    """As a platform does that sends SIGTERM to every process."""
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(int(Path(path).read_text()), signal.SIGTERM)
    return "went on"


@pytest.mark.parametrize("options", [(), ("--max-jobs-per-child", "0")])
def test_a_job_outlives_the_signal_to_all_processes(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    pid_file = tmp_path / "pid"
    job = get_queue().enqueue(end_process_group_and_go_on, str(pid_file))
    options += ("--pid", str(pid_file), "--worker-class", "rq.worker.HerokuWorker")
    with worker(tmp_path, *options) as process:
        assert process.ends() == 0, process.output
    assert job.return_value() == "went on"


class Impatient(HerokuWorker):
    default_grace = 0.5


def test_a_job_that_takes_longer_goes_back(tmp_path: Path, redis: redis_py.Redis) -> None:
    pids = tmp_path / "pids"
    job = get_queue().enqueue(sample_jobs.write_pid_and_hang, str(pids))
    with worker(tmp_path, "--worker-class", f"{__name__}.{Impatient.__name__}") as process:
        wait_until(lambda: pids.exists() and pids.read_text(), "it runs")
        os.kill(int(pids.read_text()), signal.SIGTERM)
        process.signal(signal.SIGTERM)
        assert process.ends() == 0, process.output
    assert places(redis, job.id) == ["queue:default"]


# Functions, and keywords that change nothing


def test_jobs_by_their_ids(redis: redis_py.Redis) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    cancel_job(job.id, get_connection())
    assert states(job) == ["canceled"]
    assert requeue_job(job.id, connection=get_connection(), serializer=None) == job
    assert places(redis, job.id) == ["queue:default"]
    parent = get_queue().enqueue(sample_jobs.add, 1)
    child = get_queue().enqueue(sample_jobs.add, 2, depends_on=parent)
    cancel_job(parent.id, enqueue_dependents=True)
    assert states(child) == ["queued"]
    for call in (cancel_job, requeue_job):
        with pytest.raises(NoSuchJobError, match="gone"):
            call("gone")
    fail(start())
    assert requeue_job(job.id).is_queued


def test_keywords_of_rq_that_change_nothing(redis: redis_py.Redis) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1, meta={"a": 1})
    job.meta["b"] = 2
    job.description = "new"
    job.save(pipeline=None, include_meta=False, include_result=False)
    assert Job.fetch(job.id).description == "new"
    assert Job.fetch(job.id).meta == {"a": 1}
    job.save(include_meta=True)
    assert Job.fetch(job.id).meta == {"a": 1, "b": 2}
    assert Result.fetch_latest(job, serializer=None, timeout=0) is None
    assert Result.all(job, serializer=None) == []
    job.cancel(pipeline=None, enqueue_dependents=False, remove_from_dependencies=True)
    assert states(job) == ["canceled"]
    job.delete(pipeline=None, remove_from_queue=True, delete_dependents=True)
    assert not Job.exists(job.id)


def test_pipelines_are_refused_by_name(redis: redis_py.Redis) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    before = dumped(redis)
    with redis.pipeline() as pipeline:
        for call in (job.cancel, job.delete, job.save, job.delete_dependents):
            with pytest.raises(InvalidJobOperation, match=rf"{call.__name__}\(\) can't use a pipe"):
                call(pipeline)
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        job.cancel(enqueue_dependants=True)  # type: ignore[call-arg]
    assert dumped(redis) == before
