"""What a user sees and does."""

from __future__ import annotations

from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

SHOWS = "return document.querySelector('main').textContent.includes(arguments[0])"
FOCUSED = "return document.activeElement.matches(arguments[0])"


def until(browser: Any, condition: Any) -> None:
    """Wait until ``condition(browser)`` is true."""
    WebDriverWait(browser, 20, 0.05).until(condition)


def shows(browser: Any, text: str) -> bool:
    return bool(browser.execute_script(SHOWS, text))


def one(browser: Any, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def count(browser: Any, selector: str) -> int:
    return len(browser.find_elements(By.CSS_SELECTOR, selector))


def row_of(browser: Any, name: str) -> str:
    """The text of the first table row that has ``name`` in it."""
    script = """
        const rows = Array.from(document.querySelectorAll('tbody tr'));
        return rows.find((row) => row.textContent.includes(arguments[0]))?.textContent ?? '';
    """
    return str(browser.execute_script(script, name))


def press(browser: Any, *keys: str) -> None:
    """Press keys in the focused element."""
    ActionChains(browser).send_keys(*keys).perform()


def press_tab_to(browser: Any, selector: str, *, back: bool = False) -> None:
    """Move the focus to an element with the keyboard."""
    for _ in range(80):
        if browser.execute_script(FOCUSED, selector):
            return
        keys = ActionChains(browser)
        if back:
            keys.key_down(Keys.SHIFT)
        keys.send_keys(Keys.TAB)
        if back:
            keys.key_up(Keys.SHIFT)
        keys.perform()
    raise AssertionError(f"the keyboard does not reach {selector}")


def stay(browser: Any) -> None:
    """Mark this page, so that :func:`stayed` detects a reload."""
    browser.execute_script("window.stayed = true")


def stayed(browser: Any) -> bool:
    return bool(browser.execute_script("return window.stayed === true"))


def asked(browser: Any) -> int:
    """How often the page has requested itself."""
    script = """
        const all = performance.getEntriesByType('resource');
        return all.filter((entry) => entry.initiatorType === 'fetch').length;
    """
    return int(browser.execute_script(script))
