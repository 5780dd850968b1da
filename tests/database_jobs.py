"""Jobs that use the database in all the ways in which jobs do."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction


def ask(query: str = "SELECT pg_backend_pid()") -> int:
    """A query in the main thread."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0] or 0)


async def ask_async() -> int:
    """A query in the thread that asgiref keeps for such."""
    return await sync_to_async(ask)()


def ask_async_inside() -> int:
    return asyncio.run(ask_async())


async def count_groups() -> int:
    """The async ORM."""
    return await Group.objects.acount()


def ask_in_threads() -> int:
    """A query in each of two threads that end with the job, and close nothing."""
    with ThreadPoolExecutor(2) as pool:
        return len({pool.submit(ask, "SELECT pg_backend_pid(), pg_sleep(0.05)") for _ in range(2)})


_pool = ThreadPoolExecutor(1)


def ask_in_a_thread_that_stays() -> int:
    return _pool.submit(ask).result()


def sleep(seconds: float) -> int:
    return ask(f"SELECT 1 FROM pg_sleep({seconds})")


async def sleep_async(seconds: float) -> int:
    return await sync_to_async(sleep)(seconds)


async def give_up_on_a_query(seconds: float) -> str:
    """Leave a query behind in asgiref's thread, as a job that sets timeouts itself does."""
    try:
        await asyncio.wait_for(sleep_async(seconds), 0.2)
    except TimeoutError:
        return "gave up"
    return "answered"


class Interrupted(Exception):
    """The exception of a project's own alarm."""


def interrupt_a_query() -> None:
    """Interrupt a query by an exception in a signal handler."""
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(*_: object) -> None:
        raise Interrupted

    signal.signal(signal.SIGUSR1, interrupt)
    timer = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGUSR1))
    timer.start()
    try:
        ask("SELECT 1 FROM pg_sleep(60)")
    finally:
        timer.join()


def begin_and_forget() -> None:
    """Begin a block, and never leave it."""
    transaction.atomic().__enter__()
    ask()


def open_connections() -> int:
    """Return how many this thread has."""
    return sum(each.connection is not None for each in connections.all(initialized_only=True))


def count_groups_now() -> int:
    return Group.objects.count()


def create_group() -> None:
    Group.objects.create(name="of the job")


def commit_something() -> list[str]:
    """Return what a hook has recorded that runs after the commit of the job's own block."""
    called: list[str] = []
    with transaction.atomic():
        transaction.on_commit(lambda: called.append("committed"))
    return called


def is_socket(descriptor: int) -> bool:
    return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
