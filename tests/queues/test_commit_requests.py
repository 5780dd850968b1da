"""``COMMIT_MODE = "request_finished"``: jobs wait for the end of the request that enqueued them."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django
import pytest
import redis as redis_py
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path

from django_rqlite import Job, enqueue, get_queue
from tests.command_process import manage
from tests.sample_jobs import add
from tests.worker_process import run_burst

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis", "per_request"),
]
SECONDS = 20


@pytest.fixture
def per_request(settings: Any) -> Iterator[None]:
    settings.RQ = {"COMMIT_MODE": "request_finished"}
    settings.ROOT_URLCONF = __name__
    yield
    got_request_exception.send(sender=None)
    request_finished.send(sender=None)


def waiting() -> list[str]:
    return get_queue().job_ids


def visible() -> HttpResponse:
    return HttpResponse(str(len(waiting())))


async def avisible() -> HttpResponse:
    return await sync_to_async(visible)()


class Broken(Exception):
    """What a view raises."""


# Views


def sync_view(request: HttpRequest) -> HttpResponse:
    enqueue(add)
    get_queue().enqueue_many([get_queue().prepare_data(add)] * 2)
    if "fail" in request.GET:
        raise Broken
    return visible()


async def async_view(request: HttpRequest) -> HttpResponse:
    enqueue(add)
    await sync_to_async(enqueue)(add)
    await asyncio.gather(enqueue_in_a_task(), enqueue_in_a_task())
    await asyncio.to_thread(enqueue, add)
    if "fail" in request.GET:
        raise Broken
    return await avisible()


async def enqueue_in_a_task() -> None:
    await asyncio.sleep(0)
    enqueue(add)


def streaming_view(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        enqueue(add)
        yield str(len(waiting()))

    return StreamingHttpResponse(parts())


async def async_streaming_view(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        enqueue(add)
        yield str(len(await sync_to_async(waiting)()))

    return StreamingHttpResponse(parts())


class Meeting:
    """Two views that are both under way before either may go on."""

    def __init__(self) -> None:
        self.both_enqueued = threading.Barrier(2)
        self.first_is_over = threading.Event()
        self.seen: dict[str, list[str]] = {}
        self.jobs: dict[str, str] = {}

    def run(self, request: HttpRequest) -> HttpResponse:
        who = request.path.strip("/").rpartition("-")[2]
        self.jobs[who] = enqueue(add).id
        self.both_enqueued.wait(SECONDS)
        if who == "second":
            assert self.first_is_over.wait(SECONDS)
            self.seen[who] = waiting()
            self.jobs["late"] = enqueue(add).id
        if "fail" in request.GET:
            raise Broken
        return HttpResponse()


meeting = Meeting()


def meeting_view(request: HttpRequest) -> HttpResponse:
    return meeting.run(request)


async def async_meeting_view(request: HttpRequest) -> HttpResponse:
    # In a thread of its own: an event loop must not wait for a barrier.
    return await sync_to_async(meeting.run, thread_sensitive=False)(request)


left_behind: list[Job] = []
request_is_over = threading.Event()


def view_that_leaves_a_thread(request: HttpRequest) -> HttpResponse:
    def later() -> None:
        if request_is_over.wait(SECONDS):
            left_behind.append(enqueue(add))

    thread = threading.Thread(target=later, name="left behind")
    thread.start()
    return HttpResponse()


async def view_that_leaves_a_task(request: HttpRequest) -> HttpResponse:
    async def later() -> None:
        while not request_is_over.is_set():
            await asyncio.sleep(0.001)
        left_behind.append(enqueue(add))

    tasks.append(asyncio.create_task(later()))
    return HttpResponse()


tasks: list[asyncio.Task[None]] = []

urlpatterns = [
    path("sync", sync_view),
    path("async", async_view),
    path("streaming", streaming_view),
    path("async-streaming", async_streaming_view),
    path("sync-first", meeting_view),
    path("sync-second", meeting_view),
    path("async-first", async_meeting_view),
    path("async-second", async_meeting_view),
    path("thread", view_that_leaves_a_thread),
    path("task", view_that_leaves_a_task),
]

#: How many jobs each view enqueues.
JOBS = {"sync": 3, "async": 5}


# Servers


async def asgi(where: str) -> bytes:
    """One request as an ASGI server makes it; gives the body."""
    route, _, query = where.partition("?")
    asked = False
    body = b""
    until_the_end = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await until_the_end.wait()  # the client stays
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal body
        body += message.get("body", b"")

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/{route}",
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver")],
    }
    # A task of its own, as servers have it.
    await asyncio.create_task(ASGIHandler()(scope, receive, send))  # type: ignore[arg-type]
    return body


async def async_client(where: str) -> bytes:
    response = await AsyncClient(raise_request_exception=False).get(f"/{where}")
    return bytes(response.content)


def wsgi(where: str) -> bytes:
    """One request as a WSGI server makes it."""
    response = WSGIHandler()(RequestFactory().get(f"/{where}").environ, lambda *_: None)
    body = b"".join(response)
    response.close()
    return body


def client(where: str) -> bytes:
    response = Client(raise_request_exception=False).get(f"/{where}")
    return response.getvalue()


def in_a_loop(ask: Callable[[str], Awaitable[bytes]]) -> Callable[[str], bytes]:
    async def once(where: str) -> bytes:
        return await ask(where)

    return lambda where: asyncio.run(once(where))


SERVERS: dict[str, Callable[[str], bytes]] = {
    "asgi": in_a_loop(asgi),
    "async client": in_a_loop(async_client),
    "wsgi": wsgi,
    "client": client,
}

#: Nothing in Django 5.2 tells a view which request of an ``AsyncClient`` it serves. Jobs are
#: enqueued at once there, as where there is none.
TESTED_SERVERS = [how for how in SERVERS if how != "async client" or django.VERSION >= (6,)]


@pytest.mark.parametrize("view", JOBS)
@pytest.mark.parametrize("how", TESTED_SERVERS)
def test_after_the_response(how: str, view: str) -> None:
    assert SERVERS[how](view) == b"0"
    assert len(waiting()) == JOBS[view]
    SERVERS[how](view)
    assert len(waiting()) == 2 * JOBS[view]


@pytest.mark.parametrize("view", JOBS)
@pytest.mark.parametrize("how", TESTED_SERVERS)
def test_not_after_an_exception_of_the_view(how: str, view: str) -> None:
    SERVERS[how](f"{view}?fail=1")
    assert waiting() == []
    SERVERS[how](view)
    assert len(waiting()) == JOBS[view]


@pytest.mark.skipif(django.VERSION >= (6,), reason="the request is known")
def test_no_job_is_lost_where_the_request_is_not_known() -> None:
    in_a_loop(async_client)("async")
    assert len(waiting()) == JOBS["async"]


@pytest.mark.parametrize(
    ("how", "view"),
    [("wsgi", "streaming"), ("client", "streaming"), ("asgi", "async-streaming")],
)
def test_after_the_end_of_a_stream(how: str, view: str) -> None:
    assert SERVERS[how](view) == b"0"
    assert len(waiting()) == 1


def threads_ask(first: str, second: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        later = threads.submit(wsgi, second)
        threads.submit(wsgi, first).result()
        meeting.seen["first is over"] = waiting()
        meeting.first_is_over.set()
        later.result()


def tasks_ask(first: str, second: str) -> None:
    async def both() -> None:
        later = asyncio.create_task(asgi(second))
        await asgi(first)
        meeting.seen["first is over"] = await sync_to_async(waiting)()
        meeting.first_is_over.set()
        await later

    asyncio.run(both())


INTERLEAVED: dict[str, tuple[Callable[[str, str], None], str]] = {
    "threads": (threads_ask, "sync"),
    "tasks": (tasks_ask, "async"),
}


@pytest.fixture
def both_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.meeting", Meeting())


@pytest.mark.usefixtures("both_meet")
@pytest.mark.parametrize("how", INTERLEAVED)
def test_requests_at_the_same_time(how: str) -> None:
    ask, kind = INTERLEAVED[how]
    ask(f"{kind}-first", f"{kind}-second")
    jobs = meeting.jobs
    assert meeting.seen == {"first is over": [jobs["first"]], "second": [jobs["first"]]}
    assert waiting() == [jobs["first"], jobs["second"], jobs["late"]]


@pytest.mark.usefixtures("both_meet")
@pytest.mark.parametrize("how", INTERLEAVED)
def test_an_exception_drops_the_jobs_of_its_own_request(how: str) -> None:
    ask, kind = INTERLEAVED[how]
    ask(f"{kind}-first?fail=1", f"{kind}-second")
    jobs = meeting.jobs
    assert meeting.seen == {"first is over": [], "second": []}
    assert waiting() == [jobs["second"], jobs["late"]]


# Where there is no request


def test_at_once_without_a_request() -> None:
    job = enqueue(add)
    assert waiting() == [job.id]
    more = get_queue().enqueue_many([get_queue().prepare_data(add)])
    assert waiting() == [job.id, more[0].id]


def test_a_transaction_without_a_request_is_waited_for() -> None:
    with transaction.atomic():
        job = enqueue(add)
        more = get_queue().enqueue_many([get_queue().prepare_data(add)])
        assert waiting() == []
    assert waiting() == [job.id, more[0].id]


def test_at_once_in_a_thread_that_outlives_its_request() -> None:
    left_behind.clear()
    request_is_over.clear()
    wsgi("thread")
    request_is_over.set()
    for thread in threading.enumerate():
        if thread.name == "left behind":
            thread.join()
    assert waiting() == [left_behind[0].id]


@pytest.mark.parametrize("ask", [asgi, async_client])
def test_at_once_in_a_task_that_outlives_its_request(
    ask: Callable[[str], Awaitable[bytes]],
) -> None:
    left_behind.clear()
    request_is_over.clear()

    async def run() -> None:
        await ask("task")
        request_is_over.set()
        await tasks.pop()

    asyncio.run(run())
    assert waiting() == [left_behind[0].id]


def test_at_once_in_a_command(redis: redis_py.Redis) -> None:
    environment = {"RQ_TEST_COMMIT_MODE": "request_finished"}
    manage("rqenqueue", "tests.sample_jobs.count_words_at", "a b", environment=environment)
    assert len(waiting()) == 1


def test_at_once_in_a_job(redis: redis_py.Redis, tmp_path: Path) -> None:
    environment = {"RQ_TEST_COMMIT_MODE": "request_finished"}
    job = get_queue().enqueue("tests.sample_jobs.enqueue_another")
    run_burst(tmp_path, environment=environment)
    job.refresh()
    another = get_queue().fetch_job(job.return_value())
    assert another is not None
    assert another.get_status() == "finished"


# Errors


def test_each_push_for_itself(
    redis: redis_py.Redis, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url = settings.RQ_QUEUES["default"]["URL"]
    settings.RQ_QUEUES = {
        "default": {"URL": url},
        "low": {"URL": url},
        "gone": {"URL": "redis://localhost:1"},
    }
    redis.set("rq:queue:low", "foreign")
    request_started.send(sender=None)
    lost = [
        get_queue("low").enqueue(add),
        get_queue("gone").enqueue(add),
        *get_queue("low").enqueue_many([get_queue().prepare_data(add)] * 2),
    ]
    kept = [enqueue(add), *get_queue().enqueue_many([get_queue().prepare_data(add)])]
    with caplog.at_level(logging.ERROR, "django_rqlite.commit"):
        request_finished.send(sender=None)
    assert waiting() == [job.id for job in kept]
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert len(caplog.records) == 3
    for job in lost:
        assert said.count(job.id) == 1
    assert "enqueue it again" in said
    assert all(record.exc_info for record in caplog.records)


def test_a_request_whose_end_was_never_told() -> None:
    """A server that does not close its responses, or a client inside a view."""
    request_started.send(sender=None)
    job = enqueue(add)
    request_started.send(sender=None)
    assert waiting() == [job.id]
    request_finished.send(sender=None)
    another = enqueue(add)
    assert waiting() == [job.id, another.id]
