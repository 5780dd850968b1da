"""Work that a worker does once before it forks, so that its children need not do it."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from ... import conf
from .import_probe import ProbeResult, new_threads, probe_imports, running_threads
from .random_generators import find_generators, forget_generators

logger = logging.getLogger("django_rqlite.worker")

#: Modules of an app in which its jobs' functions usually are.
MODULES = ("jobs", "tasks")

_NOT_IMPORTED = "%s can't be imported; jobs whose functions are in it will fail."

#: Modules that this process, and those forked from it, do not import. Each was logged once.
_excluded: set[str] = set()


def import_jobs() -> list[str]:
    """Import the modules that ``RQ["PRELOAD"]`` means, and return their names.

    ``True`` means ``jobs`` and ``tasks`` of every installed app, except modules whose import
    leaves a thread running. ``False`` means no modules. A list names the modules, and all of them
    are imported.

    A module that can't be imported is logged. Its jobs will fail with the reason.
    """
    _warn_of_threads()
    wanted = conf.preload()
    if wanted is False:
        return []
    if wanted is not True:
        return _import(wanted)
    found: list[str] = []
    to_probe = []
    for name in _modules_of_apps():
        if name in sys.modules:
            found.append(name)
        elif name not in _excluded:
            to_probe.append(name)
    while to_probe:
        result = probe_imports(to_probe)
        # Import these before the remaining ones are probed, because those may import them.
        found += _import(result.passed)
        if result.failed:
            _exclude(result)
        to_probe = to_probe[len(result.passed) + 1 :]
    return found


def _modules_of_apps() -> Iterator[str]:
    for app in apps.get_app_configs():
        for module in MODULES:
            name = f"{app.name}.{module}"
            try:
                if find_spec(name) is not None:
                    yield name
            except Exception:
                logger.exception(_NOT_IMPORTED, name)


def _import(names: Sequence[str]) -> list[str]:
    """Import the modules. Return the names of those that could be imported."""
    found = []
    for name in names:
        before = running_threads()
        try:
            import_module(name)
        except Exception:
            logger.exception(_NOT_IMPORTED, name)
            continue
        found.append(name)
        if running_threads().keys() - before.keys() and (threads := new_threads(before)):
            logger.warning(
                "The import of %s has left a thread running (%s). Jobs run in forked processes, "
                "which do not have this thread. A job that waits for its work, or for a lock that "
                "it holds, waits for ever. Start the thread where it is first used, or take the "
                "module out of RQ['PRELOAD'].",
                name,
                ", ".join(threads),
            )
    return found


def _exclude(result: ProbeResult) -> None:
    _excluded.add(result.failed)
    if result.threads:
        logger.warning(
            "%s is not imported before jobs run: its import leaves a thread running (%s), which "
            "forked processes do not have. Jobs that need the module import it themselves, each "
            "time. To have it imported once, start the thread where it is first used.",
            result.failed,
            ", ".join(result.threads),
        )
        return
    code = os.waitstatus_to_exitcode(result.status)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    logger.error(
        "%s is not imported before jobs run: its import ended the process that tried it, with %s. "
        "Jobs that need it will fail.",
        result.failed,
        how,
    )


def _warn_of_threads() -> None:
    """Log the threads that run already. The worker cannot prevent them."""
    threads = sorted(running_threads().values())
    if threads:
        logger.warning(
            "Threads run in this process before jobs are forked from it: %s. Forked processes do "
            "not have them. A job that waits for their work, or for a lock that they hold, waits "
            "for ever. If the settings or an AppConfig start them, start them where they are first "
            "used instead.",
            ", ".join(threads),
        )


def share_memory() -> None:
    """Share with children the memory of everything that is loaded by now.

    The garbage collector writes into each object that it visits, which copies the page. It does
    not visit frozen objects.
    """
    gc.collect()
    find_generators()
    gc.freeze()


def stop_sharing_memory() -> None:
    """Undo :func:`share_memory`, for a program that goes on after its worker."""
    gc.unfreeze()
    forget_generators()
