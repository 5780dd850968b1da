"""dramatiq has no Django settings. It is configured in tasks.py."""

from __future__ import annotations

from shared_settings import *  # noqa: F403
