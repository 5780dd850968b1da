"""A ``manage.py`` command in a process of its own, run to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.worker_process import ROOT


def manage(
    *arguments: str, status: int = 0, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command, which must end with this exit status."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "django", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": str(ROOT),
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, f"{done.returncode}:\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done
