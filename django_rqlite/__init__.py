"""django_rqlite: a job queue for Django on Redis or Valkey.

The names below are what applications use; they are imported when first asked for, so that
``django_rqlite`` in ``INSTALLED_APPS`` imports nothing before Django is ready.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import VERSION as __version__

if TYPE_CHECKING:
    from .connections import get_connection
    from .decorators import job
    from .jobs import Job, get_current_job
    from .policies import Callback, Dependency, Repeat, Retry
    from .protocol.records import JobStatus
    from .queues import Queue, enqueue, get_queue, get_scheduler
    from .results import Result
    from .workers import get_worker

__all__ = [
    "Callback",
    "Dependency",
    "Job",
    "JobStatus",
    "Queue",
    "Repeat",
    "Result",
    "Retry",
    "__version__",
    "enqueue",
    "get_connection",
    "get_current_job",
    "get_queue",
    "get_scheduler",
    "get_worker",
    "job",
]

_HOMES = {
    "Callback": "policies",
    "Dependency": "policies",
    "Job": "jobs",
    "JobStatus": "protocol.records",
    "Queue": "queues",
    "Repeat": "policies",
    "Result": "results",
    "Retry": "policies",
    "enqueue": "queues",
    "get_connection": "connections",
    "get_current_job": "jobs",
    "get_queue": "queues",
    "get_scheduler": "queues",
    "get_worker": "workers",
    "job": "decorators",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value  # asked for once
    return value
