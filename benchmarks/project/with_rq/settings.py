"""django-rq with its defaults."""

from __future__ import annotations

from shared_settings import *  # noqa: F403
from shared_settings import INSTALLED_APPS, URL

INSTALLED_APPS = [*INSTALLED_APPS, "django_rq"]
RQ_QUEUES = {"default": {"URL": URL}}
