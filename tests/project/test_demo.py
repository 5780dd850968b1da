"""``make demo`` with its real supervisor, server, workers and site."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

import pytest
import redis

from tests.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTPROJECT = Path(__file__).resolve().parent.parent.parent / "testproject"

only_linux_tells_of_a_death = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere processes are not told of their parent's death"
)


class Demo:
    """A running ``testproject/demo.py``; everything it prints goes to a file."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.log = folder / "output"
        inherited = {name: value for name, value in os.environ.items() if name != "RQ_URL"}
        settings = {"DEMO_FOLDER": str(folder / "demo"), "DEMO_PORT": str(self.port)}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, TESTPROJECT / "demo.py"],
                env=inherited | settings | environment,
                stdout=output,
                stderr=output,
                # A session of its own tells which processes belong to it.
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first match of ``pattern`` in the output, as soon as it is there."""

        def printed_or_over() -> bool:
            return bool(re.search(pattern, self.output)) or self.process.poll() is not None

        wait_until(printed_or_over, f"the demo prints {pattern}", seconds=60)
        match = re.search(pattern, self.output)
        assert match, f"the demo ended without printing {pattern}:\n{self.output}"
        return match

    @property
    def url(self) -> str:
        return self.wait_for(r"The site: +(\S+)")[1]

    def process_id(self, child: str) -> int:
        return int(self.wait_for(rf"{child} \| started \(process (\d+)\)")[1])

    def exit_code(self) -> int:
        return self.process.wait(timeout=60)

    def processes(self) -> set[int]:
        """The demo and everything it started, and what those started."""
        return {process for process in all_processes() if session_of(process) == self.process.pid}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def all_processes() -> set[int]:
    proc = Path("/proc")
    if proc.is_dir():
        return {int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal()}
    listing = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, check=True)
    return {int(process) for process in listing.stdout.split()}


def session_of(process: int) -> int | None:
    try:
        return os.getsid(process)
    except (ProcessLookupError, PermissionError):
        return None


class Browser:
    """Remembers cookies, follows redirects and knows no proxy."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.cookies = http.cookiejar.CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.cookies), ProxyHandler({}))

    def get(self, path: str) -> str:
        return self._text(Request(urljoin(self.site, path)))

    def get_json(self, path: str) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        answer: dict[str, Any] = json.loads(
            self._text(Request(urljoin(self.site, path), headers=headers))
        )
        return answer

    def post(self, path: str, **fields: str) -> str:
        """Post a form as the page would, with the token that came with it."""
        (token,) = (cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        body = urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        return self._text(Request(urljoin(self.site, path), data=body))

    def _text(self, request: Request) -> str:
        with self.opener.open(request, timeout=20) as response:
            body: bytes = response.read()
            return body.decode()

    def outcome_of_latest_job(self, page: str) -> dict[str, Any]:
        """Ask as the page's script does, until the job that the page shows first has ended."""
        status_url = re.search(r'<tbody.*?data-status-url="([^"]+)"', page, re.DOTALL)
        assert status_url, page
        answers: list[dict[str, Any]] = []

        def ended() -> bool:
            answers.append(self.get_json(status_url[1]))
            return bool(answers[-1]["ended"])

        wait_until(ended, "the job ends", seconds=30)
        return answers[-1]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path)
    yield running
    for process in running.processes():
        os.kill(process, signal.SIGKILL)
    running.process.wait()
    print(running.output)


