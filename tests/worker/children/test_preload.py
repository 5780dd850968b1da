"""What a worker imports before it forks, and what a fork must not share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils.functional import SimpleLazyObject

from django_rqlite import Job, get_queue
from django_rqlite.worker.children import random_generators
from django_rqlite.worker.children.import_probe import (
    new_threads,
    probe_imports,
    running_threads,
)
from tests.command_process import manage
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")

APPS = "tests.preloaded"


def apps(*names: str, preload: object = True) -> dict[str, str]:
    return {
        "RQ_TEST_APP": ",".join(f"{APPS}.{name}" for name in names),
        "RQ_TEST_PRELOAD": json.dumps(preload),
    }


def enqueue(function: str, **options: Any) -> Job:
    return get_queue().enqueue(f"{APPS}.{function}", **options)


def results(jobs: list[Job]) -> list[Any]:
    for job in jobs:
        job.refresh()
    assert [job.exc_info for job in jobs] == [None] * len(jobs)
    return [job.return_value() for job in jobs]


# Random numbers


@pytest.mark.parametrize(
    "processes", [[], ["--max-jobs-per-child", "0", "--concurrency", "2"]], ids=["own", "reused"]
)
def test_no_two_jobs_draw_the_same_numbers(tmp_path: Path, processes: list[str]) -> None:
    jobs = [enqueue("generators.jobs.draw") for _ in range(4)]
    run_burst(tmp_path, *processes, environment=apps("generators"))
    drawn = results(jobs)
    assert all(each.pop("imported here") == [0.0] for each in drawn)
    assert_all_differ(drawn)


def test_no_two_jobs_draw_the_same_numbers_from_numpy(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    jobs = [enqueue("generators.jobs.draw_with_numpy") for _ in range(4)]
    run_burst(tmp_path, environment=apps("generators"))
    assert_all_differ(results(jobs))


def assert_all_differ(drawn: list[dict[str, list[float]]]) -> None:
    for kind in drawn[0]:
        for number, numbers in enumerate(zip(*(each[kind] for each in drawn), strict=True)):
            assert len(set(numbers)) == len(drawn), (kind, number, numbers)


def test_a_pool_of_workers_knows_the_generators_too(tmp_path: Path) -> None:
    """Its workers are forked with them, in the collector's permanent generation."""
    jobs = [enqueue("generators.jobs.draw") for _ in range(3)]
    manage("rqworker-pool", "--burst", "-n", "1", environment=apps("generators"))
    assert_all_differ([{"own": drawn["own"]} for drawn in results(jobs)])


def test_a_project_without_generators_pays_nothing(tmp_path: Path) -> None:
    job = enqueue("generators.jobs.count_known")
    run_burst(tmp_path, environment=apps("clean"))
    assert results([job]) == [0]


def test_lazy_objects_are_not_evaluated_by_the_search() -> None:
    asked: list[str] = []
    lazy = SimpleLazyObject(lambda: asked.append("evaluated"))
    random_generators.find_generators()
    random_generators.forget_generators()
    assert asked == []
    assert lazy is not None


# Threads


def test_modules_that_leave_a_thread_are_not_imported_before_the_fork(tmp_path: Path) -> None:
    jobs = [
        enqueue("threads.tasks.use_pool", job_timeout=10),
        enqueue("threads.jobs.use_pool", job_timeout=10),
        enqueue("clean.jobs.imported_by"),
    ]
    with worker(tmp_path, "--burst", environment=apps("threads", "clean")) as process:
        assert process.ends(60) == 0, process.output
    first, second, clean = results(jobs)
    for imported_by, ran_in in (first, second):
        assert imported_by == ran_in
    # What comes after them is.
    assert clean[0] == process.pid
    for module in ("jobs", "tasks"):
        name = f"{APPS}.threads.{module}"
        assert process.output.count(f"{name} is not imported before jobs run") == 1
    assert process.output.count("tasks-pool_0") == 2
    assert process.output.count("clean.jobs was imported") == 1, process.output


def test_a_pool_of_workers_tells_of_it_once(tmp_path: Path) -> None:
    environment = apps("threads")
    done = manage("rqworker-pool", "--burst", "-n", "2", environment=environment)
    said = done.stdout + done.stderr
    assert said.count(f"{APPS}.threads.tasks is not imported before jobs run") == 1


def test_threads_of_django_s_set_up_are_told_of(tmp_path: Path) -> None:
    job = enqueue("clean.jobs.imported_by")
    said = run_burst(tmp_path, environment=apps("ready", "clean"))
    assert said.count("Threads run in this process before jobs are forked from it: of-the-app") == 1
    assert results([job])


def test_an_import_that_ends_the_process(tmp_path: Path) -> None:
    job, lost = enqueue("clean.jobs.imported_by"), enqueue("fatal.jobs.nothing")
    with worker(tmp_path, "--burst", environment=apps("fatal", "clean")) as process:
        assert process.ends(60) == 0
    assert f"{APPS}.fatal.jobs" in process.output
    assert "exit code 3" in process.output
    assert results([job])[0][0] == process.pid
    assert lost.is_failed


def test_a_trial_leaves_nothing_here() -> None:
    before = running_threads()
    trial = probe_imports([f"{APPS}.clean.jobs", f"{APPS}.threads.tasks", f"{APPS}.fatal.jobs"])
    assert trial.passed == (f"{APPS}.clean.jobs",)
    assert trial.failed == f"{APPS}.threads.tasks"
    assert trial.threads == ("tasks-pool_0",)
    assert new_threads(before) == ()
    again = probe_imports(["tests.importable.raises"])
    assert (again.passed, again.failed) == (("tests.importable.raises",), "")


# RQ["PRELOAD"]


def test_nothing_is_imported(tmp_path: Path) -> None:
    job = enqueue("clean.jobs.imported_by")
    run_burst(tmp_path, environment=apps("clean", preload=False))
    ((imported_by, ran_in),) = results([job])
    assert imported_by == ran_in


def test_modules_named_are_imported_whatever_they_do(tmp_path: Path) -> None:
    job = enqueue("clean.jobs.imported_by")
    environment = apps("clean", preload=[f"{APPS}.threads.tasks", "no.such.module"])
    with worker(tmp_path, "--burst", environment=environment) as process:
        assert process.ends(60) == 0
    ((imported_by, ran_in),) = results([job])
    assert imported_by == ran_in, "it was not named"
    assert f"{APPS}.threads.tasks" in process.output
    assert "no.such.module" in process.output
