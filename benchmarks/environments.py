"""A virtual environment for each contestant, so that their requirements cannot conflict."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
from pathlib import Path

from .exceptions import MeasurementError

REPOSITORY = Path(__file__).resolve().parent.parent

#: Timeout of an installation, in seconds.
_TIMEOUT = 600

#: Installed for every contestant: the same Django, and the fast parser of Redis' answers.
_SHARED = ("Django", "hiredis")

_SHOWN = ("Django", "redis", "hiredis", "rq", "django-rq", "celery", "dramatiq", "huey")


def own_python() -> Path:
    """The Python of the benchmark. django_rqlite is in its environment."""
    return Path(sys.executable)


def python_with(name: str, requirements: tuple[str, ...]) -> Path:
    """The Python of a contestant's environment, which is created if it is missing.

    Raises:
        MeasurementError: The environment cannot be created.
    """
    version = "{}.{}".format(*sys.version_info)
    folder = REPOSITORY / ".venvs" / f"bench-{name}-{version}"
    python = folder / "bin" / "python"
    django = f"Django=={importlib.metadata.version('Django')}"
    wanted = [django if one == "Django" else one for one in (*_SHARED, *requirements)]
    # The stamp is written last, so that an interrupted installation starts again.
    stamp = folder / ".ready"
    if stamp.is_file() and stamp.read_text() == "\n".join(wanted):
        return python
    print(f"Making the environment {folder.relative_to(REPOSITORY)} ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
    stamp.write_text("\n".join(wanted))
    return python


def versions(python: Path) -> dict[str, str]:
    """The versions of the relevant packages in an environment."""
    code = (
        "import importlib.metadata as m, json, sys; print(json.dumps({d.name: d.version"
        " for d in m.distributions() if d.name.lower() in sys.argv[1:]}))"
    )
    found = _run([str(python), "-c", code, *(name.lower() for name in _SHOWN)])
    installed = {name.lower(): version for name, version in json.loads(found).items()}
    return {name: installed[name.lower()] for name in _SHOWN if name.lower() in installed}


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(f"{command[1:4]} took more than {_TIMEOUT} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise MeasurementError(
            "cannot install: " + (lines or done.stderr.splitlines() or ["?"])[-1]
        )
    return done.stdout
