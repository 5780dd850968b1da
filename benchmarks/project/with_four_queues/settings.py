"""django_rqlite with its defaults, four queues, and users and sessions in memory."""

from __future__ import annotations

from shared_settings import URL
from with_ours.settings import *  # noqa: F403

RQ_QUEUES = {name: {"URL": URL} for name in ("default", "high", "low", "mail")}
# One process migrates the database and requests the pages.
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
