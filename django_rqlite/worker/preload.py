"""What the parent does once, so that its children need not."""

from __future__ import annotations

import gc
import logging
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

logger = logging.getLogger("django_rqlite.worker")

#: Modules of an app that hold what it enqueues.
MODULES = ("jobs", "tasks")


def import_jobs() -> list[str]:
    """Import ``jobs`` and ``tasks`` of every installed app; give the names that were found.

    A module that can't be imported is no reason not to work: its jobs will fail with the reason.
    """
    found = []
    for app in apps.get_app_configs():
        for module in MODULES:
            name = f"{app.name}.{module}"
            try:
                if find_spec(name) is None:
                    continue
                import_module(name)
            except Exception:
                logger.exception(
                    "%s can't be imported; jobs whose functions live there will fail.", name
                )
                continue
            found.append(name)
    return found


def share_memory() -> None:
    """Let children share the pages of all that is loaded by now.

    The collector writes into every object it looks at, which copies the page; frozen objects are
    never looked at.
    """
    gc.collect()
    gc.freeze()


def stop_sharing_memory() -> None:
    """Have the collector look at everything again, for a program that goes on after its worker."""
    gc.unfreeze()
