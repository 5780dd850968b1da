"""Take screenshots of the demo's admin with some jobs, light and dark: ``make screenshots``.

It needs Debian's chromium and chromium-driver, which ``.ci/chromium`` installs.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser import chromium

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "testproject" / "demo.py"

#: Addresses of pages, relative to the package's admin, by the name of their screenshot.
PAGES = {
    "overview": "queue/",
    "failed-jobs": "job/?state=failed",
    "workers": "worker/",
    "schedules": "queue/_schedule/",
}

#: How often each of the demo's buttons is pressed.
ROUNDS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {**os.environ, "DEMO_FOLDER": folder, "DEMO_PORT": str(port)}
        command = [sys.executable, str(DEMO)]
        demo = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            take(f"http://127.0.0.1:{port}/", password_of(demo))
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=60)


def password_of(demo: subprocess.Popen[str]) -> str:
    """Wait for the demo's output and return the password in it."""
    assert demo.stdout is not None
    for line in demo.stdout:
        if found := re.search(r"password: (\S+)", line):
            return found[1]
    sys.exit("The demo ended before it was ready.")


def take(site: str, password: str) -> None:
    browser = chromium.start()
    wait = WebDriverWait(browser, 60)
    try:
        browser.set_window_size(1280, 900)
        for _ in range(ROUNDS):
            browser.get(site)
            for number in range(len(browser.find_elements(By.CSS_SELECTOR, "form button"))):
                # The page reloads, so elements that were found before are stale.
                script = "document.querySelectorAll('form button')[arguments[0]].click()"
                browser.execute_script(script, number)
                wait.until(lambda b: b.execute_script("return document.readyState") == "complete")
        browser.get(f"{site}admin/")
        browser.find_element(By.NAME, "username").send_keys("admin")
        browser.find_element(By.NAME, "password").send_keys(password + "\n")
        wait.until(lambda b: b.find_elements(By.ID, "user-tools"))
        package = f"{site}admin/django_rqlite/"
        browser.get(package + PAGES["failed-jobs"])
        link = "#content .job-id a"
        # The list refreshes itself.
        wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, link))
        first = "return document.querySelector(arguments[0]).href"
        job = browser.execute_script(first, link)
        addresses = {name: package + page for name, page in PAGES.items()} | {"job": job}
        for theme in ("light", "dark"):
            preference = [{"name": "prefers-color-scheme", "value": theme}]
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": preference})
            for name, address in addresses.items():
                # The traceback, further down, contains paths of this machine.
                browser.set_window_size(1280, 560 if name == "job" else 900)
                browser.get(address)
                screenshot = HERE / f"{name}-{theme}.png"
                browser.save_screenshot(str(screenshot))
                print(screenshot.name)
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
