"""Methods that subclasses of RQ's classes override and that nothing here calls.

For each, a sentence advises what to use instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_SIGNALS = (
    "Connect to the signals job_started, job_finished and job_failed of django_rqlite.signals, "
    "which are sent in the process of the job."
)
_FAILURES = "Name a function in RQ_EXCEPTION_HANDLERS, or connect to the signal job_failed."
_ENQUEUEING = (
    "Override create_job() or enqueue_job(), which every call goes through, or connect to the "
    "signal job_enqueued."
)
_CALLBACKS = "Give the job on_success=, on_failure= or on_stopped=."
_STATES = "The state of a job and its place change together, in a script."
_DEATHS = "A job's on_failure callback is called also when its process has died."
_RQ_ONLY = "It is an internal step of RQ, which works differently here."

JOB: Mapping[str, str] = {
    **dict.fromkeys(("perform", "prepare_for_execution", "heartbeat"), _SIGNALS),
    **dict.fromkeys(
        ("execute_success_callback", "execute_failure_callback", "execute_stopped_callback"),
        _CALLBACKS,
    ),
    **dict.fromkeys(("set_status", "cleanup", "retry", "restore"), _STATES),
    "to_dict": "Override to_fields().",
}

QUEUE: Mapping[str, str] = {
    **dict.fromkeys(("enqueue_call", "parse_args", "_enqueue_async_job"), _ENQUEUEING),
    **dict.fromkeys(
        (
            *("push_job_id", "pop_job_id", "lpop", "lmove", "dequeue_any", "schedule_job"),
            *("enqueue_dependents", "setup_dependencies", "compact"),
        ),
        _STATES,
    ),
    **dict.fromkeys(("run_job", "run_sync"), _SIGNALS),
}

WORKER: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("execute_job", "perform_job", "main_work_horse", "prepare_job_execution"),
            *("prepare_execution", "handle_job_success", "handle_execution_ended"),
        ),
        _SIGNALS,
    ),
    **dict.fromkeys(("handle_exception", "handle_job_failure", "push_exc_handler"), _FAILURES),
    "handle_job_retry": "Give the job retry=Retry(...).",
    "handle_work_horse_killed": _DEATHS,
    "reorder_queues": "Use --dequeue-strategy.",
    **dict.fromkeys(
        (
            *("bootstrap", "check_for_suspension", "clean_registries", "fork_work_horse"),
            *("dequeue_job_and_maintain_ttl", "get_heartbeat_ttl", "heartbeat", "kill_horse"),
            *("handle_payload", "handle_warm_shutdown_request", "maintain_heartbeats"),
            *("monitor_work_horse", "register_birth", "register_death", "request_force_stop"),
            *("request_stop", "run_maintenance_tasks", "set_state", "setup_work_horse_signals"),
            *("subscribe", "teardown", "unsubscribe", "wait_for_horse"),
        ),
        _RQ_ONLY,
    ),
}

#: By the setting that names the class.
NEVER_CALLED: Mapping[str, Mapping[str, str]] = {
    "JOB_CLASS": JOB,
    "QUEUE_CLASS": QUEUE,
    "WORKER_CLASS": WORKER,
}


def unused_overrides(setting: str, kind: type) -> Iterator[tuple[str, str]]:
    """Yield the overrides of a class that nothing calls, each with the advice.

    Args:
        setting: ``JOB_CLASS``, ``QUEUE_CLASS`` or ``WORKER_CLASS``.
    """
    package = __name__.partition(".")[0]
    own = {
        name
        for ancestor in kind.__mro__
        if ancestor.__module__.partition(".")[0] not in (package, "builtins")
        for name in vars(ancestor)
    }
    for name, instead in NEVER_CALLED[setting].items():
        if name in own:
            yield name, instead
