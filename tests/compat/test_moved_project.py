"""A project for django-rq, moved with the edits of docs/migrate-from-django-rq.md and no others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "migrate-from-django-rq.md"
AS_WRITTEN = ROOT / "tests" / "django_rq_project"

pytestmark = pytest.mark.usefixtures("redis")


class Project:
    """A copy of the project, and its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(AS_WRITTEN, folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *arguments: str, stdin: str | None = None, warnings: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env={
                **{key: value for key, value in os.environ.items() if "DJANGO" not in key},
                "PYTHONPATH": str(ROOT),
            },
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr * (warnings or arguments[0] == "rqworker")

    def order(self) -> str:
        return self.manage("order")

    def report(self, ids: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.manage("report", stdin=ids))
        return found

    def run_jobs(self) -> str:
        # In a command of its own: django-rq's command has one serializer for all queues.
        output = self.manage("rqworker", "default", "--burst")
        return output + self.manage(
            "rqworker", "mail", "--burst", "--serializer", "rq.serializers.JSONSerializer"
        )

    def move(self) -> None:
        """Make the edits of the page."""
        for path in self.folder.rglob("*.py"):
            text = path.read_text()
            text = re.sub(r'.*include\("django_rq.urls"\).*\n', "", text)
            for before, after in edits():
                pattern = re.escape(before).replace("<anything>", r"[\w.]+")
                text = re.sub(rf"(?<![\w.]){pattern}(?!\w)", after, text)
            path.write_text(text)


def edits() -> list[tuple[str, str]]:
    """The rows of the page's table of imports."""
    table = (
        PAGE.read_text().partition("| before | after |\n| --- | --- |\n")[2].partition("\n\n")[0]
    )
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", table, re.MULTILINE)
    assert len(rows) == len(table.splitlines())
    return rows


OUTCOMES = {
    "total": ["finished", 6, {}, 360],
    "fail": ["failed", None, {}, 360],
    "retry": ["failed", None, {}, 360],
    "send": ["finished", "Thank you, ann@example.com", {"sent_to": "ann@example.com"}, 60],
    "later": ["scheduled", None, {}, 360],
    "child": ["finished", 9, {"called_back_with": 9}, 360],
}


def check(project: Project, ids: str) -> None:
    report = project.report(ids)
    for name, outcome in OUTCOMES.items():
        state, value, meta, timeout, _result_ttl, runs = report[name]
        assert [state, value, meta, timeout] == outcome, name
        assert bool(runs) == (name != "later")
    state, chained, meta, *_ = report["chain"]
    assert (state, meta) == ("finished", {"a": 1})
    assert report["now"][:2] == ["finished", 8]
    assert report["send"][4] == 100
    assert project.report(json.dumps({"chained": chained}))["chained"][:2] == ["finished", 6]
    assert report["failed"] == 2
    assert report["queues"] == [{"default": 0, "mail": 1, "now": 2}, ["default", "mail", "now"]]
    assert report["counted"] == [["default", 0, 4, 1], ["mail", 0, 1, 0], ["now", 0, 1, 0]]
    assert project.manage("run_here").strip().endswith("[0, []]")
    failures = (project.folder / "failures").read_text()
    assert f"{json.loads(ids)['fail']} ValueError broken\n" in failures


def test_it_works_as_it_was_written(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    ids = project.order()
    project.run_jobs()
    check(project, ids)
    # django-rq's own enqueue() ignores DEFAULT_RESULT_TTL.
    assert project.report(ids)["total"][4] is None


def test_it_works_when_it_has_moved(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    project.move()
    assert "no issues" in project.manage("check")
    project.manage("migrate")
    stale = project.manage(
        *("remove_stale_contenttypes", "--include-stale-apps", "--no-input", "--verbosity", "2")
    )
    assert "'django_rq | " in stale
    assert "django_rqlite" not in stale
    assert "*** Listening on default, mail, now" in project.manage("rqworker", "--burst")
    ids = project.order()
    assert "Job OK" in project.run_jobs()
    check(project, ids)
    assert project.report(ids)["total"][4] == 800


def test_jobs_move_with_it(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    ids = project.order()
    project.move()
    project.run_jobs()
    check(project, ids)


def test_jobs_move_back_too(redis: redis_py.Redis, tmp_path: Path) -> None:
    project, moved = Project(tmp_path / "shop"), Project(tmp_path / "moved")
    moved.move()
    ids = moved.order()
    project.run_jobs()
    check(project, ids)
