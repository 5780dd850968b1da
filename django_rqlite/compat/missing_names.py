"""Public names of RQ 2.12 and django-rq 4.2 that this package lacks, and what to use instead.

A module raises an ``ImportError`` with the advice for such a name. The text of an
``AttributeError`` would be lost: ``from django_rqlite import ...`` does not show it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

_NO_SCHEDULER = "Every worker enqueues scheduled jobs, so there is no scheduler. Take it out."
_WORKERS_DO_IT = "Workers do this by themselves. Take it out."
_MACHINERY = "It is an internal part of RQ, which works differently here: see docs/design.md."
_NO_WEBHOOKS = "Webhooks are not sent. Give on_success= and on_failure= a function that sends them."
_ONE_TIMEOUT = "There is one way to enforce timeouts, in every process. Take it out."
_NEVER_RAISED = "It is never raised here. Take the except clause out."
_LOGGING = "Use a handler of the class logging.StreamHandler in the LOGGING of the settings."
_DUE = "Queue.enqueue_at(datetime, ...) and Queue.enqueue_in(timedelta, ...)"

_ADVICE: Mapping[str, tuple[str, ...]] = {
    _NO_SCHEDULER: (
        *("RQScheduler", "SchedulerStatus", "SchedulerNotFound", "DuplicateSchedulerError"),
        *("scheduler", "get_scheduler_pid"),
    ),
    f"Every worker enqueues scheduled jobs. Use {_DUE}.": (
        *("DjangoScheduler", "get_scheduler_by_index"),
    ),
    "Use get_statistics(), which counts scheduled jobs; every worker enqueues them.": (
        "get_scheduler_statistics",
    ),
    "Put the entry into RQ['CRON'] of the settings, which every worker evaluates; or call "
    "register(...) in a file for manage.py rqcron.": (
        *("CronScheduler", "DjangoCronScheduler", "CronJob", "create_cron"),
    ),
    "Use the admin's page of cron entries.": (
        *("get_cron_schedulers", "get_cron_job_history", "get_cron_job_history_count"),
        *("get_cron_job_data", "get_cron_job_ids", "get_cron_job_history_key"),
        "CRON_JOB_HISTORY_SUPPORTED",
        *("cron_scheduler_registry", "cron_job_registry"),
    ),
    _NO_WEBHOOKS: ("Webhook", "webhook"),
    _ONE_TIMEOUT: (
        *("BaseDeathPenalty", "UnixSignalDeathPenalty", "TimerDeathPenalty", "timeouts"),
        *("get_default_death_penalty_class", "DEFAULT_DEATH_PENALTY_CLASS"),
    ),
    "Use JobTimeoutException, which is the one that is raised in a job.": (
        *("BaseTimeoutException", "HorseMonitorTimeoutException"),
    ),
    _NEVER_RAISED: (
        *("ShutDownImminentException", "StopRequested", "DequeueTimeout"),
        "NoRedisConnectionException",
    ),
    _WORKERS_DO_IT: (
        *("clean_worker_registry", "clean_intermediate_queue"),
        *("IntermediateQueue", "intermediate_queue", "maintenance"),
    ),
    "Use manage.py rqworker-pool.": ("WorkerPool", "WorkerData", "run_worker", "worker_pool"),
    "Use job.started_at, job.last_heartbeat and job.worker_name for the current run, and "
    "job.results() for earlier ones.": (
        *("Execution", "ExecutionRegistry", "executions", "get_executions"),
        *("prepare_execution", "cleanup_execution"),
    ),
    "Use send_stop_job_command(), send_kill_horse_command() or send_shutdown_command().": (
        *("send_command", "parse_payload", "handle_command", "handle_shutdown_command"),
        *("handle_kill_worker_command", "handle_stop_job_command", "PUBSUB_CHANNEL_TEMPLATE"),
    ),
    "Use Queue.prepare_data(...).": ("EnqueueArgs",),
    "Use django.core.paginator.Paginator.": ("paginate", "DEFAULT_ITEMS_PER_PAGE"),
    "Use django_rqlite.broker.address.describe(connection).": (
        *("get_displayable_connection_kwargs", "get_connection_kwargs"),
    ),
    "Use get_connection(name), which gives the client that RQ_QUEUES describes.": (
        *("parse_connection", "get_connection_from_queues", "DEFAULT_CONNECTION_CLASS"),
        "REDIS_RUNTIME_CONNECTION_KWARGS",
    ),
    "Use django.utils.module_loading.import_string(path).": (
        *("import_attribute", "import_job_class", "import_queue_class", "import_worker_class"),
    ),
    "Use django.utils.timezone.localtime().": ("to_localtime",),
    "Use django.utils.timezone.now().": ("now", "current_timestamp"),
    "Use datetime.isoformat() and datetime.fromisoformat(); attributes of jobs are datetimes.": (
        *("utcformat", "utcparse", "str_to_date"),
    ),
    "Durations may be given as text everywhere: job_timeout='1h30m'.": ("parse_timeout",),
    "Use job.get_call_string(), or job.description.": ("get_call_string", "truncate_long_string"),
    "Use job.id; ids that RQ would refuse are refused when a job is enqueued.": (
        *("parse_job_id", "validate_job_id", "JOB_ID_PATTERN"),
    ),
    "Name the serializer in RQ_QUEUES[...]['SERIALIZER'], or give serializer= 'json', 'pickle' or "
    "a class with dumps() and loads().": ("resolve_serializer", "SERIALIZER_ALIASES"),
    "Import from django_rqlite: PickleSerializer, JSONSerializer.": ("serializers",),
    "Import from django_rqlite, which has all registries.": ("registry",),
    "Import from django_rqlite: Queue, EnqueueData.": ("queue",),
    "Import from django_rqlite: Repeat.": ("repeat",),
    "Import from django_rqlite: Group.": ("group",),
    "Import from django_rqlite: Result.": ("results",),
    "Import from django_rqlite: suspend, resume, is_suspended.": ("suspension",),
    "Import from django_rqlite: send_stop_job_command, send_kill_horse_command, "
    "send_shutdown_command.": ("command",),
    "Import from django_rqlite: get_connection.": ("connections",),
    "Import from django_rqlite: Dependency.": ("dependency",),
    "Import from django_rqlite: DEFAULT_RESULT_TTL, DEFAULT_FAILURE_TTL.": ("defaults",),
    "The classes are named in RQ['JOB_CLASS'], RQ['QUEUE_CLASS'] and RQ['WORKER_CLASS'].": (
        *("DEFAULT_JOB_CLASS", "DEFAULT_QUEUE_CLASS", "DEFAULT_WORKER_CLASS"),
        "DEFAULT_SERIALIZER_CLASS",
    ),
    "A worker is listed for 420 s after its last heartbeat; see rqworker --worker-ttl.": (
        "DEFAULT_WORKER_TTL",
    ),
    "A callback may take 60 s; change that with Callback(func, timeout=...).": (
        "CALLBACK_TIMEOUT",
    ),
    "How often a worker looks is decided by RQ['LEASE'].": (
        *("DEFAULT_JOB_MONITORING_INTERVAL", "DEFAULT_MAINTENANCE_TASK_INTERVAL"),
        *("DEFAULT_SCHEDULER_FALLBACK_PERIOD", "DEFAULT_CRON_SCHEDULER_TTL"),
        *("DEFAULT_CRON_JOB_HISTORY_LIMIT", "DEFAULT_CRON_JOB_HISTORY_TTL"),
    ),
    f"{_LOGGING} Take its 'exclude' out, which only RQ's class has.": (
        *("ColorizingStreamHandler", "logutils"),
    ),
    _LOGGING: (
        *("setup_loghandlers", "make_colorizer", "colorizer", "green", "yellow", "blue", "red"),
        *("DEFAULT_LOGGING_FORMAT", "DEFAULT_LOGGING_DATE_FORMAT"),
    ),
    "Use logging.getLogger('django_rqlite.worker').": ("logger",),
    "Use signal.Signals(number).name.": ("signal_name",),
    "Use suspend(), resume() and is_suspended().": ("WORKERS_SUSPENDED",),
    "Use contextvars.ContextVar.": (
        *("Local", "LocalStack", "LocalManager", "LocalProxy", "release_local", "local"),
    ),
    "This package enqueues jobs at the end of a request by itself. Take it out.": ("thread_queue",),
    "Import it from django_rqlite.queues.": (
        *("DjangoRQ", "get_queues", "get_queue_class", "get_queue_by_index", "get_commit_mode"),
        *("get_result_ttl", "VALID_COMMIT_MODES"),
    ),
    "Import it from django_rqlite.connection_utils.": (
        *("get_unique_connection_configs", "get_connection_by_index", "get_redis_connection"),
        "filter_connection_params",
    ),
    "Import it from django_rqlite.settings.": (
        *("get_queues_list", "get_queues_map", "get_api_token"),
    ),
    "Import it from django_rqlite.workers.": ("get_worker_class", "get_exception_handlers"),
    "Import it from django_rqlite.jobs.": ("get_job_class",),
    "Use manage.py rqworker and the other commands.": ("cli",),
    _MACHINERY: (
        *("UNEVALUATED", "UNSERIALIZABLE_RETURN_VALUE_PAYLOAD", "NOT_JSON_SERIALIZABLE"),
        *("SHUTDOWN_SIGNAL", "Platform", "get_platform", "resolve_function_reference", "compact"),
        *("as_text", "decode_redis_hash", "safe_json_dumps", "normalize_config_path"),
        *("validate_absolute_path", "is_nonstring_iterable", "ensure_job_list", "backend_class"),
        *("get_version", "ceildiv", "split_list", "parse_names", "parse_composite_key"),
        *("FunctionReferenceType", "get_key", "get_keys", "get_registry_key", "get_names"),
        *("remove_stale_entries", "unregister", "worker_registration", "WORKERS_BY_QUEUE_KEY"),
        *("REDIS_WORKER_KEYS", "MAX_KEYS", "ACQUIRE_OR_REFRESH_LOCK_SCRIPT", "cleanup", "run"),
        *("SCHEDULER_KEY_TEMPLATE", "SCHEDULER_LOCKING_KEY_TEMPLATE", "types"),
        *("add", "scripts", "save_unique_job", "schedule_unique_job", "acquire_or_refresh_lock"),
        *("release_lock", "RELEASE_LOCK_SCRIPT", "UNIQUE_ENQUEUE_SCRIPT"),
        *("UNIQUE_SCHEDULE_SCRIPT", "get_unique_enqueue_script", "get_unique_schedule_script"),
    ),
}

_PACKAGE = __name__.partition(".")[0]

#: The advice, by name.
ADVICE: Mapping[str, str] = {name: advice for advice, names in _ADVICE.items() for name in names}


def advice_for(name: str) -> str:
    """Return a sentence about what to use instead of a name that was imported from RQ."""
    if name in sys.modules[_PACKAGE].__all__:
        return f"Write `from {_PACKAGE} import {name}`."
    return ADVICE.get(name, f"{_PACKAGE} has no {name}.")


def module_getattr(module: str) -> Callable[[str], NoReturn]:
    """Return the ``__getattr__`` of a module, which raises the error for a missing name."""

    def missing(name: str) -> NoReturn:
        raise missing_name_error(module, name)

    return missing


def missing_name_error(module: str, name: str) -> ImportError | AttributeError:
    """Return the error for a name that a module does not have."""
    advice = ADVICE.get(name)
    if advice is not None:
        return ImportError(f"{_PACKAGE} has no {name}. {advice}", name=module)
    if name in sys.modules[_PACKAGE].__all__:
        return ImportError(
            f"{module} has no {name}. Write `from {_PACKAGE} import {name}`.", name=module
        )
    return AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
