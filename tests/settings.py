"""The settings of the tests' Django project. ``RQ_TEST_URL`` names the server; see conftest.py."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "testproject"))

from site_settings import *  # noqa: F403
from site_settings import INSTALLED_APPS

SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["testserver", "localhost"]
USE_TZ = os.environ.get("RQ_TEST_USE_TZ") != "0"
ROOT_URLCONF = "tests.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "django_rqlite"]
# Two, because a transaction may be open on any alias.
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
}

_URL = os.environ.get("RQ_TEST_URL", "redis://localhost:6379/0")
RQ_QUEUES = {name: {"URL": _URL} for name in ("default", "high", "low")}

# Environment variables change the settings of the workers that the tests start.
if _prefix := os.environ.get("RQ_TEST_KEY_PREFIX"):
    RQ_QUEUES = {name: {**queue, "KEY_PREFIX": _prefix} for name, queue in RQ_QUEUES.items()}
if _elsewhere := os.environ.get("RQ_TEST_ELSEWHERE"):
    RQ_QUEUES["elsewhere"] = {"URL": _elsewhere}
if _app := os.environ.get("RQ_TEST_APP"):
    INSTALLED_APPS += _app.split(",")
if _skew := os.environ.get("RQ_TEST_CLOCK_SKEW"):
    # The clock of this host is ahead by so many seconds.
    _time, _ahead = time.time, float(_skew)
    time.time = lambda: _time() + _ahead
if _memory_limit := os.environ.get("RQ_TEST_MOST_MEMORY"):
    resource.setrlimit(resource.RLIMIT_DATA, (int(_memory_limit), int(_memory_limit)))
if _database := os.environ.get("RQ_TEST_DATABASE"):
    DATABASES["default"]["NAME"] = _database
if _database_settings := os.environ.get("RQ_TEST_DATABASE_SETTINGS"):
    DATABASES["default"] = json.loads(_database_settings)
if _logging := os.environ.get("RQ_TEST_LOGGING"):
    LOGGING = json.loads(_logging)
RQ = {
    "LEASE": int(os.environ.get("RQ_TEST_LEASE", "60")),
    "ON_WORKER_DEATH": os.environ.get("RQ_TEST_ON_WORKER_DEATH", "requeue"),
    "TIMEOUT_GRACE": int(os.environ.get("RQ_TEST_TIMEOUT_GRACE", "10")),
    "JOB_LOGS": int(os.environ.get("RQ_TEST_JOB_LOGS", "0")),
    "REQUIRE_SIGNATURE": os.environ.get("RQ_TEST_REQUIRE_SIGNATURE") == "1",
    "MAX_RESULT_SIZE": int(os.environ.get("RQ_TEST_MAX_RESULT_SIZE", 64 * 1024 * 1024)),
    "CRON": json.loads(os.environ.get("RQ_TEST_CRON", "{}")),
    "COMMIT_MODE": os.environ.get("RQ_TEST_COMMIT_MODE"),
    "PRELOAD": json.loads(os.environ.get("RQ_TEST_PRELOAD", "true")),
}
RQ_EXCEPTION_HANDLERS = [os.environ.get("RQ_TEST_HANDLER", "tests.sample_jobs.tell_file")]
