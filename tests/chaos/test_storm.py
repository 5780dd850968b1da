"""Workers and jobs are killed all the time; no job is lost, doubled or stranded."""

from __future__ import annotations

from pathlib import Path

import redis as redis_py

from tests.chaos.nursery import nursery
from tests.chaos.storm import Storm, Weather
from tests.conftest import Server


def test_a_storm_loses_nothing(redis: redis_py.Redis, server: Server, tmp_path: Path) -> None:
    weather = Weather(seed=20151103, jobs=150, seconds=8, lease=3, drained_within=60)
    with nursery(tmp_path) as born_in:
        report = Storm(weather, redis, server.url, tmp_path, born_in).rage()

    print(report)
    assert not report.problems, str(report)
    assert report.numbers["jobs"] == weather.jobs
    assert report.killed_workers
    assert report.killed_jobs
