"""``manage.py rqenqueue``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis as redis_py
from django.core.management import call_command

from django_rqlite import Job, get_connection, get_queue
from tests.command_process import manage
from tests.worker_process import run_burst

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.usefixtures("redis")


def enqueued(said: str) -> Job:
    return Job.fetch(said.removeprefix("Job ").removesuffix(" created\n"), get_connection())


def test_a_call_is_enqueued_with_text_as_arguments(tmp_path: Path) -> None:
    done = manage("rqenqueue", "tests.sample_jobs.echo", "7", "--queue", "high", "-t", "5m")
    job = enqueued(done.stdout)
    assert (job.origin, job.timeout, job.args) == ("high", 300, ("7",))
    run_burst(tmp_path, "high")
    assert job.return_value() == "7"


def test_arguments_may_begin_with_a_dash() -> None:
    done = manage("rqenqueue", "-q", "low", "tests.sample_jobs.write", "--", "-q", "--timeout")
    job = enqueued(done.stdout)
    assert (job.origin, job.args) == ("low", ("-q", "--timeout"))


def test_silence_on_request() -> None:
    assert manage("rqenqueue", "tests.sample_jobs.nothing", "-v", "0").stdout == ""
    assert get_queue().count == 1


def test_the_job_does_not_wait_for_the_end_of_a_request(settings: SettingsWrapper) -> None:
    settings.RQ = {"COMMIT_MODE": "request_finished"}
    call_command("rqenqueue", "tests.sample_jobs.nothing", verbosity=0)
    assert get_queue().count == 1


@pytest.mark.parametrize(
    ("arguments", "name", "status"),
    [
        ([], "required: function", 2),
        (["nothing"], "'nothing'", 1),
        (["not a path"], "'not a path'", 1),
        (["tests.sample_jobs.nothing", "-q", "defualt"], "'defualt'", 1),
        (["tests.sample_jobs.nothing", "-t", "soon"], "'soon'", 1),
        (["tests.sample_jobs.nothing", "-t", "0"], "'0'", 1),
    ],
)
def test_mistakes_are_explained(
    redis: redis_py.Redis, arguments: list[str], name: str, status: int
) -> None:
    assert name in manage("rqenqueue", *arguments, status=status).stderr
    assert redis.keys() == []
