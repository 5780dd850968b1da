"""Jobs that use a real PostgreSQL: forked or reused, with connections closed, kept or pooled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_rqlite import Job, get_queue
from tests import database_jobs
from tests.conftest import wait_until
from tests.postgresql import PostgreSQL
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")

KEEPING: dict[str, dict[str, Any]] = {
    "closed": {"CONN_MAX_AGE": 0},
    "kept": {"CONN_MAX_AGE": 600},
    "pooled": {"OPTIONS": {"pool": True}},
}
REUSED = ("--max-jobs-per-child", "0")
TWO = ("--concurrency", "2")

#: Not every pair: in a process of its own a job does not see how long a connection is kept.
WORKERS = {
    "forked": (TWO, "closed"),
    "forked, pooled": (TWO, "pooled"),
    "two reused": ((*TWO, *REUSED), "closed"),
    "two reused, kept": ((*TWO, *REUSED), "kept"),
    "two reused, pooled": ((*TWO, *REUSED), "pooled"),
}


@pytest.fixture(params=KEEPING)
def keeping(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the settings say about how long connections are kept."""
    return KEEPING[request.param]


def sessions(postgresql: PostgreSQL) -> set[int]:
    """The sessions that workers have."""
    query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
    return {pid for (pid,) in postgresql.ask(f"{query} AND pid <> pg_backend_pid()")}


def end_queries(postgresql: PostgreSQL) -> None:
    """End what the server still does for clients that are gone."""
    of_jobs = "query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
    postgresql.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {of_jobs}")


def run(function: Any, *args: Any, **options: Any) -> Job:
    """Enqueue a job and wait until it has ended."""
    job = get_queue().enqueue(function, *args, **options)
    wait_until(lambda: job.get_status() in ("finished", "failed"), "the job has ended")
    return job


def succeeds(function: Any, *args: Any) -> Any:
    job = run(function, *args)
    assert job.is_finished, job.exc_info
    return job.return_value()


#: The first has its process replaced. The others leave connections in theirs, if they are kept.
WAYS = (
    database_jobs.ask_in_a_thread_that_stays,
    database_jobs.ask,
    database_jobs.ask_async,
    database_jobs.count_groups,
    database_jobs.ask_async_inside,
    database_jobs.ask_in_threads,
)


@pytest.mark.parametrize(("mode", "keeping"), WORKERS.values(), ids=WORKERS, indirect=["keeping"])
def test_jobs_use_the_database_and_leave_no_session(
    postgresql: PostgreSQL, keeping: dict[str, Any], mode: tuple[str, ...], tmp_path: Path
) -> None:
    queue = get_queue()
    jobs = [queue.enqueue(way) for way in WAYS]
    cut = [
        queue.enqueue(database_jobs.sleep, 60, job_timeout=1),
        queue.enqueue(database_jobs.sleep_async, 60, job_timeout=1),
    ]
    jobs += [queue.enqueue(way) for way in reversed(WAYS)]

    output = run_burst(tmp_path, *mode, environment=postgresql.environment(**keeping))

    assert [job.exc_info for job in jobs if not job.is_finished] == []
    assert all("JobTimeoutException" in (job.exc_info or "") for job in cut)
    assert "could not be closed" not in output
    end_queries(postgresql)
    wait_until(lambda: not sessions(postgresql), "all sessions have ended")


def test_a_server_that_was_restarted_between_two_jobs_is_not_missed(
    postgresql: PostgreSQL, keeping: dict[str, Any], tmp_path: Path
) -> None:
    with worker(tmp_path, *REUSED, environment=postgresql.environment(**keeping)) as process:
        process.ready()
        for way in WAYS:
            succeeds(way)
        postgresql.restart()
        for way in WAYS:
            succeeds(way)


def test_a_connection_is_kept_as_long_as_the_settings_say(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    with worker(tmp_path, *REUSED, environment=postgresql.environment(CONN_MAX_AGE=600)) as process:
        process.ready()
        first, again = succeeds(database_jobs.ask), succeeds(database_jobs.ask)
        elsewhere, there_again = (succeeds(database_jobs.ask_async) for _ in range(2))
        assert first == again != elsewhere == there_again
        succeeds(database_jobs.ask_in_threads)
        wait_until(
            lambda: sessions(postgresql) == {first, elsewhere},
            "threads that have ended have no sessions",
        )


def test_nothing_is_open_between_two_jobs_unless_the_settings_say_so(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    with worker(tmp_path, *REUSED, environment=postgresql.environment(CONN_MAX_AGE=0)) as process:
        process.ready()
        for way in WAYS:
            succeeds(way)
            wait_until(lambda: not sessions(postgresql), f"{way.__name__} has left no session")


def test_what_a_job_leaves_half_done_does_not_reach_the_next(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    def succeed_in_turn() -> None:
        for way in reversed(WAYS):  # in the same process, to begin with
            succeeds(way)
        for way in WAYS:  # and leave connections behind
            succeeds(way)

    with worker(tmp_path, *REUSED, environment=postgresql.environment(CONN_MAX_AGE=600)) as process:
        process.ready()
        succeed_in_turn()
        assert run(database_jobs.interrupt_a_query).is_failed
        succeed_in_turn()
        succeeds(database_jobs.give_up_on_a_query, 60)
        succeed_in_turn()
        succeeds(database_jobs.begin_and_forget)
        succeed_in_turn()
    end_queries(postgresql)


def test_a_simple_worker_looks_after_what_its_jobs_have_opened(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    way = ("--worker-class", "rq.SimpleWorker")
    with worker(tmp_path, *way, environment=postgresql.environment(CONN_MAX_AGE=600)) as process:
        process.ready()
        first = succeeds(database_jobs.ask)
        assert succeeds(database_jobs.ask) == first, "it is kept"
        assert run(database_jobs.interrupt_a_query).is_failed
        succeeds(database_jobs.ask)
        succeeds(database_jobs.begin_and_forget)
        succeeds(database_jobs.create_group)
        postgresql.restart()
        succeeds(database_jobs.ask)
    assert postgresql.ask("DELETE FROM auth_group RETURNING name") == [("of the job",)]


def test_what_modules_open_while_they_are_imported_is_not_used_by_jobs(
    postgresql: PostgreSQL, keeping: dict[str, Any], tmp_path: Path
) -> None:
    environment = {"RQ_TEST_APP": "tests.database_app", **postgresql.environment(**keeping)}
    jobs = [get_queue().enqueue(way) for way in (database_jobs.ask, database_jobs.ask_async)]

    run_burst(tmp_path, environment=environment)

    assert [job.exc_info for job in jobs if not job.is_finished] == []
