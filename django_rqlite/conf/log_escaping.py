"""Escapes control characters in log records, which could control terminals or forge lines.

A filter on the loggers of this package does it, so that the logging calls need not.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..protocol.escaping import escape_controls

#: The loggers of the package.
LOGGERS = ("django_rqlite.worker", "django_rqlite.job", "django_rqlite.commit")

_FORMATTER = logging.Formatter()


class Multiline(str):
    """An argument of a log message that may have several lines, such as a traceback."""

    __slots__ = ()


class EscapeControls(logging.Filter):
    """Escapes control characters in the arguments of messages and in tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record. Always returns True."""
        if isinstance(record.args, tuple):
            record.args = tuple(map(_escaped, record.args))
        elif isinstance(record.args, Mapping):
            record.args = {name: _escaped(value) for name, value in record.args.items()}
        if record.exc_info and not record.exc_text:
            text = _FORMATTER.formatException(record.exc_info)
            escaped = escape_controls(text, keep_lines=True)
            # A traceback without control characters is left to the project's formatter.
            if escaped != text:
                record.exc_text = escaped
        return True


def _escaped(value: object) -> object:
    if isinstance(value, str):
        return escape_controls(value, keep_lines=isinstance(value, Multiline))
    if isinstance(value, BaseException):
        return escape_controls(str(value))
    return value


def escape_logs() -> None:
    """Add the filter to the loggers of the package. Further calls change nothing."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, EscapeControls) for each in logger.filters):
            logger.addFilter(EscapeControls())
