"""django_rqlite: a job queue for Django on Redis or Valkey.

The names below are what applications use, and whatever users of RQ import: ``from rq... import X``
becomes ``from django_rqlite import X``. They are imported when first asked for, so that
``django_rqlite`` in ``INSTALLED_APPS`` imports nothing before Django is ready.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .compat.missing_names import missing_name_error
from .version import VERSION
from .version import VERSION as __version__

if TYPE_CHECKING:
    from .broker.clients import get_connection
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
    from .jobs.commands import (
        send_kill_horse_command,
        send_shutdown_command,
        send_stop_job_command,
    )
    from .jobs.job import Job, cancel_job, get_current_job, requeue_job
    from .jobs.policies import Callback, Dependency, Repeat, Retry
    from .jobs.results import Result
    from .protocol.records import DEFAULT_FAILURE_TTL, DEFAULT_RESULT_TTL, JobStatus
    from .protocol.serializers import (
        DefaultSerializer,
        JSONSerializer,
        PickleSerializer,
        Serializer,
    )
    from .queues.bulk import EnqueueData
    from .queues.decorators import job
    from .queues.group import Group
    from .queues.lookup import enqueue, get_queue, get_scheduler
    from .queues.queue import Queue
    from .queues.registries import (
        BaseRegistry,
        CanceledJobRegistry,
        DeferredJobRegistry,
        FailedJobRegistry,
        FinishedJobRegistry,
        ScheduledJobRegistry,
        StartedJobRegistry,
        clean_registries,
    )
    from .queues.suspension import is_suspended, resume, suspend
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
    "BaseRegistry": "queues.registries",
    "BaseWorker": "worker",
    "Callback": "jobs.policies",
    "CanceledJobRegistry": "queues.registries",
    "DEFAULT_FAILURE_TTL": "protocol.records",
    "DEFAULT_RESULT_TTL": "protocol.records",
    "DefaultSerializer": "protocol.serializers",
    "DeferredJobRegistry": "queues.registries",
    "Dependency": "jobs.policies",
    "DequeueStrategy": "worker",
    "DeserializationError": "exceptions",
    "DuplicateJobError": "exceptions",
    "EnqueueData": "queues.bulk",
    "FailedJobRegistry": "queues.registries",
    "FinishedJobRegistry": "queues.registries",
    "Group": "queues.group",
    "HerokuWorker": "worker",
    "InvalidJobDependency": "exceptions",
    "InvalidJobOperation": "exceptions",
    "InvalidJobOperationError": "exceptions",
    "JSONSerializer": "protocol.serializers",
    "Job": "jobs.job",
    "JobStatus": "protocol.records",
    "JobTimeoutException": "exceptions",
    "NoSuchGroupError": "exceptions",
    "NoSuchJobError": "exceptions",
    "PickleSerializer": "protocol.serializers",
    "Queue": "queues.queue",
    "RandomWorker": "worker",
    "Repeat": "jobs.policies",
    "Result": "jobs.results",
    "Retry": "jobs.policies",
    "RoundRobinWorker": "worker",
    "ScheduledJobRegistry": "queues.registries",
    "Serializer": "protocol.serializers",
    "SimpleWorker": "worker",
    "SpawnWorker": "worker",
    "StartedJobRegistry": "queues.registries",
    "TimeoutFormatError": "exceptions",
    "Worker": "worker",
    "WorkerStatus": "worker",
    "cancel_job": "jobs.job",
    "clean_registries": "queues.registries",
    "enqueue": "queues.lookup",
    "get_connection": "broker.clients",
    "get_current_job": "jobs.job",
    "get_queue": "queues.lookup",
    "get_scheduler": "queues.lookup",
    "get_worker": "workers",
    "is_suspended": "queues.suspension",
    "job": "queues.decorators",
    "requeue_job": "jobs.job",
    "resume": "queues.suspension",
    "send_kill_horse_command": "jobs.commands",
    "send_shutdown_command": "jobs.commands",
    "send_stop_job_command": "jobs.commands",
    "suspend": "queues.suspension",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise missing_name_error(__name__, name)
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value  # asked for once
    return value
