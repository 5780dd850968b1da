"""Tests of a project in which a worker runs jobs, as docs/migrate-from-django-rq.md shows.

``tests/worker/test_work_in_tests.py`` has Django's test runner run them with several databases.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import nullcontext
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test import TestCase, TransactionTestCase

from django_rqlite import Job, get_queue, get_worker
from tests import database_jobs

IN_MEMORY = connection.vendor == "sqlite" and connection.is_in_memory_db()  # type: ignore[attr-defined]


def session() -> Any:
    """Return the driver's connection, and the id that the server gives it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_backend_pid()" if connection.vendor == "postgresql" else "SELECT 1"
        )
        return connection.connection, cursor.fetchone()


def enqueue(function: Any, *args: Any) -> Job:
    return get_queue(commit_mode="auto").enqueue(function, *args)


class InATransaction(TestCase):
    """Workers do not touch the transaction of a test."""

    def setUp(self) -> None:
        Group.objects.create(name="of the test")
        self.session = session()

    def tearDown(self) -> None:
        assert session() == self.session
        assert connection.in_atomic_block
        assert [group.name for group in Group.objects.all()] == ["of the test"]

    def finished(self, *jobs: Job) -> None:
        for job in jobs:
            assert job.is_finished, job.exc_info
            # Only a copy of the memory shows what is not committed.
            assert job.return_value() == (1 if IN_MEMORY else 0)

    def test_a_worker_again_and_again(self) -> None:
        worker = get_worker()
        for _ in range(2):
            jobs = [enqueue(database_jobs.count_groups_now) for _ in range(3)]
            worker.work(burst=True)
            self.finished(*jobs)
        job = enqueue(database_jobs.count_groups_now)
        get_worker(max_jobs_per_child=0).work(burst=True)
        self.finished(job)

    def test_commands(self) -> None:
        for command in ("rqworker", "rqworker-pool"):
            job = enqueue(database_jobs.count_groups_now)
            call_command(command, burst=True, verbosity=0)
            self.finished(job)

    def test_a_block_inside(self) -> None:
        with transaction.atomic():
            job = enqueue(database_jobs.count_groups_now)
            get_worker().work(burst=True)
        self.finished(job)

    def test_rows_that_refer_to_nothing_yet(self) -> None:
        Group.permissions.through.objects.create(group_id=4711, permission_id=4711)
        with self.assertLogs("django_rqlite") if IN_MEMORY else nullcontext():
            job = enqueue(database_jobs.count_groups_now)
            get_worker().work(burst=True)
        assert (job.return_value(), job.exc_info) == (0, None)
        Group.permissions.through.objects.all().delete()

    def test_the_copied_connection_leads_nowhere(self) -> None:
        if connection.vendor != "postgresql":
            self.skipTest("SQLite has no sockets")
        job = enqueue(database_jobs.is_socket, connection.connection.fileno())
        get_worker().work(burst=True)
        assert job.return_value() is False, job.exc_info

    def test_hooks_are_called_here_alone(self) -> None:
        called: list[int] = []
        transaction.on_commit(lambda: called.append(1))
        job = enqueue(database_jobs.commit_something)
        get_worker().work(burst=True)
        assert (job.return_value(), called) == (["committed"], [])


class Committed(TransactionTestCase):
    """All who share the database see what is committed."""

    def test_both_ways(self) -> None:
        Group.objects.create(name="of the test")
        before = session()
        count, create = enqueue(database_jobs.count_groups_now), enqueue(database_jobs.create_group)
        get_worker().work(burst=True)
        assert count.return_value() == 1
        assert create.is_finished, create.exc_info
        assert session() == before
        assert Group.objects.count() == (1 if IN_MEMORY else 2)

    def test_connections_of_other_threads(self) -> None:
        there: list[Any] = []
        go_on = threading.Event()

        def other() -> None:
            there.append(session()[1])
            go_on.wait(30)
            there.append(session()[1])
            connection.close()

        async def async_session() -> Any:
            return (await sync_to_async(session)())[1]

        thread = threading.Thread(target=other)
        thread.start()
        in_async = asyncio.run(async_session())
        jobs = [enqueue(database_jobs.count_groups) for _ in range(2)]
        get_worker().work(burst=True)
        go_on.set()
        thread.join()
        for job in jobs:
            assert job.is_finished, job.exc_info
        assert there[0] == there[1]
        assert asyncio.run(async_session()) == in_async
        asyncio.run(sync_to_async(connections.close_all)())
