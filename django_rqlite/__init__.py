"""django_rqlite: a job queue for Django on Redis or Valkey.

The public API: all names that applications use, and all that users of RQ import, so that ``from
rq... import X`` becomes ``from django_rqlite import X``. A name is imported when it is first used,
so that ``django_rqlite`` in ``INSTALLED_APPS`` imports nothing before Django is ready.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .compat.missing_names import missing_name_error
from .version import VERSION
from .version import VERSION as __version__

if TYPE_CHECKING:  # what type checkers read; at run time, _EXPORTS counts
    from .broker.clients import get_connection as get_connection
    from .cron import register as register
    from .exceptions import AbandonedJobError as AbandonedJobError
    from .exceptions import ConfigurationError as ConfigurationError
    from .exceptions import DeserializationError as DeserializationError
    from .exceptions import DuplicateJobError as DuplicateJobError
    from .exceptions import ForkServerError as ForkServerError
    from .exceptions import InvalidDurationError as InvalidDurationError
    from .exceptions import InvalidFunctionError as InvalidFunctionError
    from .exceptions import InvalidJobDependency as InvalidJobDependency
    from .exceptions import InvalidJobError as InvalidJobError
    from .exceptions import InvalidJobIdError as InvalidJobIdError
    from .exceptions import InvalidJobOperation as InvalidJobOperation
    from .exceptions import InvalidJobOperationError as InvalidJobOperationError
    from .exceptions import InvalidQueueError as InvalidQueueError
    from .exceptions import JobDiedError as JobDiedError
    from .exceptions import JobTimeoutException as JobTimeoutException
    from .exceptions import MissingExtraError as MissingExtraError
    from .exceptions import NoSuchGroupError as NoSuchGroupError
    from .exceptions import NoSuchJobError as NoSuchJobError
    from .exceptions import PayloadTooLargeError as PayloadTooLargeError
    from .exceptions import RedisOutOfMemoryError as RedisOutOfMemoryError
    from .exceptions import RedisPermissionError as RedisPermissionError
    from .exceptions import RedisReadOnlyError as RedisReadOnlyError
    from .exceptions import RedisRefusedError as RedisRefusedError
    from .exceptions import RedisUnavailableError as RedisUnavailableError
    from .exceptions import RQLiteError as RQLiteError
    from .exceptions import SignatureError as SignatureError
    from .exceptions import TimeoutFormatError as TimeoutFormatError
    from .exceptions import UnknownQueueError as UnknownQueueError
    from .exceptions import UnserializableError as UnserializableError
    from .exceptions import WorkerNameTakenError as WorkerNameTakenError
    from .jobs.commands import send_kill_horse_command as send_kill_horse_command
    from .jobs.commands import send_shutdown_command as send_shutdown_command
    from .jobs.commands import send_stop_job_command as send_stop_job_command
    from .jobs.job import Job as Job
    from .jobs.job import cancel_job as cancel_job
    from .jobs.job import get_current_job as get_current_job
    from .jobs.job import requeue_job as requeue_job
    from .jobs.policies import Callback as Callback
    from .jobs.policies import Dependency as Dependency
    from .jobs.policies import Repeat as Repeat
    from .jobs.policies import Retry as Retry
    from .jobs.results import Result as Result
    from .protocol.records import DEFAULT_FAILURE_TTL as DEFAULT_FAILURE_TTL
    from .protocol.records import DEFAULT_RESULT_TTL as DEFAULT_RESULT_TTL
    from .protocol.records import JobStatus as JobStatus
    from .protocol.serializers import DefaultSerializer as DefaultSerializer
    from .protocol.serializers import JSONSerializer as JSONSerializer
    from .protocol.serializers import PickleSerializer as PickleSerializer
    from .protocol.serializers import Serializer as Serializer
    from .queues.bulk import EnqueueData as EnqueueData
    from .queues.decorators import job as job
    from .queues.group import Group as Group
    from .queues.lookup import enqueue as enqueue
    from .queues.lookup import get_queue as get_queue
    from .queues.lookup import get_scheduler as get_scheduler
    from .queues.queue import Queue as Queue
    from .queues.registries import BaseRegistry as BaseRegistry
    from .queues.registries import CanceledJobRegistry as CanceledJobRegistry
    from .queues.registries import DeferredJobRegistry as DeferredJobRegistry
    from .queues.registries import FailedJobRegistry as FailedJobRegistry
    from .queues.registries import FinishedJobRegistry as FinishedJobRegistry
    from .queues.registries import ScheduledJobRegistry as ScheduledJobRegistry
    from .queues.registries import StartedJobRegistry as StartedJobRegistry
    from .queues.registries import clean_registries as clean_registries
    from .queues.suspension import is_suspended as is_suspended
    from .queues.suspension import resume as resume
    from .queues.suspension import suspend as suspend
    from .worker import BaseWorker as BaseWorker
    from .worker import DequeueStrategy as DequeueStrategy
    from .worker import HerokuWorker as HerokuWorker
    from .worker import RandomWorker as RandomWorker
    from .worker import RoundRobinWorker as RoundRobinWorker
    from .worker import SimpleWorker as SimpleWorker
    from .worker import SpawnWorker as SpawnWorker
    from .worker import Worker as Worker
    from .worker import WorkerStatus as WorkerStatus
    from .workers import get_worker as get_worker

#: The public names, by the module that defines them.
_EXPORTS = {
    "broker.clients": ("get_connection",),
    "cron": ("register",),
    "exceptions": (
        "AbandonedJobError",
        "ConfigurationError",
        "DeserializationError",
        "DuplicateJobError",
        "ForkServerError",
        "InvalidDurationError",
        "InvalidFunctionError",
        "InvalidJobDependency",
        "InvalidJobError",
        "InvalidJobIdError",
        "InvalidJobOperation",
        "InvalidJobOperationError",
        "InvalidQueueError",
        "JobDiedError",
        "JobTimeoutException",
        "MissingExtraError",
        "NoSuchGroupError",
        "NoSuchJobError",
        "PayloadTooLargeError",
        "RQLiteError",
        "RedisOutOfMemoryError",
        "RedisPermissionError",
        "RedisReadOnlyError",
        "RedisRefusedError",
        "RedisUnavailableError",
        "SignatureError",
        "TimeoutFormatError",
        "UnknownQueueError",
        "UnserializableError",
        "WorkerNameTakenError",
    ),
    "jobs.commands": ("send_kill_horse_command", "send_shutdown_command", "send_stop_job_command"),
    "jobs.job": ("Job", "cancel_job", "get_current_job", "requeue_job"),
    "jobs.policies": ("Callback", "Dependency", "Repeat", "Retry"),
    "jobs.results": ("Result",),
    "protocol.records": ("DEFAULT_FAILURE_TTL", "DEFAULT_RESULT_TTL", "JobStatus"),
    "protocol.serializers": (
        "DefaultSerializer",
        "JSONSerializer",
        "PickleSerializer",
        "Serializer",
    ),
    "queues.bulk": ("EnqueueData",),
    "queues.decorators": ("job",),
    "queues.group": ("Group",),
    "queues.lookup": ("enqueue", "get_queue", "get_scheduler"),
    "queues.queue": ("Queue",),
    "queues.registries": (
        "BaseRegistry",
        "CanceledJobRegistry",
        "DeferredJobRegistry",
        "FailedJobRegistry",
        "FinishedJobRegistry",
        "ScheduledJobRegistry",
        "StartedJobRegistry",
        "clean_registries",
    ),
    "queues.suspension": ("is_suspended", "resume", "suspend"),
    "worker": (
        "BaseWorker",
        "DequeueStrategy",
        "HerokuWorker",
        "RandomWorker",
        "RoundRobinWorker",
        "SimpleWorker",
        "SpawnWorker",
        "Worker",
        "WorkerStatus",
    ),
    "workers": ("get_worker",),
}
_MODULE_OF = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = ["VERSION", "__version__", *_MODULE_OF]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise missing_name_error(__name__, name)
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value  # so that this function is not called for it again
    return value
