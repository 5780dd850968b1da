"""Letting a command that runs for long be heard."""

from __future__ import annotations

import logging

_NAME = "django_rqlite"
_LEVELS = {0: logging.WARNING, 1: logging.INFO}


def be_heard(level: int | str | None) -> None:
    """Print what the package logs, as much as the command was told to, or else the project's
    ``LOGGING`` says, or else all but debugging messages.

    Args:
        level: the least that is printed, as for ``Logger.setLevel``; None: nothing was said.
    """
    logger = logging.getLogger(_NAME)
    if level is not None:
        for part in (logger, *_parts_with_levels()):
            part.setLevel(level)
    elif logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)


def level_of(verbosity: int | None) -> int | None:
    """What ``-v 0``, ``1`` or more stand for; None: the flag was not given."""
    return None if verbosity is None else _LEVELS.get(verbosity, logging.DEBUG)


def _parts_with_levels() -> list[logging.Logger]:
    """The package's loggers for which ``LOGGING`` names a level of their own."""
    return [
        part
        for name, part in logging.Logger.manager.loggerDict.items()
        if name.startswith(f"{_NAME}.") and isinstance(part, logging.Logger) and part.level
    ]
