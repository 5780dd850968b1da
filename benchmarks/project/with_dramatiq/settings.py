"""dramatiq is configured in tasks.py: it has no settings of Django's."""

from __future__ import annotations

from shared_settings import *  # noqa: F403
