"""The sdist and the wheel, installed into an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PACKAGE = REPOSITORY / "django_rqlite"

#: What people who contribute need, and what a build of a copy without dot files would miss.
HIDDEN = (".ci", ".editorconfig", ".github", ".gitignore", ".pre-commit-config.yaml")

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
    # Build a copy, so that no egg-info and no build/ appear in the checkout.
    copy = folder / "source"
    shutil.copytree(
        REPOSITORY,
        copy,
        ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist"),
    )
    for name in HIDDEN:
        path = REPOSITORY / name
        (shutil.copytree if path.is_dir() else shutil.copy)(path, copy / name)
    run(sys.executable, "-m", "build", "--outdir", folder, copy, cwd=folder)
    return folder


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel and its dependencies, and a settings module."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def run(self, *arguments: str) -> str:
        """Run its Python with a Django project's settings, away from this checkout."""
        environment = {"PYTHONPATH": str(self.folder), "DJANGO_SETTINGS_MODULE": "some_settings"}
        return run(self.python, *arguments, cwd=self.folder, **environment)


@pytest.fixture(scope="module")
def installed(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = Installed(tmp_path_factory.mktemp("installed"))
    (place.folder / "some_settings.py").write_text(SETTINGS)
    (wheel,) = distributions.glob("*.whl")
    run(sys.executable, "-m", "venv", "venv", cwd=place.folder)
    install = ("-m", "pip", "install", "--disable-pip-version-check")
    run(place.python, *install, wheel, cwd=place.folder)
    return place


def files_of_package(*, python: bool) -> set[str]:
    """Paths, from the repository's top, of the package's modules or of everything else in it."""
    return {
        str(path.relative_to(REPOSITORY))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
        if (path.suffix == ".py") == python
    }


def test_sdist_holds_what_contributors_need(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    expected = {
        *(".editorconfig", ".gitignore", ".pre-commit-config.yaml"),
        *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "ruff.toml"),
        *(".github/PULL_REQUEST_TEMPLATE.md", ".ci/run", "docs/design.md", "tests/settings.py"),
        *(f".github/ISSUE_TEMPLATE/{name}.md" for name in ("bug_report", "feature_request")),
    }
    assert expected - inside == set()


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


def test_installed_package_has_its_data(installed: Installed) -> None:
    script = "import pathlib, django_rqlite as it; print(pathlib.Path(it.__file__).parent.parent)"
    site_packages = Path(installed.run("-c", script).strip())
    data = files_of_package(python=False)
    assert {Path(name).suffix for name in data} >= {".html", ".lua", ".mo", ".typed"}
    assert {name for name in data if not (site_packages / name).is_file()} == set()


@pytest.mark.parametrize("command", ["rqworker", "rqserver", "rqcron"])
def test_command_is_found(installed: Installed, command: str) -> None:
    assert command in installed.run("-m", "django", "help").split()
    help_text = installed.run("-m", "django", "help", command)
    assert f"django {command}" in " ".join(help_text.split())


def test_rq_is_neither_installed_nor_imported(installed: Installed) -> None:
    script = """
import importlib.util, sys, django
django.setup()
import django_rqlite.admin
print(importlib.util.find_spec("rq"), "rq" in sys.modules)
"""
    assert installed.run("-c", script).split() == ["None", "False"]
