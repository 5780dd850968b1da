"""A driver that runs single operations on a queue with few jobs or with many."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import django

from django_rqlite.broker.broker import Broker
from driver_loop import run_driver
from round_trips import counted_round_trips

#: Jobs in one call of enqueue_many(): a list of all would be a gigabyte.
_SLICE = 10_000


class Operations:
    """The operations that are timed, one call at a time. The preparation of a call is not timed."""

    def __init__(self) -> None:
        # After django.setup().
        from django.contrib.auth import get_user_model
        from django.core.management import call_command
        from django.test import Client
        from django.urls import reverse

        from django_rqlite import get_queue
        from django_rqlite.metrics.statistics import get_statistics
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
        self._dependencies = _Dependencies()
        self._calls: dict[str, Callable[[], Callable[[], object]]] = {
            "enqueue": lambda: lambda: self._queue.enqueue(jobs.noop),
            "counts": lambda: get_statistics,
            "cancel": lambda: self._some_pending().cancel,
            "delete": lambda: self._some_pending().delete,
            "requeue": lambda: self._some_failed().requeue,
            "HGETALL of a queued job": self._read_some_pending,
            "HSET of a new key": self._write_something,
            "enqueue a child": self._dependencies.enqueue_child,
            "end of a parent": self._dependencies.end_parent,
            "page of queues": lambda: self._get(queues),
            "page of queued jobs": lambda: self._get(waiting),
            "page of failed jobs": lambda: self._get(failed),
            "page of a job": lambda: self._get(
                reverse(f"{site}_job_change", args=[self._some_pending().id])
            ),
        }

    def fill(self, count: int, *, failing: bool = False) -> None:
        """Enqueue jobs."""
        function = self._jobs.fail if failing else self._jobs.noop
        for start in range(0, count, _SLICE):
            self._queue.enqueue_many(
                self._queue.prepare_data(function) for _ in range(start, min(count, start + _SLICE))
            )

    def parents(self, count: int) -> None:
        """Set the number of parents of each child."""
        self._dependencies.parents = count

    def failed(self) -> int:
        """The number of failed jobs."""
        return self._queue.failed_job_registry.count

    def time(self, operation: str, count: int) -> list[float]:
        """The seconds of each of ``count`` calls."""
        taken = []
        for _ in range(count):
            call = self._calls[operation]()
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
        return taken

    def round_trips(self, operation: str) -> int:
        """The round trips of one call, counted in this process."""
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


class _Dependencies:
    """Jobs with many parents, in queues of their own.

    No worker runs them. This object makes the calls of a worker.
    """

    def __init__(self) -> None:
        # After django.setup().
        from django_rqlite import Queue, get_connection
        from django_rqlite.engine.engine import Engine, NextClaim
        from noop import jobs

        self.parents = 0
        connection = get_connection("default")
        self._noop = jobs.noop
        self._queue = Queue("parents", connection=connection)
        self._children = Queue("children", connection=connection)
        self._engine = Engine(Broker(connection))
        self._wanted = NextClaim
        self._ids: list[str] = []
        #: Whether any of the parents has ended.
        self._ended = False
        #: The child of the last call, which is deleted before the next one.
        self._child: Any = None

    def enqueue_child(self) -> Callable[[], object]:
        if self._child is not None:
            self._child.delete()
        if not self._ids or self._ended:
            self._queue.empty()
            self._ids = self._enqueue_parents()
            self._ended = False

        def enqueue() -> None:
            self._child = self._children.enqueue(self._noop, depends_on=self._ids)

        return enqueue

    def end_parent(self) -> Callable[[], object]:
        wanted = self._wanted(uuid.uuid4().hex, ["parents"], 3600)
        hold = self._engine.claim("bench", wanted).hold
        if hold is None:
            self.enqueue_child()()
            hold = self._engine.claim("bench", wanted).hold
        assert hold is not None
        self._ended = True
        return partial(
            self._engine.finish,
            "bench",
            hold,
            worker_name="bench",
            result_ttl=500,
            result=b"",
            signature="",
            encoded_result=b"",
        )

    def _enqueue_parents(self) -> list[str]:
        jobs = self._queue.enqueue_many(
            self._queue.prepare_data(self._noop) for _ in range(self.parents)
        )
        return [job.id for job in jobs]


def main() -> None:
    django.setup()
    operations = Operations()
    run_driver(
        {
            "fill": operations.fill,
            "parents": operations.parents,
            "failed": operations.failed,
            "time": operations.time,
            "round_trips": operations.round_trips,
        }
    )


if __name__ == "__main__":
    main()
