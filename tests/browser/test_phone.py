"""Every page fits a phone, whatever names it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.support.ui import Select

from django_rqlite.admin.actions import batch
from django_rqlite.protocol import codec
from tests.admin_world import (
    JOBS,
    QUEUES,
    SCHEDULE,
    WORKERS,
    World,
    job_delete,
    job_page,
    queue_page,
    worker_page,
)

from .reader import count, one, shows, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)

WIDTH = 375  # CSS pixels
PLACES = ("queued", "started", "finished", "failed", "deferred", "scheduled", "canceled")
#: The width of the page, and the elements that overflow it, apart from those in scrolling boxes.
SPREAD = """
    const wide = document.documentElement.scrollWidth;
    const scrolls = (element) => element && (
        ['auto', 'scroll', 'hidden'].includes(getComputedStyle(element).overflowX)
        || scrolls(element.parentElement));
    const out = Array.from(document.querySelectorAll('body *')).filter((element) =>
        element.getBoundingClientRect().right > arguments[0] + 1 && !scrolls(element));
    return [wide, out.map((element) => element.outerHTML.slice(0, 200))];
"""


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    metrics = {"width": WIDTH, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    yield browser
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def fits(browser: Any, page: str) -> None:
    assert (page, *browser.execute_script(SPREAD, WIDTH)) == (page, WIDTH, [])


def everywhere(world: World, queue: str, worker: str, job: str, text: str) -> list[str]:
    """The address of a page of each kind, with jobs that have these names."""
    call = (text, None, (text,), {text: text})
    fields = {"description": text, "meta": json.dumps({"progress": 0.4, text: text})}
    given: dict[str, Any] = {"call": call, "fields": {**fields, "worker_name": worker}}
    for number in range(3):
        world.queued(queue, f"{job}-{number}", **given)
    waits = world.queued(queue, f"{job}waits", **given)
    world.finished("low", f"{job}done", result=text)
    frame = f'  File "{text}.py", line 41, in {text}\n    raise {text}("{text}")\n'
    traceback = f"Traceback (most recent call last):\n{frame * 30}{text}.{text}: {text}\n"
    broken = world.failed("default", f"{job}broken", reason=traceback, **given)
    world.redis.hset(f"rq:job:{broken}", mapping={"group_id": text, "unique_key": text})
    # An earlier execution, its log, and its dependents.
    outcome = {"type": "2", "exc_string": codec.base64_traceback(traceback), "worker_name": worker}
    world.redis.xadd(world.keys.results(broken), outcome)
    world.redis.rpush(world.keys.job_log(broken), *(f"12:00:00 {text} {text}" for _ in range(50)))
    world.redis.sadd(world.keys.dependents(broken), waits, f"{job}-1")
    world.redis.sadd(world.keys.dependencies(broken), f"{job}done")
    runs = world.started("runs", f"{job}runs")
    for place in PLACES[4:]:
        world.redis.hset(f"rq:job:{job}{place}", mapping={"status": place, **fields})
        world.redis.zadd(f"rq:{place}:{queue}", {f"{job}{place}": 2e9})
    world.redis.zadd(f"rq:failed:{queue}", {broken: 2e9})
    world.redis.zadd(f"rq:finished:{queue}", {f"{job}done": 2e9})
    world.redis.zadd(f"rq:wip:{queue}", {f"{runs}:x": 2e9})
    world.redis.sadd("rq:queues", f"rq:queue:{queue}")
    world.worker(worker, queue, current_job=runs, hostname=text, state="busy")
    world.worker(f"{worker}-gone")
    world.redis.delete(f"rq:worker:{worker}-gone")
    world.cron(text)
    return [
        *(QUEUES, f"{QUEUES}?span=day", WORKERS, worker_page(worker), JOBS),
        *(f"{JOBS}?q=broken", f"{JOBS}?state=failed", f"{JOBS}?state=failed&group=1"),
        *(f"{JOBS}?q={text}&function={text}&error={text}", f"{JOBS}?queue={queue}"),
        *(queue_page(queue, place) for place in PLACES),
        *(job_page(each) for each in (broken, waits, runs, f"{job}done")),
        *(job_delete(broken), job_page("vanished"), worker_page("vanished"), SCHEDULE),
    ]


@pytest.mark.parametrize("long", [False, True])
def test_no_page_is_wider_than_a_phone(
    phone: Any, live_server: Any, redis: Any, long: bool
) -> None:
    name = "n" * 200 if long else "name"
    for page in everywhere(World(redis), name, f"w{name}", f"j{name}"[:190], f"t{name}"):
        phone.get(live_server.url + page)
        fits(phone, page)
    told = phone.get_log("browser")
    expected = ("/vanished/ - ", "/favicon.ico - ")
    unexpected = [entry for entry in told if not any(e in entry["message"] for e in expected)]
    assert unexpected == []
    # The content that may overflow was there.
    phone.get(live_server.url + job_page(f"j{name}"[:190] + "broken"))
    for heading in ("Traceback", "Log", "Related jobs", "Executions, newest first"):
        assert shows(phone, heading)
    assert count(phone, "figure.rqlite-timeline") == 1
    one(phone, "details summary").click()
    until(phone, lambda page: count(page, "details[open] pre") == 1)
    fits(phone, "with the traceback of an execution open")


def test_questions_and_progress_fit_too(
    phone: Any, live_server: Any, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, queue = World(redis), "n" * 200
    for number in range(3):
        world.failed(queue, f"{'j' * 180}-{number}")
    for button in ("index", "all"):
        phone.get(live_server.url + queue_page(queue, "failed"))
        Select(one(phone, "select[name=action]")).select_by_value("requeue")
        one(phone, "input.action-select").click()
        one(phone, f"button[name={button}]").click()
        until(phone, lambda page: count(page, "input[type=submit][value*='sure']"))
        fits(phone, f"the question after {button}")
    # Without JavaScript, each batch needs its button pressed.
    phone.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    monkeypatch.setattr(batch, "CHUNK", 1)
    monkeypatch.setattr(batch, "SECONDS", 0)
    for looked in range(1, 4):
        one(phone, "#rqlite-batches input[type=submit]").click()
        until(phone, lambda page, looked=looked: shows(page, f"Processed {looked} of 3 jobs."))
        fits(phone, "while it is done")
    one(phone, "#rqlite-batches input[type=submit]").click()
    until(phone, lambda page: shows(page, "Requeued 3 jobs."))
