"""``get_worker().work(burst=True)`` in a project's tests, as django-rq's README recommends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgresql import PostgreSQL
from tests.worker_process import ROOT

pytestmark = pytest.mark.usefixtures("redis")


def run_suite(environment: dict[str, str], part: str = "") -> None:
    """Have Django's own runner run the tests of own_worker_suite.py, or of one class of it."""
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning:asyncio"),
            *("-m", "django", "test", f"tests.own_worker_suite{part}", "--shuffle", "--noinput"),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK" in done.stderr


def test_with_a_database_in_memory() -> None:
    run_suite({})


def test_with_a_database_in_a_file(tmp_path: Path) -> None:
    file = str(tmp_path / "test.sqlite3")
    run_suite(
        {
            "RQ_TEST_DATABASE_SETTINGS": json.dumps(
                {"ENGINE": "django.db.backends.sqlite3", "NAME": file, "TEST": {"NAME": file}}
            )
        }
    )


def test_with_a_server(postgresql: PostgreSQL) -> None:
    before = len(postgresql.log)
    run_suite(postgresql.environment())
    assert "unexpected EOF" not in postgresql.log[before:]


def test_with_a_pool_of_connections(postgresql: PostgreSQL) -> None:
    run_suite(postgresql.environment(OPTIONS={"pool": True}), ".Committed")