def test_word_count_of_the_seed_page(demo: Demo) -> None:
    browser = Browser(demo.url)
    page = browser.get("/")
    (address,) = re.findall(r'name="url" value="([^"]+)"', page)
    assert address.startswith(demo.url)

    answer = browser.outcome_of_latest_job(browser.post("/", url=address))

    assert answer["status"] == "finished"
    assert answer["outcome"] == f"{len(browser.get(address).split())} words"
    assert answer["outcome"] in browser.get("/")

    failed = browser.outcome_of_latest_job(browser.post("/samples/fail/"))
    assert (failed["status"], failed["outcome"]) == (
        "failed",
        "ZeroDivisionError: division by zero",
    )

    with pytest.raises(HTTPError) as refused:
        browser.post("/", url="not an address")
    with refused.value as answered:  # from Python 3.14 on, an answer left open is a warning
        assert answered.code == 422
        assert "Enter an http or https address." in answered.read().decode()

    password = demo.wait_for(r"user: admin   password: (\S+)")[1]
    browser.get("/admin/login/")
    start_page = browser.post("/admin/login/?next=/admin/", username="admin", password=password)
    assert "Log out" in start_page

    demo.process.send_signal(signal.SIGINT)
    assert demo.exit_code() == 0
    assert demo.processes() == set()


def test_ctrl_c_while_a_job_runs(demo: Demo) -> None:
    browser = Browser(demo.url)
    browser.get("/")
    browser.post("/samples/run-long/")
    demo.wait_for(r"worker-\d \| .*sleep_for")

    demo.process.send_signal(signal.SIGINT)

    assert demo.exit_code() == 0
    assert demo.processes() == set()


@pytest.mark.parametrize(
    "child",
    [pytest.param("valkey", marks=only_linux_tells_of_a_death), "worker-1", "site"],
)
def test_the_death_of_one_ends_all(demo: Demo, child: str) -> None:
    assert demo.url
    os.kill(demo.process_id(child), signal.SIGKILL)
    assert demo.exit_code() == 1
    assert re.search(rf"\b{child}\b.* SIGKILL", demo.output)
    # A process of a killed worker's own is gone soon, but it is not the demo's to wait for.
    wait_until(lambda: not demo.processes(), "everything it started is gone")


def test_the_end_of_the_server_ends_all(demo: Demo, tmp_path: Path) -> None:
    assert demo.url
    # A worker that does not find the server at its start would be the first to end.
    for number in (1, 2):
        demo.wait_for(rf"worker-{number} \| .*Listening on")
    with redis.Redis(unix_socket_path=str(tmp_path / "demo" / "valkey.sock")) as client:
        client.shutdown(nosave=True)
    assert demo.exit_code() == 1
    assert re.search(r"\bvalkey\b.* exit code 1\b", demo.output)
    assert demo.processes() == set()


@only_linux_tells_of_a_death
def test_children_do_not_outlive_a_killed_demo(demo: Demo) -> None:
    assert demo.url
    demo.process.kill()
    demo.process.wait()
    wait_until(lambda: not demo.processes(), "everything it started is gone")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = Demo(tmp_path, DEMO_PORT=str(port))
        assert demo.exit_code() == 1
    assert str(port) in demo.output
    assert "DEMO_PORT=" in demo.output


def test_a_second_demo_keeps_out_of_the_folder(demo: Demo, tmp_path: Path) -> None:
    assert demo.process_id("valkey")
    (tmp_path / "second").mkdir()
    second = Demo(tmp_path / "second", DEMO_FOLDER=str(tmp_path / "demo"))
    assert second.exit_code() == 1
    assert "Set DEMO_FOLDER" in second.output or "set DEMO_FOLDER" in second.output


def test_redis_that_does_not_answer(tmp_path: Path) -> None:
    """Pages say so with 503; in a process of its own, because the site has its own settings."""
    script = """
import django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
client = Client(HTTP_HOST="localhost")
assert client.get("/").status_code == 200
answer = client.post("/samples/fail/")
print(answer.status_code, answer.content.decode())
answer = client.post("/samples/fail/", headers={"accept": "application/json"})
print(answer.status_code, answer.json()["error"])
"""
    address = tmp_path / "nobody.sock"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=TESTPROJECT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "testproject.settings",
            "DEMO_FOLDER": str(tmp_path),
            "RQ_URL": f"unix://{address}",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("503 ") == 2
    assert "Redis does not answer" in done.stdout
    assert str(address) in done.stdout
