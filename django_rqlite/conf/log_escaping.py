"""What the package logs, with nothing in it that steers terminals or forges lines.

One filter on our own loggers, so that no call has to think of it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..protocol.escaping import escape_controls

#: The loggers of the package.
LOGGERS = ("django_rqlite.worker", "django_rqlite.job", "django_rqlite.commit")

_FORMATTER = logging.Formatter()


class Multiline(str):
    """An argument of a log's message that has lines of its own, such as a traceback."""

    __slots__ = ()


class EscapeControls(logging.Filter):
    """Escapes control characters in the arguments of messages, and in tracebacks that have some."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it always passes."""
        if isinstance(record.args, tuple):
            record.args = tuple(map(_escaped, record.args))
        elif isinstance(record.args, Mapping):
            record.args = {name: _escaped(value) for name, value in record.args.items()}
        if record.exc_info and not record.exc_text:
            text = _FORMATTER.formatException(record.exc_info)
            escaped = escape_controls(text, keep_lines=True)
            # Else it is left to the formatter, which may have its own way.
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
    """Have the package's loggers do so. Again is as good as once."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, EscapeControls) for each in logger.filters):
            logger.addFilter(EscapeControls())
