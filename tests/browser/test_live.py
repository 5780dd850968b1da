"""Pages that refresh themselves, in a real browser with a real worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from django_rqlite import get_queue
from tests import sample_jobs
from tests.admin_world import JOBS, QUEUES, World, job_page, queue_page
from tests.worker_process import run_burst

from .reader import asked, count, one, press_tab_to, row_of, shows, stay, stayed, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)

BUTTON = "#rqlite-live button"


def test_a_job_ends_on_its_page_without_a_reload(
    browser: Any, live_server: Any, redis: Any, tmp_path: Path
) -> None:
    job = get_queue().enqueue(sample_jobs.nothing)
    browser.get(live_server.url + job_page(job.id))
    stay(browser)
    assert shows(browser, "queued")
    assert not shows(browser, "finished")
    run_burst(tmp_path)
    until(browser, lambda page: shows(page, "finished"))
    assert stayed(browser)


def test_a_paused_page_stays_as_it_is(
    browser: Any, live_server: Any, redis: Any, new_window: Callable[[str], str]
) -> None:
    paused = browser.current_window_handle
    browser.get(live_server.url + QUEUES)
    one(browser, BUTTON).click()
    assert one(browser, BUTTON).text == "Resume updates"
    before, questions = row_of(browser, "low"), asked(browser)
    new_window("window")
    browser.get(live_server.url + QUEUES)
    assert one(browser, BUTTON).text == "Pause updates"
    World(redis).failed("low")
    until(browser, lambda page: row_of(page, "low") != before)
    # Some intervals later.
    latest = asked(browser)
    until(browser, lambda page: asked(page) > latest + 3)
    browser.switch_to.window(paused)
    assert (row_of(browser, "low"), asked(browser)) == (before, questions)
    # It stays paused after a reload, until it is resumed.
    browser.refresh()
    assert one(browser, BUTTON).text == "Resume updates"
    World(redis).failed("high")
    before = row_of(browser, "high")
    one(browser, BUTTON).click()
    until(browser, lambda page: row_of(page, "high") != before)
    assert one(browser, BUTTON).text == "Pause updates"


# WebDriver brings a tab to the front to inspect it, so the test declares it hidden.
HIDE = """
    Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
