"""A driver that requests the pages of the admin, as a logged-in administrator."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import django

from admin_data import AdminData
from driver_loop import run_driver
from round_trips import counted_round_trips


class Pages:
    """The pages of the admin by name."""

    def __init__(self) -> None:
        # After django.setup().
        from django.contrib.auth import get_user_model
        from django.core.management import call_command
        from django.test import Client

        call_command("migrate", verbosity=0, interactive=False)
        self.data = AdminData()
        self._client = Client()
        user = get_user_model()._default_manager.create_superuser("admin")
        self._client.force_login(user)
        self._pages: Mapping[str, Callable[[], Any]] = {}

    def fill(self, queued: int, failed: int, *, busy: bool) -> Mapping[str, int]:
        """Fill the server. Returns the numbers of queued and failed jobs."""
        self.data.fill(queued, failed, busy=busy)
        self._pages = self._ready()
        return self.data.counts()

    def time(self, page: str, count: int) -> list[float]:
        """The seconds of each of ``count`` requests."""
        ask, taken = self._pages[page], []
        for _ in range(count):
            start = time.perf_counter()
            response = ask()
            taken.append(time.perf_counter() - start)
            _check(page, response)
        return taken

    def round_trips(self, page: str) -> int:
        """The round trips to Redis of one request."""
        with counted_round_trips() as sends:
            _check(page, self._pages[page]())
        return len(sends)

    def _ready(self) -> Mapping[str, Callable[[], Any]]:
        from django_rqlite.admin.pages.job_list import PER_PAGE

        queue = self.data.queues[0]
        (counts,) = self.data.queries.counts([queue])
        queued, failed = (
            next(count for place, count in counts.places.items() if place == name)
            for name in ("queued", "failed")
        )
        last_queued, last_failed = (max(-(-count // PER_PAGE), 1) for count in (queued, failed))
        middle = self.data.queued_id(queue, queued // 2)
        (failure,) = self.data.failed_ids(queue, failed // 2, 1)
        selected = self.data.failed_ids(queue, 0, PER_PAGE)
        worker = "host-0.4711"
        get, jobs = self._get, "job_changelist"
        return {
            "queues, charts of an hour": get("queue_changelist"),
            "queues, charts of a day": get("queue_changelist", span="day"),
            "queued jobs, first page": get("queue_jobs", queue, "queued"),
            "queued jobs, middle page": get(
                "queue_jobs", queue, "queued", p=(last_queued + 1) // 2
            ),
            "queued jobs, last page": get("queue_jobs", queue, "queued", p=last_queued),
            "failed jobs, first page": get("queue_jobs", queue, "failed"),
            "failed jobs, last page": get("queue_jobs", queue, "failed", p=last_failed),
            "search: everything": get(jobs),
            "search: a text that no job has": get(jobs, q="no job has this text"),
            "search: a job's id": get(jobs, q=middle),
            "search: a function": get(jobs, function="noop.jobs.fail"),
            "search: an error": get(jobs, state="failed", error="ValueError"),
            "groups of failed jobs": get(jobs, state="failed", group=1),
            "a queued job": get("job_change", middle),
            "a failed job": get("job_change", failure),
            "workers": get("worker_changelist"),
            "a worker": get("worker_change", worker),
            "delete a page of failed jobs?": self._post(
                ("queue_action", queue, "failed"), action="delete", _selected_action=selected
            ),
            "requeue all failed jobs?": self._post(("jobs_action",), action="requeue", all="1"),
            "schedules": get("queue_schedule"),
            "stats.json": get("queue_stats"),
            "metrics": get("queue_metrics"),
        }

    def _get(self, page: str, *named: str, **query: object) -> Callable[[], Any]:
        address = _address(page, *named)
        address += f"?{urlencode(query)}" if query else ""
        return lambda: self._client.get(address)

    def _post(self, page: tuple[str, ...], **form: object) -> Callable[[], Any]:
        from django_rqlite.admin.links import segment

        address = _address(*page)
        sent = {
            name: [*map(segment, value)] if isinstance(value, list) else value
            for name, value in form.items()
        }
        return lambda: self._client.post(address, sent)


def _address(page: str, *named: str) -> str:
    from django.urls import reverse

    from django_rqlite.admin.links import segment

    return reverse(f"admin:django_rqlite_{page}", args=[segment(each) for each in named])


def _check(page: str, response: Any) -> None:
    # A search for an id redirects to the job.
    wanted = 302 if page == "search: a job's id" else 200
    if response.status_code != wanted:
        raise ValueError(f"{page}: {response.status_code}")


def main() -> None:
    django.setup()
    pages = Pages()
    run_driver(
        {
            "enqueue_patterns": pages.data.enqueue_patterns,
            "counts": pages.data.counts,
            "fill": pages.fill,
            "time": pages.time,
            "round_trips": pages.round_trips,
        }
    )


if __name__ == "__main__":
    main()
