"""While workers and jobs are killed, no job is lost, run twice by mistake or left over."""

from __future__ import annotations

from pathlib import Path

import redis as redis_py

from tests.chaos.storm import Storm, StormOptions


def test_a_storm_loses_nothing(redis: redis_py.Redis, tmp_path: Path) -> None:
    options = StormOptions(seed=20151103, jobs=150, seconds=8, lease=3, drain_timeout=60)
    report = Storm(options, redis, tmp_path).run()

    print(report)
    assert not report.problems, str(report)
    assert report.numbers["jobs"] == options.jobs
    assert report.killed_workers
    assert report.killed_jobs
