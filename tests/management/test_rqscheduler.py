"""``manage.py rqscheduler``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis as redis_py

from tests.command_process import manage

pytestmark = pytest.mark.usefixtures("redis")


def test_the_scheduler_has_nothing_to_do(redis: redis_py.Redis, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    done = manage("rqscheduler", "--pid", str(pid), "--interval", "5", "--queue", "low", "ignored")
    assert "manage.py rqworker" in done.stdout
    assert redis.keys() == []
    assert "'0'" in manage("rqscheduler", "-i", "0", status=2).stderr
    done = manage("rqscheduler", "--queue", "defualt", status=1)
    assert re.search(r"--queue\b.*'defualt'", done.stderr)
