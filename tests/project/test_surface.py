"""Every public name of RQ 2.12 and django-rq 4.2, and what has become of it here.

The tables are complete: a name that a newer RQ adds, or that we add or drop, fails a test. What is
left out stands in docs/migrate-from-django-rq.md too.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import rq
import rq.registry

import django_rqlite
from django_rqlite import Job, Queue, Worker, get_queue, get_worker
from django_rqlite.compat.missing_names import ADVICE
from django_rqlite.exceptions import ConfigurationError
from django_rqlite.queues import registries

PAGE = Path(__file__).parent.parent.parent / "docs" / "migrate-from-django-rq.md"

#: What RQ keeps for itself, though its name has no underscore.
_INTERNAL = "a step of RQ's own, which is part of a script here"
_KEYS = "keys are the engine's; docs/design.md tells the layout"
_WORKERS_OWN = "workers do that"
_NOWHERE = "it would leave a job nowhere, or in two places"

# Names of RQ's Job that we leave out, and why or what to use.
JOB: Mapping[str, str] = {
    "cleanup": _WORKERS_OWN,
    "dependencies_key": _KEYS,
    "dependents_key": _KEYS,
    "dependents_key_for": _KEYS,
    "execute_failure_callback": _WORKERS_OWN,
    "execute_stopped_callback": _WORKERS_OWN,
    "execute_success_callback": _WORKERS_OWN,
    "execution_registry": "started_at, last_heartbeat and worker_name tell of the one that runs",
    "failed_job_registry": "get_queue(job.origin).failed_job_registry",
    "failure_callback": "failure_callback_name",
    "finished_job_registry": "get_queue(job.origin).finished_job_registry",
    "get_executions": "started_at, last_heartbeat and worker_name tell of the one that runs",
    "get_result_ttl": "result_ttl",
    "get_retry_interval": "retry_intervals",
    "get_ttl": "ttl",
    "heartbeat": _WORKERS_OWN,
    "key_for": "key; the prefix depends on the connection",
    "log": "logging.getLogger('django_rqlite.job')",
    "perform": "job.func(*job.args, **job.kwargs), or a queue with is_async=False",
    "prepare_for_execution": _INTERNAL,
    "process_dependencies": _INTERNAL,
    "redis_job_namespace_prefix": "key_prefix",
    "redis_server_version": _INTERNAL,
    "register_dependency": "depends_on when it is enqueued",
    "restore": "refresh()",
    "retry": "requeue(), or retry=Retry(...) when it is enqueued",
    "send_webhooks": "a callback that sends what you like",
    "set_status": _NOWHERE,
    "should_enqueue_at_front": "enqueue_at_front, enqueue_at_front_on_retry",
    "should_retry": "retries_left",
    "started_job_registry": "get_queue(job.origin).started_job_registry",
    "stopped_callback": "stopped_callback_name",
    "success_callback": "success_callback_name",
    "to_dict": "to_fields()",
    "webhooks": "a callback that sends what you like",
}

QUEUE: Mapping[str, str] = {
    "DEFAULT_TIMEOUT": "DEFAULT_TIMEOUT in RQ_QUEUES",
    "acquire_maintenance_lock": "maintenance needs no lock: each part is a script",
    "compact": "workers drop ids without a job when they come to them",
    "death_penalty_class": "one way to enforce timeouts, which a job can't swallow",
    "dequeue_any": _NOWHERE,
    "enqueue_dependents": _INTERNAL,
    "get_redis_server_version": _INTERNAL,
    "intermediate_queue": "no job is ever in between",
    "intermediate_queue_key": "no job is ever in between",
    "lmove": _NOWHERE,
    "log": "logging.getLogger('django_rqlite')",
    "lpop": _NOWHERE,
    "parse_args": _INTERNAL,
    "pop_job_id": _NOWHERE,
    "push_job_id": _NOWHERE,
    "redis_queue_namespace_prefix": _KEYS,
    "redis_queues_keys": _KEYS,
    "redis_server_version": _INTERNAL,
    "registry_cleaning_key": "maintenance needs no lock: each part is a script",
    "release_maintenance_lock": "maintenance needs no lock: each part is a script",
    "remove": "job.delete() or job.cancel(); " + _NOWHERE,
    "run_job": "is_async=False",
    "run_sync": "is_async=False",
    "schedule_job": "enqueue_at()",
    "scheduler_pid": "every worker enqueues what is due",
    "setup_dependencies": _INTERNAL,
}

_EVERY_REGISTRY: Mapping[str, str] = {
    "add": _NOWHERE,
    "death_penalty_class": "one way to enforce timeouts, which a job can't swallow",
    "get_expired_job_ids": "get_expiration_time(job)",
    "get_queue": "get_queue(registry.name)",
    "key_template": "key; the prefix depends on the connection",
    "parse_job_id": _INTERNAL,
    "serializer": "that of the jobs",
}
_NOT_REQUEUED = {"requeue": "of failed and canceled jobs only; queue.enqueue_job(job)"}

REGISTRIES: Mapping[str, Mapping[str, str]] = {
    "BaseRegistry": _EVERY_REGISTRY | _NOT_REQUEUED,
    "StartedJobRegistry": {
        **_EVERY_REGISTRY,
        **_NOT_REQUEUED,
        "add_execution": _WORKERS_OWN,
        "remove_execution": _WORKERS_OWN,
        "remove_executions": _WORKERS_OWN,
    },
    "FinishedJobRegistry": _EVERY_REGISTRY | _NOT_REQUEUED,
    "FailedJobRegistry": _EVERY_REGISTRY,
    "DeferredJobRegistry": _EVERY_REGISTRY | _NOT_REQUEUED,
    "ScheduledJobRegistry": {
        **_EVERY_REGISTRY,
        **_NOT_REQUEUED,
        "get_jobs_to_enqueue": _WORKERS_OWN,
        "get_jobs_to_schedule": _WORKERS_OWN,
        "remove_jobs": "deprecated in RQ; " + _NOWHERE,
        "schedule": "queue.enqueue_at()",
    },
    "CanceledJobRegistry": _EVERY_REGISTRY,
}

ROOT: Mapping[str, str] = {"Webhook": "a callback that sends what you like"}

# Names of RQ's Worker that neither our Worker nor what Worker.all() finds has, and why.
WORKER: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("bootstrap", "check_for_suspension", "clean_registries", "cleanup_execution"),
            *("connection_timeout", "dequeue_job_and_maintain_ttl", "dequeue_timeout"),
            *("execute_job", "execution", "exponential_backoff_factor", "fork_work_horse"),
            *("get_heartbeat_ttl", "get_redis_server_version", "handle_exception"),
            *("handle_execution_ended", "handle_job_failure", "handle_job_retry"),
            *("handle_job_success", "handle_payload", "handle_warm_shutdown_request"),
            *("handle_work_horse_killed", "heartbeat", "horse_pid", "increment_failed_job_count"),
            *("increment_successful_job_count", "increment_total_working_time", "is_horse"),
            *("job_monitoring_interval", "kill_horse", "last_cleaned_at", "log_result_lifespan"),
            *("main_work_horse", "maintain_heartbeats", "maintenance_interval"),
            *("max_connection_wait_time", "monitor_work_horse", "perform_job", "pop_exc_handler"),
            *("prepare_execution", "prepare_job_execution", "procline", "pubsub", "pubsub_thread"),
            *("push_exc_handler", "redis_server_version", "register_birth", "register_death"),
            *("reorder_queues", "request_force_stop", "request_stop", "run_maintenance_tasks"),
            *("scheduler", "serialize", "set_current_job_id", "set_current_job_working_time"),
            *("set_shutdown_requested_date", "set_state", "setup_work_horse_signals"),
            *("should_run_maintenance_tasks", "stop_scheduler", "subscribe", "teardown"),
            *("unsubscribe", "validate_queues", "wait_for_horse", "worker_ttl"),
            *("redis_worker_namespace_prefix", "redis_workers_keys", "death_penalty_class"),
            *("default_result_ttl", "disable_default_exception_handler", "log_job_description"),
        ),
        _INTERNAL,
    ),
    "ip_address": "hostname",
    "job_class": "that of its queues",
    "log": "logging.getLogger('django_rqlite.worker')",
    "queue_class": "that of its queues",
    "serializer": "that of its queues",
}

# Parameters that RQ's functions and methods have and ours lack.
PARAMETERS: Mapping[str, str] = {
    "pipeline": "one call is one script",
    "death_penalty_class": "one way to enforce timeouts, which a job can't swallow",
    "watch": _INTERNAL,
    "parent_job": _INTERNAL,
    "exclude_job_id": _INTERNAL,
    "refresh_job_status": _INTERNAL,
    "exception_handlers": _WORKERS_OWN,
    "worker": _WORKERS_OWN,
}

# By module of RQ: what can't be imported from django_rqlite instead.
RQ_MODULES: Mapping[str, set[str]] = {
    "job": {"parse_job_id", "validate_job_id"},
    "queue": {"EnqueueArgs"},
    "repeat": set(),
    "command": {"send_command", "parse_payload"},
    "decorators": set(),
    "exceptions": {
        *("DequeueTimeout", "DuplicateSchedulerError", "SchedulerNotFound"),
        *("ShutDownImminentException", "StopRequested"),
    },
    "group": set(),
    "registry": set(),
    "results": {"get_key"},
    "suspension": set(),
    "cron": {
        *("CronJob", "CronScheduler", "create_cron", "get_cron_job_history_key"),
        "get_cron_job_ids",
    },
    "serializers": {"resolve_serializer"},
    "worker": {"signal_name"},
    "timeouts": {
        *("BaseTimeoutException", "HorseMonitorTimeoutException", "BaseDeathPenalty"),
        *("UnixSignalDeathPenalty", "TimerDeathPenalty", "get_default_death_penalty_class"),
    },
}

# By module of django-rq: what ours of the same name lacks.
MODULES: Mapping[str, Mapping[str, str]] = {
    "": {},
    "queues": {
        "get_scheduler_by_index": "get_scheduler() says what to use",
    },
    "cron": {
        "CRON_JOB_HISTORY_SUPPORTED": "the admin",
        "DjangoCronScheduler": "RQ['CRON'], or register()",
        "get_cron_job_data": "the admin",
        "get_cron_job_history": "the admin",
        "get_cron_job_history_count": "the admin",
    },
    "workers": {},
    "jobs": {},
    "decorators": {},
    "connection_utils": {},
    "settings": {},
    "utils": {
        "DEFAULT_ITEMS_PER_PAGE": "of its pages",
        "get_cron_schedulers": "the admin",
        "get_displayable_connection_kwargs": "django_rqlite.broker.address.describe(connection)",
        "get_executions": "started_at, last_heartbeat and worker_name of the job",
        "get_scheduler_pid": "every worker enqueues what is due",
        "get_scheduler_statistics": "every worker enqueues what is due",
        "paginate": "django.core.paginator.Paginator",
    },
}

#: What django-rq has and we have not at all.
MODULES_LEFT_OUT = ("thread_queue", "views", "templatetags.django_rq")


def names(thing: object) -> set[str]:
    """Public names, without asking for any value: a property may ask Redis."""
    return {name for name in (*dir(type(thing)), *vars(thing)) if not name.startswith("_")}


def compare(theirs: object, ours: object, left_out: Mapping[str, str]) -> None:
    lacking = names(theirs) - names(ours)
    assert lacking == left_out.keys()


def test_members_of_jobs(redis: redis_py.Redis) -> None:
    compare(rq.job.Job("a", connection=redis), Job("a"), JOB)


def test_members_of_queues(redis: redis_py.Redis) -> None:
    compare(rq.Queue("default", connection=redis), get_queue(), QUEUE)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (rq.Queue, Queue),
        (rq.job.Job, Job),
        *((getattr(rq.registry, name), getattr(registries, name)) for name in REGISTRIES),
    ],
)
def test_parameters_of_methods(theirs: type, ours: type) -> None:
    for name in sorted(names_of_class(theirs) & names_of_class(ours)):
        lacking = lacking_parameters(getattr(theirs, name), getattr(ours, name))
        assert lacking <= PARAMETERS.keys(), name


@pytest.mark.parametrize("module", RQ_MODULES)
def test_modules_of_rq(module: str) -> None:
    theirs = importlib.import_module(f"rq.{module}")
    # Constants are not for users, and what handles commands is of workers.
    offers = {
        name
        for name in offered(theirs)
        if inspect.isroutine(getattr(theirs, name)) or inspect.isclass(getattr(theirs, name))
        if not name.startswith("handle_")
    }
    lacking = {name for name in offers if not has(django_rqlite, name)}
    assert lacking == RQ_MODULES[module]
    for name in offers - lacking:
        ours = getattr(django_rqlite, name)
        assert lacking_parameters(getattr(theirs, name), ours) <= PARAMETERS.keys()


def names_of_class(kind: type) -> set[str]:
    return {name for name in dir(kind) if name == "__init__" or not name.startswith("_")}


def lacking_parameters(theirs: Any, ours: Any) -> set[str]:
    if not (inspect.isroutine(theirs) and inspect.isroutine(ours)):
        return set()
    mine = inspect.signature(ours).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in mine.values()):
        return set()
    return set(inspect.signature(theirs).parameters) - set(mine) - {"args", "kwargs"}


@pytest.mark.parametrize("name", REGISTRIES)
def test_members_of_registries(redis: redis_py.Redis, name: str) -> None:
    theirs = getattr(rq.registry, name)("default", connection=redis)
    compare(theirs, getattr(registries, name)("default"), REGISTRIES[name])


def test_there_are_no_other_registries_of_jobs() -> None:
    bases = {
        name
        for name, kind in vars(rq.registry).items()
        if isinstance(kind, type) and issubclass(kind, rq.registry.BaseRegistry)
    }
    # Of executions of one job, which have no registry of ours.
    assert bases - {"ExecutionRegistry"} == REGISTRIES.keys()


def test_what_rq_itself_offers() -> None:
    assert set(rq.__all__) - set(django_rqlite.__all__) == ROOT.keys()


@pytest.mark.filterwarnings("ignore:QUEUES_")
@pytest.mark.parametrize("module", MODULES)
def test_modules_of_django_rq(module: str) -> None:
    theirs = importlib.import_module(f"django_rq.{module}" if module else "django_rq")
    ours = importlib.import_module(f"django_rqlite.{module}" if module else "django_rqlite")
    lacking = {name for name in offered(theirs) if not has(ours, name)}
    assert lacking == MODULES[module].keys()


def said_of(module: str, name: str) -> str:
    """What the ImportError says that a name is; '' where it can be had."""
    try:
        exec(f"from {module} import {name}", {})
    except ImportError as exc:
        return str(exc)
    return ""


#: Of these, Python itself decides what they are.
_MODULES_HERE = ("contrib", "job", "version")


def modules_of_rq() -> list[str]:
    found = [module.name for module in pkgutil.iter_modules(rq.__path__)]
    assert len(found) > 30
    return found


@pytest.mark.parametrize("module", modules_of_rq())
def test_whatever_rq_has_is_here_or_says_what_to_do(module: str) -> None:
    theirs = importlib.import_module(f"rq.{module}")
    names = {
        name
        for name, value in vars(theirs).items()
        if not name.startswith("_") and name not in ("TYPE_CHECKING", "annotations")
        if name.isupper() or getattr(value, "__module__", "").startswith("rq.")
    }
    names |= set(getattr(theirs, "__all__", ()))
    for name in {name for name in names if not name.startswith("_")}:
        said = said_of("django_rqlite", name)
        assert not said or f" has no {name}. " in said, name
    if module not in _MODULES_HERE and not has(django_rqlite, module):
        said = said_of("django_rqlite", module)
        assert not said or f" has no {module}. " in said, module


@pytest.mark.filterwarnings("ignore:QUEUES_")
@pytest.mark.parametrize("module", MODULES)
def test_whatever_django_rq_has_is_here_or_says_what_to_do(module: str) -> None:
    theirs = importlib.import_module(f"django_rq.{module}" if module else "django_rq")
    ours = f"django_rqlite.{module}" if module else "django_rqlite"
    names = offered(theirs) | {
        name
        for name, value in vars(theirs).items()
        if not name.startswith("_")
        if getattr(value, "__module__", "").startswith(("rq.", "django_rq."))
    }
    for name in names:
        said = said_of(ours, name)
        assert not said or f" has no {name}. " in said, name


def test_no_advice_hides_what_is_here() -> None:
    here = {module.name for module in pkgutil.iter_modules(django_rqlite.__path__)}
    assert here.isdisjoint(ADVICE)
    assert set(django_rqlite.__all__).isdisjoint(ADVICE)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = registries.nonsense  # type: ignore[attr-defined]


def test_members_of_workers(redis: redis_py.Redis) -> None:
    theirs = rq.Worker(["default"], connection=redis)
    theirs.register_birth()
    (found,) = Worker.all()
    worker = get_worker()
    assert names(theirs) - names(found) - names(worker) == WORKER.keys()
    theirs.register_death()
    worker.work(burst=True)


@pytest.mark.parametrize("name", ["all", "all_keys", "count", "find_by_key", "work", "__init__"])
def test_parameters_of_workers(name: str) -> None:
    assert not lacking_parameters(getattr(rq.Worker, name), getattr(Worker, name))


def offered(module: Any) -> set[str]:
    if hasattr(module, "__all__"):
        return set(module.__all__)
    mine = {
        name
        for name, value in vars(module).items()
        if name.isupper() or getattr(value, "__module__", None) == module.__name__
    }
    if module.__name__.endswith(".settings"):
        mine |= {"QUEUES", "QUEUES_LIST", "QUEUES_MAP"}  # looked up when they are asked for
    return {name for name in mine if not name.startswith("_")} - {"TYPE_CHECKING"}


def has(module: Any, name: str) -> bool:
    try:
        getattr(module, name)
    except (AttributeError, ImportError):
        return False
    return True


@pytest.mark.parametrize("module", MODULES_LEFT_OUT)
def test_modules_that_we_leave_out(module: str) -> None:
    importlib.import_module(f"django_rq.{module}")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"django_rqlite.{module}")
    assert f"`{module}`" in PAGE.read_text()


def test_the_page_names_what_is_left_out() -> None:
    text = PAGE.read_text()
    groups = [JOB, QUEUE, *REGISTRIES.values(), ROOT, WORKER, *MODULES.values()]
    # Steps inside of RQ are not for users.
    missing = {
        name
        for group in groups
        for name, why in group.items()
        if why not in (_INTERNAL, _KEYS) and f"`{name}" not in text
    }
    assert not missing


def test_everything_offered_can_be_had() -> None:
    for name in django_rqlite.__all__:
        assert getattr(django_rqlite, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = django_rqlite.nonsense


def test_there_is_no_scheduler_to_get() -> None:
    with pytest.raises(ConfigurationError, match="enqueue_at"):
        django_rqlite.get_scheduler("default", interval=60)
