"""huey with its defaults. It also keeps results of jobs that return None, as the others do."""

from __future__ import annotations

from shared_settings import *  # noqa: F403
from shared_settings import INSTALLED_APPS, URL

INSTALLED_APPS = [*INSTALLED_APPS, "huey.contrib.djhuey", "with_huey"]
HUEY = {"name": "bench", "url": URL, "store_none": True}
