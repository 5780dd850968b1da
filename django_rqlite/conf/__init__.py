"""The settings of a project, typed and checked.

The meaning of each setting and the values that it accepts are defined here. Other packages import
the names below. ``manage.py check`` reports the problems that the validators yield.
"""

from .connection import CONNECTION_KEYS, DEFAULT_PORT, ConnectionSetting
from .queue_conf import QueueConf, queue, queue_name_problem, queues, read_queue
from .settings import (
    COMMIT_MODES,
    DEFAULT_LEASE,
    api_token,
    commit_mode,
    cron,
    default_class,
    exception_handlers,
    huge_pages,
    job_logs,
    lease,
    load_exception_handlers,
    max_result_size,
    preload,
    requeue_on_worker_death,
    require_signature,
    show_admin_link,
    timeout_grace,
)

__all__ = [
    "COMMIT_MODES",
    "CONNECTION_KEYS",
    "DEFAULT_LEASE",
    "DEFAULT_PORT",
    "ConnectionSetting",
    "QueueConf",
    "api_token",
    "commit_mode",
    "cron",
    "default_class",
    "exception_handlers",
    "huge_pages",
    "job_logs",
    "lease",
    "load_exception_handlers",
    "max_result_size",
    "preload",
    "queue",
    "queue_name_problem",
    "queues",
    "read_queue",
    "requeue_on_worker_death",
    "require_signature",
    "show_admin_link",
    "timeout_grace",
]
