"""The settings of the demo. They are for one machine, not an example of a deployment.

Environment variables: ``DEMO_FOLDER``, the folder of the databases (by default ``.demo/`` in the
repository), and ``RQ_URL``, the Redis or Valkey server (by default the one that
``manage.py rqserver`` runs on a socket in that folder).
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from site_settings import *  # noqa: F403
from site_settings import INSTALLED_APPS, MIDDLEWARE

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_FOLDER = Path(os.environ.get("DEMO_FOLDER") or BASE_DIR.parent / ".demo").absolute()
# SQLite does not make the folder of its file, and any command of manage.py may come first.
DEMO_FOLDER.mkdir(parents=True, exist_ok=True)

# Not a secret: everybody can read this file. Jobs are signed with keys derived from it.
SECRET_KEY = "django-insecure-a-key-for-the-demo-and-nothing-else"
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [*INSTALLED_APPS, "django_rqlite", "wordcount"]
MIDDLEWARE = [
    *MIDDLEWARE,
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wordcount.middleware.RedisUnavailableMiddleware",
]

ROOT_URLCONF = "testproject.urls"
WSGI_APPLICATION = "testproject.wsgi.application"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DEMO_FOLDER / "db.sqlite3",
        # The site and the workers write to one file: wait for the lock instead of failing.
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}

RQ_URL = os.environ.get("RQ_URL") or f"unix://{quote(str(DEMO_FOLDER / 'valkey.sock'))}"
RQ_QUEUES = {
    "default": {"URL": RQ_URL},
    "low": {"URL": RQ_URL},
}
RQ = {
    "CRON": {
        "nap at night": {
            "func": "wordcount.jobs.sleep_for",
            "args": [1],
            "cron": "0 3 * * *",
            "queue": "low",
        },
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "time": {"format": "%(asctime)s %(message)s", "datefmt": "%H:%M:%S"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "time"},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Pages ask for the state of their jobs twice a second: log only errors.
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
