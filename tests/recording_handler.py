"""A handler for ``LOGGING`` that records what Sentry's handler would send."""

from __future__ import annotations

import json
import logging
import os
from typing import Any


class RecordingHandler(logging.Handler):
    """Appends each record to the file that ``RQ_TEST_RECORDS`` names, as a line of JSON."""

    def emit(self, record: logging.LogRecord) -> None:
        kind, value, trace = record.exc_info or (None, None, None)
        seen = {
            "logger": record.name,
            "level": record.levelname,
            "message": record.getMessage(),
            "job_id": getattr(record, "job_id", None),
            "queue": getattr(record, "queue", None),
            "exception": kind and kind.__name__,
            "text": value
            and logging.Formatter().formatException((kind, value, None)).splitlines()[-1],
            "function": trace and trace.tb_frame.f_code.co_name,
            "pid": os.getpid(),
        }
        with open(os.environ["RQ_TEST_RECORDS"], "a") as file:
            file.write(f"{json.dumps(seen)}\n")


class RaisingFilter(logging.Filter):
    """A filter that fails."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            raise TypeError("a filter's mistake")
        return True


def logging_of(logger: str = "django_rqlite", **keys: Any) -> str:
    """Return ``LOGGING`` with this handler for a logger, as ``RQ_TEST_LOGGING`` wants it."""
    return json.dumps(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"raising": {"()": f"{__name__}.RaisingFilter"}},
            "handlers": {"record": {"class": f"{__name__}.RecordingHandler"}},
            "loggers": {logger: {"handlers": ["record"], **keys}},
        }
    )
