"""Celery with its defaults, and results, which it keeps for a day where it is told where."""

from __future__ import annotations

from shared_settings import *  # noqa: F403
from shared_settings import INSTALLED_APPS, URL

INSTALLED_APPS = [*INSTALLED_APPS, "with_celery"]
# Celery's own spelling of the address of a unix socket.
CELERY_BROKER_URL = URL.replace("unix://", "redis+socket://")
CELERY_RESULT_BACKEND = CELERY_BROKER_URL
