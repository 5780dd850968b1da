"""The terms of a job: what its signature covers besides the call.

A worker imports and calls the callbacks that a job names, and retries and repeats decide how often
the job runs. These are the job's *terms*. They are signed together with the call. RQ's tools
rewrite some fields in another form. So the parsed values are signed, in one canonical form.

The counters ``retries_left`` and ``repeats_left`` go down with each run, so they cannot be signed.
Their first values are signed instead, and limit the counters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

#: The default timeout of a callback, in seconds (as in RQ).
DEFAULT_CALLBACK_TIMEOUT = 60


class HasTerms(Protocol):
    """A job's record."""

    @property
    def success_callback_name(self) -> str | None: ...
    @property
    def success_callback_timeout(self) -> int | None: ...
    @property
    def failure_callback_name(self) -> str | None: ...
    @property
    def failure_callback_timeout(self) -> int | None: ...
    @property
    def stopped_callback_name(self) -> str | None: ...
    @property
    def stopped_callback_timeout(self) -> int | None: ...
    @property
    def retries_left(self) -> int | None: ...
    @property
    def retries_max(self) -> int | None: ...
    @property
    def retry_intervals(self) -> Sequence[int] | None: ...
    @property
    def enqueue_at_front_on_retry(self) -> bool: ...
    @property
    def retry_extras(self) -> str | None: ...
    @property
    def repeats_left(self) -> int | None: ...
    @property
    def repeats_max(self) -> int | None: ...
    @property
    def repeat_intervals(self) -> Sequence[int] | None: ...
    @property
    def cron_entry(self) -> str | None: ...


def terms_of(job: HasTerms) -> bytes:
    """Return the canonical form of a job's terms; ``b''`` if it has none, as most jobs."""
    called = job.success_callback_name or job.failure_callback_name or job.stopped_callback_name
    # A counter without its first value has no effect when it has reached 0.
    retried = job.retries_max is not None or (job.retries_left or 0) > 0
    repeated = job.repeats_max is not None or (job.repeats_left or 0) > 0
    if not (called or retried or repeated or job.cron_entry):
        return b""
    terms: dict[str, Any] = {}
    for end, name, timeout in (
        ("success", job.success_callback_name, job.success_callback_timeout),
        ("failure", job.failure_callback_name, job.failure_callback_timeout),
        ("stopped", job.stopped_callback_name, job.stopped_callback_timeout),
    ):
        if name:
            terms[end] = [name, timeout or DEFAULT_CALLBACK_TIMEOUT]
    if retried:
        terms["retry"] = [
            job.retries_max,
            list(job.retry_intervals or [0]),
            bool(job.enqueue_at_front_on_retry),
            job.retry_extras or "",
        ]
    if repeated:
        terms["repeat"] = [job.repeats_max, list(job.repeat_intervals or [0])]
    if job.cron_entry:
        terms["cron"] = job.cron_entry
    return json.dumps(terms, separators=(",", ":")).encode()
