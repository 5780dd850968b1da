"""A page that cannot refresh itself says why, and continues as soon as it can."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.admin_world import QUEUES, World, job_page, queue_page, worker_page

from .reader import asked, one, row_of, stay, stayed, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)

AWAY = "No answer. Trying again."


def told(browser: Any) -> str:
    return str(one(browser, "#rqlite-live [role=status]").text)


def says(sentence: str) -> Callable[[Any], bool]:
    return lambda browser: told(browser) == sentence


def taken_from_the_console(browser: Any, expected: str) -> None:
    """Remove the errors from the console, to which the browser writes each failed request."""
    told = [entry["message"] for entry in browser.get_log("browser")]
    entries = [message for message in told if "favicon.ico" not in message]
    assert entries
    assert [entry for entry in entries if expected not in entry] == []


def ends(browser: Any) -> None:
    """The page sends no more requests, even when it becomes visible again."""
    questions = asked(browser)
    assert one(browser, "#rqlite-live button").get_property("disabled")
    browser.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
    # Any scheduled request would have been sent before this.
    browser.execute_async_script("setTimeout(arguments[0], 3 * 200)")
    assert asked(browser) == questions


def test_who_is_signed_out_is_told_and_led_to_sign_in(
    browser: Any, live_server: Any, redis: Any, admin_client: Client
) -> None:
    address = live_server.url + queue_page("default", "failed")
    browser.get(address)
    stay(browser)
    admin_client.logout()
    until(browser, says("You are signed out. This page is no longer updated. Sign in again"))
    assert stayed(browser)
    ends(browser)
    one(browser, "#rqlite-live a").click()
    until(browser, lambda page: "/admin/login/?next=" in page.current_url)
    one(browser, "#id_username").send_keys("admin")
    one(browser, "#id_password").send_keys("password\n")
    until(browser, lambda page: page.current_url == address)


def test_who_may_not_see_a_page_any_more_is_told_that(
    browser: Any, live_server: Any, redis: Any, admin_user: User
) -> None:
    browser.get(live_server.url + QUEUES)
    admin_user.is_superuser = False
    admin_user.save()
    until(
        browser, says("You no longer have permission to view this page. It is no longer updated.")
    )
    ends(browser)
    taken_from_the_console(browser, "403")


def test_a_site_that_is_away_is_asked_less_often_until_it_is_back(
    browser: Any, live_server: Any, redis: Any
) -> None:
    browser.get(live_server.url + QUEUES)
    stay(browser)
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **network})
    before = row_of(browser, "low")
    World(redis).failed("low")
    until(browser, says(AWAY))
    until(browser, lambda page: len(asked_at(page)) >= 5)
    first, second, third = (later - at for at, later in pairwise(asked_at(browser)[-4:]))
    assert first < second * 0.8 < third * 0.64
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **network})
    browser.execute_cdp_cmd("Network.disable", {})
    until(browser, says(""))
    assert row_of(browser, "low") != before
    assert stayed(browser)
    taken_from_the_console(browser, "ERR_INTERNET_DISCONNECTED")


def asked_at(browser: Any) -> list[float]:
    """The times at which the page requested itself, in milliseconds."""
    script = """
        const all = performance.getEntriesByType('resource');
        return all.filter((entry) => entry.initiatorType === 'fetch').map((e) => e.startTime);
    """
    return list(browser.execute_script(script))


def test_a_redis_that_is_away_is_told_and_found_again(
    browser: Any, live_server: Any, redis: Any, settings: Any
) -> None:
    browser.get(live_server.url + queue_page("default"))
    stay(browser)
    queues = settings.RQ_QUEUES
    settings.RQ_QUEUES = {name: {"URL": "unix:///nowhere"} for name in queues}
    until(browser, says(AWAY))
    settings.RQ_QUEUES = queues
    until(browser, says(""))
    assert stayed(browser)
    taken_from_the_console(browser, "503 (Service Unavailable)")


def test_a_job_that_is_gone_is_told_and_its_page_stays(
    browser: Any, live_server: Any, redis: Any
) -> None:
    world = World(redis)
    job_id = world.failed()
    browser.get(live_server.url + job_page(job_id))
    redis.delete(world.keys.job(job_id), world.keys.results(job_id))
    gone = "This no longer exists. The page shows its last known state."
    until(browser, says(gone))
    assert one(browser, ".status-bad").text == "failed"
    taken_from_the_console(browser, "404")


def test_a_worker_that_comes_back_is_shown_again(
    browser: Any, live_server: Any, redis: Any
) -> None:
    world = World(redis)
    name = world.worker()
    browser.get(live_server.url + worker_page(name))
    redis.flushdb()
    until(browser, lambda page: told(page).startswith("This no longer exists"))
    world.worker()
    until(browser, says(""))
    taken_from_the_console(browser, "404")
