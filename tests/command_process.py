"""A ``manage.py`` command in a process of its own, run to its end."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from tempfile import TemporaryFile

from tests.process_server import start_command


def manage(
    *arguments: str, status: int = 0, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command, which must end with this exit status."""
    with TemporaryFile() as stdout, TemporaryFile() as stderr:
        process = start_command(arguments, environment or {}, stdout=stdout, stderr=stderr)
        try:
            process.wait(60)
        finally:
            process.kill()
        printed = []
        for stream in (stdout, stderr):
            stream.seek(0)
            printed.append(stream.read().decode())
    done = subprocess.CompletedProcess(arguments, process.returncode, *printed)
    assert done.returncode == status, f"{done.returncode}:\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done
