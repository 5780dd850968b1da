"""The check that finds where a project's own apps still import RQ."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from django_rqlite.compat import rq_imports
from django_rqlite.compat.missing_names import ADVICE
from django_rqlite.compat.rq_imports import find_imports
from tests.compat.test_moved_project import Project

SOURCE = """\
import rq
from os import path
import os, rq.job as theirs
from rq import get_current_job, Webhook
from typing import TYPE_CHECKING
import typing
from . import rq
from .rq import nothing
from rqueue import other
import requests
text = '''
from rq import in_a_text
'''
# from rq import in_a_comment
if TYPE_CHECKING:
    from rq.job import Job
elif typing.TYPE_CHECKING:
    from rq.job import Job
else:
    import django_rq.queues
try:
    from django_rq import get_queue as ask
except ImportError:
    pass


def work():
    from rq.worker import (
        Worker,
    )
"""

FOUND = [
    (1, "import rq", r"Import the names that are used from django_rqlite\."),
    (3, "import rq.job", r"Import the names that are used from django_rqlite"),
    (
        *(4, "from rq import get_current_job, Webhook"),
        r"^Write `from django_rqlite import get_current_job`\. Webhooks are not sent\.",
    ),
    (20, "import django_rq.queues", r"Write `import django_rqlite\.queues`\."),
    (22, "from django_rq import get_queue", r"Write `from django_rqlite import get_queue`\."),
    (28, "from rq.worker import Worker", r"Write `from django_rqlite import Worker`\."),
]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "jobs.py").write_text(SOURCE)
    return folder


def test_every_import_is_found_with_what_to_write_instead(app: Path) -> None:
    found = find_imports([app])
    assert [(one.line, one.statement) for one in found] == [(at, text) for at, text, _ in FOUND]
    for one, (_, _, instead) in zip(found, FOUND, strict=True):
        assert re.search(instead, one.instead)
        assert one.path == (app / "jobs.py").resolve()


def test_which_folders_are_searched(app: Path) -> None:
    (app / "jobs.py").unlink()
    line = "import rq\n"
    for name in ("deep/er", "venv/lib", ".hidden", "__pycache__", "site-packages/other"):
        (app / name).mkdir(parents=True)
        (app / name / "module.py").write_text(line)
    (app / "venv" / "pyvenv.cfg").touch()
    (app / "broken.py").write_text(f"{line}def (")
    (app / "bytes.py").write_bytes(b"\xff\x00import rq\nimport rq\n")
    (app / "notes.txt").write_text(line)
    expected = [(app / "deep/er/module.py").resolve()]
    assert [one.path for one in find_imports([app])] == expected
    assert [one.path for one in find_imports([app, app / "deep", app])] == expected
    assert find_imports([app / "site-packages" / "other", app / "gone"]) == []


def test_installed_packages_are_skipped() -> None:
    assert find_imports([Path(rq_imports.__file__).parent, Path(str(re.__file__)).parent]) == []


def test_nothing_is_searched_without_rq(app: Path) -> None:
    """An import of RQ fails by itself then. A module of the project may have the name ``rq``."""
    (app.parent / "rq.py").touch()
    code = "from django_rqlite.compat.rq_imports import find_imports; print(find_imports(['shop']))"
    path = str(Path(__file__).resolve().parent.parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=app.parent,
        env={"PYTHONPATH": f".:{path}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_each_advice_is_a_sentence() -> None:
    for name, advice in ADVICE.items():
        assert re.fullmatch(r"[A-Z].*\.", advice, re.DOTALL), name


@pytest.mark.usefixtures("redis")
def test_a_moved_project_with_one_import_left(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    project.move()
    assert "no issues" in project.manage("check")
    jobs = project.folder / "shop" / "jobs.py"
    jobs.write_text("from rq import get_current_job\n" + jobs.read_text())
    said = project.manage("check", warnings=True)
    assert "1 issue" in said
    assert "?: (django_rqlite.W020) shop/jobs.py:1: `from rq import get_current_job`. RQ" in said
    assert "HINT: Write `from django_rqlite import get_current_job`." in said
    assert "no issues" in project.manage("check", "auth")
    many = project.folder / "shop" / "many.py"
    many.write_text("import rq\n" * 30)
    assert "11 more imports of RQ were found." in project.manage("check", warnings=True)
