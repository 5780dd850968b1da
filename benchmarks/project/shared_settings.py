"""The common settings of all contestants: a typical site with the admin.

``BENCH_URL`` is the server. ``BENCH_FOLDER`` is the folder of the database.
"""

from __future__ import annotations

import os
from pathlib import Path

from site_settings import *  # noqa: F403
from site_settings import INSTALLED_APPS

URL = os.environ["BENCH_URL"]
FOLDER = Path(os.environ["BENCH_FOLDER"])

SECRET_KEY = "only for the benchmark"
ALLOWED_HOSTS = ["testserver"]
DEBUG = False
ROOT_URLCONF = "site_urls"
INSTALLED_APPS = [*INSTALLED_APPS, "noop"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "database.sqlite3"}
}
# No contestant logs jobs that succeed. The options of the workers' commands say the same.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
