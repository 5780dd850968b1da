"""Commands as process 1 of a container: they wait for the orphans that they inherit."""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from django_rqlite import get_queue
from tests import sample_jobs
from tests.conftest import wait_until
from tests.process_tree import children_of, fork_server_of
from tests.worker_process import ROOT

pytestmark = [
    pytest.mark.usefixtures("redis"),
    pytest.mark.skipif(sys.platform != "linux", reason="process 1 is another matter elsewhere"),
]

_PR_SET_CHILD_SUBREAPER = 36  # <sys/prctl.h>


def _inherit() -> None:
    """Have this process inherit what its descendants leave, as process 1 does."""
    assert ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


@contextmanager
def container(folder: Path, *command: str) -> Iterator[Container]:
    """A command that has an orphan from its beginning on, and inherits all others."""
    pipe, pid_file = folder / "orphan", folder / "orphan.pid"
    os.mkfifo(pipe)
    orphan = f"echo $$ > {pid_file}; read it < {pipe}"
    shell = f"(sh -c {shlex.quote(orphan)} &); exec {shlex.join(command)}"
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", shell],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_inherit,
        )
    try:
        wait_until(lambda: pid_file.exists() and pid_file.read_text(), "the orphan has begun")
        yield Container(process, log, pipe, int(pid_file.read_text()))
    finally:
        process.terminate()
        process.wait(20)


class Container:
    def __init__(
        self, process: subprocess.Popen[bytes], log: Path, pipe: Path, orphan: int
    ) -> None:
        self.process = process
        self.pid = process.pid
        self._log = log
        self._pipe = pipe
        self.orphan = orphan

    def prints(self, text: str, times: int = 1) -> None:
        wait_until(lambda: self.output.count(text) >= times, f"{text!r} is printed")

    @property
    def output(self) -> str:
        return self._log.read_text()

    def waits_for_its_orphan(self) -> None:
        self.waits_for(self.orphan, self._pipe)

    def waits_for(self, orphan: int, pipe: Path) -> None:
        """Let an orphan end, and see that it leaves no zombie."""
        wait_until(lambda: orphan in children_of(self.pid), "it is inherited")
        pipe.write_text("end\n")
        wait_until(lambda: orphan not in children_of(self.pid), f"it is gone\n{self.output}")


def manage(*arguments: str) -> Sequence[str]:
    return (sys.executable, "-m", "django", *arguments)


def test_a_worker(tmp_path: Path) -> None:
    pipe, pid_file = tmp_path / "left", tmp_path / "left.pid"
    os.mkfifo(pipe)
    with container(tmp_path, *manage("rqworker")) as first:
        first.prints("*** Listening on")
        first.waits_for_its_orphan()
        job = get_queue().enqueue(sample_jobs.leave_reading, str(pipe), str(pid_file))
        wait_until(lambda: job.is_finished, "the job has run")
        first.waits_for(int(pid_file.read_text()), pipe)

        os.kill(fork_server_of(first.pid), signal.SIGKILL)
        assert first.process.wait(20) == 1
        assert "signal 9" in first.output


def test_a_pool(tmp_path: Path) -> None:
    with container(tmp_path, *manage("rqworker-pool", "-n", "2")) as first:
        first.prints("*** Listening on", times=2)
        first.waits_for_its_orphan()
        os.kill(children_of(first.pid)[0], signal.SIGKILL)
        first.prints("signal 9")
        first.prints("*** Listening on", times=3)


def test_cron(tmp_path: Path) -> None:
    file = tmp_path / "cron_config.py"
    file.write_text(
        "from django_rqlite import cron\nfrom tests import sample_jobs\n"
        "cron.register(sample_jobs.add, 'default', (1,), interval=3600)\n"
    )
    with container(tmp_path, *manage("rqcron", str(file))) as first:
        first.prints("rqcron: tests.sample_jobs.add")
        first.waits_for_its_orphan()


def test_a_server(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="rqlite-") as folder:
        command = manage("rqserver", "--folder", folder, "--socket", f"{folder}/s")
        with container(tmp_path, *command) as first:
            first.prints("RQ_QUEUES =")
            first.waits_for_its_orphan()
            (server,) = children_of(first.pid)
            os.kill(server, signal.SIGKILL)
            assert first.process.wait(20) == 1
            assert "-9" in first.output


def _may_make_a_process_1() -> bool:
    command = ["unshare", "--pid", "--fork", "--kill-child", "true"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not _may_make_a_process_1(), reason="only root may make a process 1")
def test_a_worker_that_is_process_1(tmp_path: Path) -> None:
    pipe = tmp_path / "left"
    os.mkfifo(pipe)
    command = ("unshare", "--pid", "--fork", "--kill-child", *manage("rqworker"))
    with container(tmp_path, *command) as outer:
        try:
            outer.prints("*** Listening on")
            (first,) = set(children_of(outer.pid)) - {outer.orphan}
            (server,) = children_of(first)
            job = get_queue().enqueue(sample_jobs.leave_reading, str(pipe), str(tmp_path / "pid"))
            wait_until(lambda: len(children_of(first)) == 2, "it has inherited what the job left")
            pipe.write_text("end\n")
            wait_until(lambda: children_of(first) == [server], "that is gone")
            assert job.is_finished
        finally:
            outer.process.kill()  # unshare takes its child along, and does not heed other signals
