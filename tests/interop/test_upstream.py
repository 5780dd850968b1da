"""Errors of RQ's tools that have nothing to do with us, so that docs/rq-interop.md stays true.

A failure in here is good news: strike out the sentence, and the test.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis as redis_py
import rq
from rq.job import Job as RQJob

from django_rqlite import get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.engine import Engine, NextClaim
from tests.interop import jobs
from tests.interop.rq_process import rq_burst
from tests.interop.watchers import Dashboard, DjangoRQ


@pytest.fixture
def dashboard(rq_link: redis_py.Redis) -> Iterator[Dashboard]:
    dashboard = Dashboard(rq_link)
    dashboard.client.application.config["PROPAGATE_EXCEPTIONS"] = False
    with dashboard.closing:
        yield dashboard


def test_rq_dashboard_shows_no_job_with_dependencies(
    dashboard: Dashboard, rq_link: redis_py.Redis
) -> None:
    queue = rq.Queue("default", connection=rq_link)
    child = queue.enqueue(jobs.add, 1, depends_on=queue.enqueue(jobs.add, 1))
    with pytest.raises(AssertionError, match="500"):
        dashboard.get(f"/0/data/job/{child.id}.json")


def test_rq_dashboard_shows_no_result_that_json_has_no_word_for(
    dashboard: Dashboard, rq_link: redis_py.Redis
) -> None:
    job = rq.Queue("default", connection=rq_link).enqueue(jobs.echo, b"bytes")
    rq_burst("default")
    with pytest.raises(AssertionError, match="500"):
        dashboard.get(f"/0/data/job/{job.id}.json")


def test_django_rq_shows_no_started_jobs_while_a_hash_is_missing(
    redis: redis_py.Redis, rq_link: redis_py.Redis
) -> None:
    job = get_queue().enqueue(jobs.add, 1)
    Engine(Broker(redis)).claim("w", NextClaim("e", ("default",), 60))
    site = DjangoRQ(rq_link)
    with site.closing:
        assert job.id in site.get("queues/0/started/")
        redis.delete(RQJob.key_for(job.id))  # by hand: neither RQ nor we leave this behind
        with pytest.raises(AssertionError, match="500"):
            site.get("queues/0/started/")