"""


def test_a_page_that_nobody_sees_asks_for_nothing(
    browser: Any, live_server: Any, redis: Any, new_window: Callable[[str], str]
) -> None:
    hidden = browser.current_window_handle
    browser.get(live_server.url + QUEUES)
    browser.execute_script(HIDE, True)
    seen = new_window("window")
    browser.get(live_server.url + QUEUES)
    until(browser, lambda page: asked(page) > 3)
    # The requests of the other window from before it was hidden have been answered by now.
    browser.switch_to.window(hidden)
    before, questions = row_of(browser, "low"), asked(browser)
    World(redis).failed("low")
    browser.switch_to.window(seen)
    latest = asked(browser)
    until(browser, lambda page: asked(page) > latest + 3)
    browser.switch_to.window(hidden)
    assert (row_of(browser, "low"), asked(browser)) == (before, questions)
    browser.execute_script(HIDE, False)
    until(browser, lambda page: row_of(page, "low") != before)


def test_what_is_checked_stays_checked_and_is_counted(
    browser: Any, live_server: Any, redis: Any
) -> None:
    world = World(redis)
    browser.get(live_server.url + queue_page("default", "failed"))
    # The list was empty when the page was loaded.
    first = world.failed(job_id="1")
    until(browser, lambda page: count(page, ".action-select") == 1)
    one(browser, "input.action-select").click()
    for job_id in ("2", "3", "4"):
        world.failed(job_id=job_id)
    until(browser, lambda page: count(page, ".action-select") == 4)
    assert count(browser, ".action-select:checked") == count(browser, "tr.selected") == 1
    counter = one(browser, ".action-counter")
    assert counter.text == "Selected: 1 of 4"
    # From the first job, at one end of the list, to the other end.
    keys = ActionChains(browser).key_down(Keys.SHIFT)
    keys.click(one(browser, "input.action-select[value='4']")).key_up(Keys.SHIFT).perform()
    assert counter.text == "Selected: 4 of 4"
    assert one(browser, "#action-toggle").is_selected()
    world.engine.delete([first])
    until(browser, lambda page: counter.text == "Selected: 3 of 3")
    one(browser, "#action-toggle").click()
    assert counter.text == "Selected: 0 of 3"
    one(browser, "#action-toggle").click()
    assert counter.text == "Selected: 3 of 3"
    world.failed()
    until(browser, lambda page: counter.text == "Selected: 3 of 4")
    assert not one(browser, "#action-toggle").is_selected()


def test_a_search_goes_on_too(browser: Any, live_server: Any, redis: Any) -> None:
    world = World(redis)
    world.failed()
    browser.get(f"{live_server.url}{JOBS}?state=failed&error=ValueError")
    stay(browser)
    one(browser, "input.action-select").click()
    one(browser, "select[name=action]").send_keys("Requeue")
    world.failed("low")
    until(browser, lambda page: count(page, ".action-select") == 2)
    assert shows(browser, "2 match.")
    assert count(browser, ".action-select:checked") == 1
    assert one(browser, "select[name=action]").get_attribute("value") == "requeue"
    assert one(browser, ".action-counter").text == "Selected: 1 of 2"
    assert stayed(browser)


def test_the_choice_of_an_action_and_the_focus_stay(
    browser: Any, live_server: Any, redis: Any
) -> None:
    world = World(redis)
    job_id = world.failed()
    browser.get(live_server.url + queue_page("default", "failed"))
    one(browser, "select[name=action]").send_keys("Requeue")
    link = f"a[href$='{job_page(job_id)}']"
    press_tab_to(browser, link)
    world.failed()
    until(browser, lambda page: count(page, ".action-select") == 2)
    assert browser.execute_script("return document.activeElement.matches(arguments[0])", link)
    assert one(browser, "select[name=action]").get_attribute("value") == "requeue"


def test_selected_text_stays_selected_while_the_rest_goes_on(
    browser: Any, live_server: Any, redis: Any
) -> None:
    world = World(redis)
    job_id = world.failed()
    browser.get(live_server.url + queue_page("default", "failed"))
    row = f"Array.from(document.querySelectorAll('th a')).find(a => a.text === '{job_id}')"
    browser.execute_script(f"getSelection().selectAllChildren({row})")
    world.failed()
    until(browser, lambda page: count(page, ".action-select") == 2)
    assert browser.execute_script("return String(getSelection())") == job_id
    # Selected text stays even when the job is no longer in the list.
    world.engine.delete([job_id])
    world.failed()
    until(browser, lambda page: count(page, ".action-select") == 3)
    assert browser.execute_script("return String(getSelection())") == job_id
    browser.execute_script("getSelection().removeAllRanges()")
    until(browser, lambda page: count(page, ".action-select") == 2)


def test_what_is_open_and_how_far_it_is_scrolled_stay(
    browser: Any, live_server: Any, redis: Any
) -> None:
    world = World(redis)
    reason = "\n".join(f"line {number}" for number in range(200))
    job_id = world.failed(reason=reason)
    browser.get(live_server.url + job_page(job_id))
    one(browser, "details summary").click()
    browser.execute_script("""
        document.querySelectorAll('pre').forEach((box) => box.scrollTo(0, 500));
        scrollTo(0, 400);
    """)
    offsets = "return [...document.querySelectorAll('pre')].map((box) => box.scrollTop)"
    assert browser.execute_script(offsets) == [500, 500]
    # The job fails again: this adds a row above the open one.
    redis.xadd(world.keys.results(job_id), {"type": "2", "exc_string": "eJwDAAAAAAE="})
    until(browser, lambda page: count(page, ".rqlite-history tbody tr") == 2)
    assert count(browser, ".rqlite-history tbody tr:last-child details[open]") == 1
    assert browser.execute_script(offsets) == [500, 500]
    assert browser.execute_script("return scrollY") == 400
