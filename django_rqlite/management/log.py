"""Letting a command that runs for long be heard."""

from __future__ import annotations

import logging

_LEVELS = {0: logging.WARNING, 1: logging.INFO}


def be_heard(level: int | str) -> None:
    """Print what the package logs, whatever LOGGING says of other loggers.

    Args:
        level: the least that is printed, as for ``Logger.setLevel``.
    """
    logger = logging.getLogger("django_rqlite")
    logger.setLevel(level)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)


def level_of(verbosity: int) -> int:
    """What ``-v 0``, ``1`` or more stand for."""
    return _LEVELS.get(verbosity, logging.DEBUG)
