"""Logging of commands that run for long: the level that an option sets, and a handler."""

from __future__ import annotations

import logging

_NAME = "django_rqlite"
_LEVELS = {0: logging.WARNING, 1: logging.INFO}


def set_up_logging(level: int | str | None) -> None:
    """Print the log records of the package.

    The level is ``level``, or else the one that the project's ``LOGGING`` sets, or else INFO.

    Args:
        level: The lowest level to print, as for ``Logger.setLevel``; None if no option sets it.
    """
    logger = logging.getLogger(_NAME)
    if level is not None:
        for each in (logger, *_loggers_with_levels()):
            each.setLevel(level)
    elif logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)


def level_of_verbosity(verbosity: int | None) -> int | None:
    """Return the level that ``-v 0``, ``1`` or more mean; None if the option was not given."""
    return None if verbosity is None else _LEVELS.get(verbosity, logging.DEBUG)


def _loggers_with_levels() -> list[logging.Logger]:
    """Return the package's loggers whose own level ``LOGGING`` sets."""
    return [
        logger
        for name, logger in logging.Logger.manager.loggerDict.items()
        if name.startswith(f"{_NAME}.") and isinstance(logger, logging.Logger) and logger.level
    ]
