"""django_rqlite: a job queue for Django on Redis or Valkey.

The names below are what applications use, and whatever users of RQ import: ``from rq... import X``
becomes ``from django_rqlite import X``. They are imported when first asked for, so that
``django_rqlite`` in ``INSTALLED_APPS`` imports nothing before Django is ready.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .compat.absent import lookup_error
from .version import VERSION
from .version import VERSION as __version__

if TYPE_CHECKING:
    from .batches import EnqueueData
    from .command import send_kill_horse_command, send_shutdown_command, send_stop_job_command
    from .connections import get_connection
    from .decorators import job
    from .exceptions import (
        AbandonedJobError,
        DeserializationError,
        DuplicateJobError,
        InvalidJobDependency,
        InvalidJobOperation,
        InvalidJobOperationError,
        JobTimeoutException,
        NoSuchGroupError,
        NoSuchJobError,
        TimeoutFormatError,
    )
    from .group import Group
    from .jobs import Job, cancel_job, get_current_job, requeue_job
    from .policies import Callback, Dependency, Repeat, Retry
    from .protocol.records import DEFAULT_FAILURE_TTL, DEFAULT_RESULT_TTL, JobStatus
    from .protocol.serializers import (
        DefaultSerializer,
        JSONSerializer,
        PickleSerializer,
        Serializer,
    )
    from .queues import Queue, enqueue, get_queue, get_scheduler
    from .registries import (
        BaseRegistry,
        CanceledJobRegistry,
        DeferredJobRegistry,
        FailedJobRegistry,
        FinishedJobRegistry,
        ScheduledJobRegistry,
        StartedJobRegistry,
        clean_registries,
    )
    from .results import Result
    from .suspension import is_suspended, resume, suspend
    from .worker import (
        BaseWorker,
        DequeueStrategy,
        HerokuWorker,
        RandomWorker,
        RoundRobinWorker,
        SimpleWorker,
        SpawnWorker,
        Worker,
        WorkerStatus,
    )
    from .workers import get_worker

__all__ = [
    "DEFAULT_FAILURE_TTL",
    "DEFAULT_RESULT_TTL",
    "VERSION",
    "AbandonedJobError",
    "BaseRegistry",
    "BaseWorker",
    "Callback",
    "CanceledJobRegistry",
    "DefaultSerializer",
    "DeferredJobRegistry",
    "Dependency",
    "DequeueStrategy",
    "DeserializationError",
    "DuplicateJobError",
    "EnqueueData",
    "FailedJobRegistry",
    "FinishedJobRegistry",
    "Group",
    "HerokuWorker",
    "InvalidJobDependency",
    "InvalidJobOperation",
    "InvalidJobOperationError",
    "JSONSerializer",
    "Job",
    "JobStatus",
    "JobTimeoutException",
    "NoSuchGroupError",
    "NoSuchJobError",
    "PickleSerializer",
    "Queue",
    "RandomWorker",
    "Repeat",
    "Result",
    "Retry",
    "RoundRobinWorker",
    "ScheduledJobRegistry",
    "Serializer",
    "SimpleWorker",
    "SpawnWorker",
    "StartedJobRegistry",
    "TimeoutFormatError",
    "Worker",
    "WorkerStatus",
    "__version__",
    "cancel_job",
    "clean_registries",
    "enqueue",
    "get_connection",
    "get_current_job",
    "get_queue",
    "get_scheduler",
    "get_worker",
    "is_suspended",
    "job",
    "requeue_job",
    "resume",
    "send_kill_horse_command",
    "send_shutdown_command",
    "send_stop_job_command",
    "suspend",
]

_HOMES = {
    "AbandonedJobError": "exceptions",
    "BaseRegistry": "registries",
    "BaseWorker": "worker",
    "Callback": "policies",
    "CanceledJobRegistry": "registries",
    "DEFAULT_FAILURE_TTL": "protocol.records",
    "DEFAULT_RESULT_TTL": "protocol.records",
    "DefaultSerializer": "protocol.serializers",
    "DeferredJobRegistry": "registries",
    "Dependency": "policies",
    "DequeueStrategy": "worker",
    "DeserializationError": "exceptions",
    "DuplicateJobError": "exceptions",
    "EnqueueData": "batches",
    "FailedJobRegistry": "registries",
    "FinishedJobRegistry": "registries",
    "Group": "group",
    "HerokuWorker": "worker",
    "InvalidJobDependency": "exceptions",
    "InvalidJobOperation": "exceptions",
    "InvalidJobOperationError": "exceptions",
    "JSONSerializer": "protocol.serializers",
    "Job": "jobs",
    "JobStatus": "protocol.records",
    "JobTimeoutException": "exceptions",
    "NoSuchGroupError": "exceptions",
    "NoSuchJobError": "exceptions",
    "PickleSerializer": "protocol.serializers",
    "Queue": "queues",
    "RandomWorker": "worker",
    "Repeat": "policies",
    "Result": "results",
    "Retry": "policies",
    "RoundRobinWorker": "worker",
    "ScheduledJobRegistry": "registries",
    "Serializer": "protocol.serializers",
    "SimpleWorker": "worker",
    "SpawnWorker": "worker",
    "StartedJobRegistry": "registries",
    "TimeoutFormatError": "exceptions",
    "Worker": "worker",
    "WorkerStatus": "worker",
    "cancel_job": "jobs",
    "clean_registries": "registries",
    "enqueue": "queues",
    "get_connection": "connections",
    "get_current_job": "jobs",
    "get_queue": "queues",
    "get_scheduler": "queues",
    "get_worker": "workers",
    "is_suspended": "suspension",
    "job": "decorators",
    "requeue_job": "jobs",
    "resume": "suspension",
    "send_kill_horse_command": "command",
    "send_shutdown_command": "command",
    "send_stop_job_command": "command",
    "suspend": "suspension",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise lookup_error(__name__, name)
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value  # asked for once
    return value
