"""The tools that people watch RQ's jobs with. Each looks at all it can show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import IO, Any, cast

import pytest
import redis as redis_py
import rq
from rq.registry import clean_registries
from rq.worker_registration import clean_worker_registry

from tests.conftest import URL_VARIABLE
from tests.interop.rq_process import run_rq
from tests.worker_process import ROOT

#: RQ's registries, by the names that pages have in their addresses.
PLACES = ("queued", "started", "finished", "failed", "deferred", "scheduled", "canceled")


class Watcher(ABC):
    """One tool.

    Attributes:
        link: a client of the server, as users of RQ make it.
        closing: what to end with it.
    """

    def __init__(self, link: redis_py.Redis) -> None:
        self.link = link
        self.closing = ExitStack()

    @abstractmethod
    def look(self, job_ids: list[str]) -> dict[str, int]:
        """Look at everything; gives how many jobs of the queue ``default`` are where.

        Raises:
            AssertionError: the tool showed an error.
        """


class Registries(Watcher):
    """RQ's own classes, in their most meddlesome ways."""

    def look(self, job_ids: list[str]) -> dict[str, int]:
        for queue in rq.Queue.all(self.link):
            clean_registries(queue)
            clean_worker_registry(queue)
        queue = rq.Queue("default", connection=self.link)
        found = {"queued": queue.count}
        for place in PLACES[1:]:
            registry = getattr(queue, f"{place}_job_registry")
            registry.cleanup()
            found[place] = registry.count
            assert len(registry.get_job_ids()) == len(registry)
        for job_id in job_ids:
            job = rq.job.Job.fetch(job_id, self.link)
            job.get_executions()
            job.results()
            job.get_position()
        return found


class Info(Watcher):
    """``rq info``."""

    def look(self, job_ids: list[str]) -> dict[str, int]:
        shown = run_rq("info", "--raw", "--only-queues").splitlines()
        run_rq("info", "--by-queue")
        # queue default 1, 1 executing, 3 finished, 1 failed
        (counts,) = (line.split() for line in shown if line.startswith("queue default "))
        numbers = (int(word.rstrip(",")) for word in counts[2:] if word[0].isdigit())
        return dict(zip(("queued", "started", "finished", "failed"), numbers, strict=True))


class Exporter(Watcher):
    """The collector of rq-exporter."""

    def __init__(self, link: redis_py.Redis) -> None:
        super().__init__(link)
        # Not among the tests' requirements: it wants a redis-py older than 6.
        collector = pytest.importorskip("rq_exporter.collector")
        import prometheus_client

        self.prometheus = prometheus_client.CollectorRegistry()
        watching = collector.RQCollector(link, rq.Worker, rq.Queue)
        self.prometheus.register(watching)
        # It lists one of its numbers for the whole process, so there can be only one of it.
        self.closing.callback(prometheus_client.REGISTRY.unregister, watching.summary)

    def look(self, job_ids: list[str]) -> dict[str, int]:
        found = {}
        for family in self.prometheus.collect():
            for sample in family.samples:
                if sample.name == "rq_jobs" and sample.labels["queue"] == "default":
                    found[sample.labels["status"]] = int(sample.value)
        return found


class Dashboard(Watcher):
    """rq-dashboard's Flask application."""

    def __init__(self, link: redis_py.Redis) -> None:
        super().__init__(link)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            web = pytest.importorskip("rq_dashboard.web")
            from flask import Flask
            from rq_dashboard import default_settings

            app = Flask("rq_dashboard")
            app.config.from_object(default_settings)
            app.config["RQ_DASHBOARD_REDIS_URL"] = os.environ[URL_VARIABLE]
            app.register_blueprint(web.blueprint)
            web.setup_rq_connection(app)
        self.client = app.test_client()

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status}"
        return answer.json if path.endswith(".json") else answer.text

    def look(self, job_ids: list[str]) -> dict[str, int]:
        for path in ("/", "/0/view/workers", "/0/view/jobs", "/0/data/workers.json"):
            self.get(path)
        shown = set()
        for place in PLACES:
            for order in ("asc", "dsc"):
                rest = f"default/{place}/50/{order}/1"
                self.get(f"/0/view/jobs/{rest}")
                page = self.get(f"/0/data/jobs/{rest}.json")
                shown.update(job["id"] for job in page["jobs"])
        for job_id in job_ids:
            self.get(f"/0/view/job/{job_id}")
            assert self.get(f"/0/data/job/{job_id}.json")["id"] == job_id
        assert shown >= set(job_ids)
        (queue,) = (
            found
            for found in self.get("/0/data/queues.json")["queues"]
            if found["name"] == "default"
        )
        return {
            "queued": queue["count"],
            **{place: queue[f"{place}_job_registry_count"] for place in PLACES[1:]},
        }


class DjangoRQ(Watcher):
    """django-rq's pages in the admin of a site of its own, and its metrics."""

    PAGES = "/admin/django_rq/dashboard/"

    def __init__(self, link: redis_py.Redis) -> None:
        super().__init__(link)
        pytest.importorskip("django_rq")
        self.site = subprocess.Popen(
            [sys.executable, "-m", "tests.interop.django_rq_site"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.closing.callback(self._end)
        assert self._read() == "ready"

    def _read(self) -> str:
        return cast("IO[str]", self.site.stdout).readline().strip()

    def get(self, path: str) -> str:
        cast("IO[str]", self.site.stdin).write(f"GET {self.PAGES}{path}\n")
        answer = json.loads(self._read())
        assert answer["status"] == 200, f"{path}: {answer['status']} {answer['text'][:2000]}"
        return str(answer["text"])

    def look(self, job_ids: list[str]) -> dict[str, int]:
        self.get("")
        self.get("metrics")
        for page in ("", "details/", "finished/", "failed/", "scheduled/", "started/", "deferred/"):
            self.get(f"queues/0/{page}")
        for job_id in job_ids:
            self.get(f"queues/0/{job_id}/")
            for result in rq.job.Job.fetch(job_id, self.link).results():
                self.get(f"queues/0/{job_id}/results/{result.id}/")
        self.get("workers/0/")
        for worker in rq.Worker.all(self.link):
            self.get(f"workers/0/{worker.key}/")
        (queue,) = (
            found
            for found in json.loads(self.get("stats.json"))["queues"]
            if found["name"] == "default"
        )
        return {
            "queued": queue["jobs"],
            **{place: queue[f"{place}_jobs"] for place in PLACES[1:-1]},
        }

    def _end(self) -> None:
        cast("IO[str]", self.site.stdin).close()
        self.site.wait(20)
        cast("IO[str]", self.site.stdout).close()
