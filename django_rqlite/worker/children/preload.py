"""What the parent does once, so that its children need not."""

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
from .import_probe import Trial, new_threads, running_threads, try_imports
from .random_generators import find_generators, forget_generators

logger = logging.getLogger("django_rqlite.worker")

#: Modules of an app that hold what it enqueues.
MODULES = ("jobs", "tasks")

_NOT_IMPORTED = "%s can't be imported; jobs whose functions live there will fail."

#: Modules that are not to be imported in this process, and those forked from it. Told of once.
_left_out: set[str] = set()


def import_jobs() -> list[str]:
    """Import what ``RQ["PRELOAD"]`` says, before there are children; give what was imported.

    Those are ``jobs`` and ``tasks`` of every installed app, except modules whose import leaves a
    thread running; or nothing; or the modules named, whatever they do.

    A module that can't be imported is no reason not to work: its jobs will fail with the reason.
    """
    _warn_of_threads()
    wanted = conf.preload()
    if wanted is False:
        return []
    if wanted is not True:
        return _imported(wanted)
    found: list[str] = []
    to_try = []
    for name in _modules_of_apps():
        if name in sys.modules:
            found.append(name)
        elif name not in _left_out:
            to_try.append(name)
    while to_try:
        trial = try_imports(to_try)
        # They are imported for good before the others are tried: these may import one another.
        found += _imported(trial.passed)
        if trial.failed:
            _leave_out(trial)
        to_try = to_try[len(trial.passed) + 1 :]
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


def _imported(names: Sequence[str]) -> list[str]:
    """Import them; give those that could be."""
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
                "The import of %s has left a thread running (%s). Forked processes, in which jobs "
                "run, do not have it, and wait for ever for what it holds or should do. Start it "
                "where it is first used, or take the module out of RQ['PRELOAD'].",
                name,
                ", ".join(threads),
            )
    return found


def _leave_out(trial: Trial) -> None:
    _left_out.add(trial.failed)
    if trial.threads:
        logger.warning(
            "%s is not imported before jobs run: its import leaves a thread running (%s), which "
            "forked processes do not have. Jobs that need it import it by themselves, each time. "
            "To have it imported once, start the thread where it is first used.",
            trial.failed,
            ", ".join(trial.threads),
        )
        return
    code = os.waitstatus_to_exitcode(trial.status)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    logger.error(
        "%s is not imported before jobs run: its import ended the process that tried it, with %s. "
        "Jobs that need it will fail.",
        trial.failed,
        how,
    )


def _warn_of_threads() -> None:
    """Tell of threads that were there before us: nothing can be done about them here."""
    threads = sorted(running_threads().values())
    if threads:
        logger.warning(
            "Threads run in this process before jobs are forked from it: %s. Forked processes do "
            "not have them, and wait for ever for what they hold or should do. Where the settings "
            "or an AppConfig start them, start them where they are first used.",
            ", ".join(threads),
        )


def share_memory() -> None:
    """Let children share the pages of all that is loaded by now.

    The collector writes into every object it looks at, which copies the page; frozen objects are
    never looked at.
    """
    gc.collect()
    find_generators()
    gc.freeze()


def stop_sharing_memory() -> None:
    """Have the collector look at everything again, for a program that goes on after its worker."""
    gc.unfreeze()
    forget_generators()
