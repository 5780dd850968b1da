"""What users get from PyPI: the sdist and the wheel, installed where nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "django_rqlite"

# Building and installing wait for a package index.
pytestmark = pytest.mark.timeout(600)

SETTINGS = """
SECRET_KEY = "for this test"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django_rqlite",
]
RQ_QUEUES = {"default": {"HOST": "localhost"}}
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run to a good end without the variables that lead back to this checkout; returns stdout."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH", "VIRTUAL_ENV")
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=inherited | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel, the wheel built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    # From a copy, so that no egg-info and no build/ land in the checkout.
    copy = folder / "source"
    shutil.copytree(
        REPOSITORY,
        copy,
        ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist"),
    )
    shutil.copytree(REPOSITORY / ".ci", copy / ".ci")
    run(sys.executable, "-m", "build", "--outdir", folder, copy, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def installed(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = distributions.glob("*.whl")
    run(python, "-m", "pip", "install", "--disable-pip-version-check", wheel, cwd=folder)
    (folder / "some_settings.py").write_text(SETTINGS)
    return python


def files_of_package(*, python: bool) -> set[str]:
    """Paths, from the repository's top, of the package's modules or of everything else in it."""
    return {
        str(path.relative_to(REPOSITORY))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
        if (path.suffix == ".py") == python
    }


@pytest.mark.parametrize("python", [True, False], ids=["modules", "other files"])
def test_wheel_holds_the_whole_package(distributions: Path, python: bool) -> None:
    (wheel,) = distributions.glob("*.whl")
    missing = files_of_package(python=python) - set(ZipFile(wheel).namelist())
    assert not missing


def test_wheel_holds_nothing_else(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    expected = files_of_package(python=True) | files_of_package(python=False)
    others = set(ZipFile(wheel).namelist()) - expected
    assert {name for name in others if ".dist-info/" not in name} == set()


def test_installed_package_has_its_data(installed: Path) -> None:
    folder = run(
        installed,
        "-c",
        "import pathlib, django_rqlite; print(pathlib.Path(django_rqlite.__file__).parent.parent)",
        cwd=installed.parent,
        PYTHONPATH=str(installed.parents[2]),
        DJANGO_SETTINGS_MODULE="some_settings",
    ).strip()
    data = files_of_package(python=False)
    assert {Path(name).suffix for name in data} >= {".lua", ".typed"}
    assert {name for name in data if not Path(folder, name).is_file()} == set()


@pytest.mark.parametrize("command", ["rqworker", "rqserver"])
def test_command_is_found(installed: Path, command: str) -> None:
    environment = {
        "PYTHONPATH": str(installed.parents[2]),
        "DJANGO_SETTINGS_MODULE": "some_settings",
    }
    listing = run(installed, "-m", "django", "help", cwd=installed.parent, **environment)
    assert command in listing.split()
    help_text = run(installed, "-m", "django", "help", command, cwd=installed.parent, **environment)
    assert f"usage: python -m django {command}" in " ".join(help_text.split())


def test_rq_is_neither_installed_nor_imported(installed: Path) -> None:
    script = (
        "import importlib.util, sys, django\n"
        "django.setup()\n"
        "import django_rqlite.admin\n"
        "print(importlib.util.find_spec('rq'), 'rq' in sys.modules)\n"
    )
    answer = run(
        installed,
        "-c",
        script,
        cwd=installed.parent,
        PYTHONPATH=str(installed.parents[2]),
        DJANGO_SETTINGS_MODULE="some_settings",
    )
    assert answer.split() == ["None", "False"]
