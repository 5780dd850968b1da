"""The Django project that the tests run in. ``RQ_TEST_URL`` names the server; see conftest.py."""

from __future__ import annotations

import json
import os
import resource
import time

SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["testserver", "localhost"]
USE_TZ = os.environ.get("RQ_TEST_USE_TZ") != "0"
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_rqlite",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# Two, because a transaction may be open on any alias.
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_URL = os.environ.get("RQ_TEST_URL", "redis://localhost:6379/0")
RQ_QUEUES = {name: {"URL": _URL} for name in ("default", "high", "low")}

# Workers that the tests start are bent through the environment.
if _prefix := os.environ.get("RQ_TEST_KEY_PREFIX"):
    RQ_QUEUES = {name: {**queue, "KEY_PREFIX": _prefix} for name, queue in RQ_QUEUES.items()}
if _elsewhere := os.environ.get("RQ_TEST_ELSEWHERE"):
    RQ_QUEUES["elsewhere"] = {"URL": _elsewhere}
if _app := os.environ.get("RQ_TEST_APP"):
    INSTALLED_APPS += _app.split(",")
if _skew := os.environ.get("RQ_TEST_CLOCK_SKEW"):
    # As on a host whose clock is off by so many seconds.
    _true_time, _ahead = time.time, float(_skew)
    time.time = lambda: _true_time() + _ahead
if _most_memory := os.environ.get("RQ_TEST_MOST_MEMORY"):
    resource.setrlimit(resource.RLIMIT_DATA, (int(_most_memory), int(_most_memory)))
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
