"""Celery with its defaults and a result backend. It keeps results for a day."""

from __future__ import annotations

from shared_settings import *  # noqa: F403
from shared_settings import INSTALLED_APPS, URL

INSTALLED_APPS = [*INSTALLED_APPS, "with_celery"]
# Celery has its own form of the address of a unix socket.
CELERY_BROKER_URL = URL.replace("unix://", "redis+socket://")
CELERY_RESULT_BACKEND = CELERY_BROKER_URL
