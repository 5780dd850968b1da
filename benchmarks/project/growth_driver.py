"""A process of our site that does single things to a queue, however many jobs wait in it."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import django

from answering import answer_until_eof
from round_trips import counted_round_trips

#: Jobs in one call of enqueue_many(): a list of all would be a gigabyte.
_SLICE = 10_000


class Operations:
    """What is timed, one call at a time. What prepares a call does not count."""

    def __init__(self) -> None:
        # After django.setup().
        from django.contrib.auth import get_user_model
        from django.core.management import call_command
        from django.test import Client
        from django.urls import reverse

        from django_rqlite import get_queue
        from django_rqlite.statistics import get_statistics
        from noop import jobs

        call_command("migrate", verbosity=0, interactive=False)
        self._queue = get_queue("default")
        self._client = Client()
        user = get_user_model()._default_manager.create_superuser("admin")
        self._client.force_login(user)
        self._jobs = jobs
        site = "admin:django_rqlite"
        waiting, failed = (
            reverse(f"{site}_queue_jobs", args=["default", place]) for place in ("queued", "failed")
        )
        queues = reverse(f"{site}_queue_changelist")
        self._calls: dict[str, Callable[[], Callable[[], object]]] = {
            "enqueue": lambda: lambda: self._queue.enqueue(jobs.noop),
            "counts": lambda: get_statistics,
            "cancel": lambda: self._some_pending().cancel,
            "delete": lambda: self._some_pending().delete,
            "requeue": lambda: self._some_failed().requeue,
            "HGETALL of a waiting job": self._read_some_pending,
            "HSET of a new key": self._write_something,
            "page of queues": lambda: self._get(queues),
            "page of waiting jobs": lambda: self._get(waiting),
            "page of failed jobs": lambda: self._get(failed),
            "page of a job": lambda: self._get(
                reverse(f"{site}_job_change", args=[self._some_pending().id])
            ),
        }

    def fill(self, count: int, *, failing: bool = False) -> None:
        """Have jobs wait."""
        function = self._jobs.fail if failing else self._jobs.noop
        for start in range(0, count, _SLICE):
            self._queue.enqueue_many(
                self._queue.prepare_data(function) for _ in range(start, min(count, start + _SLICE))
            )

    def failed(self) -> int:
        """How many jobs have failed."""
        return self._queue.failed_job_registry.count

    def time(self, operation: str, count: int) -> list[float]:
        """Seconds of each of so many calls."""
        taken = []
        for _ in range(count):
            call = self._calls[operation]()
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
        return taken

    def round_trips(self, operation: str) -> int:
        """How often one call waits for the server, as this process sees it."""
        call = self._calls[operation]()
        with counted_round_trips() as sends:
            call()
        return len(sends)

    def _some_pending(self) -> Any:
        position = random.randrange(self._queue.count)
        (job,) = self._queue.get_jobs(position, 1)
        return job

    def _some_failed(self) -> Any:
        registry = self._queue.failed_job_registry
        position = random.randrange(registry.count)
        (job_id,) = registry.get_job_ids(position, position)
        job = self._queue.fetch_job(job_id)
        assert job is not None
        return job

    def _read_some_pending(self) -> Callable[[], object]:
        return partial(self._queue.connection.hgetall, self._some_pending().key)

    def _write_something(self) -> Callable[[], object]:
        fields: dict[Any, Any] = dict.fromkeys(range(10), "as long as a job's field")
        return partial(self._queue.connection.hset, f"bench:{uuid.uuid4()}", mapping=fields)

    def _get(self, path: str) -> Callable[[], object]:
        def get() -> None:
            response = self._client.get(path)
            assert response.status_code == 200, f"{path}: {response.status_code}"

        return get


def main() -> None:
    django.setup()
    operations = Operations()
    answer_until_eof(
        {
            "fill": operations.fill,
            "failed": operations.failed,
            "time": operations.time,
            "round_trips": operations.round_trips,
        }
    )


if __name__ == "__main__":
    main()
