"""Which workers are probably dead although they still have a record."""

from __future__ import annotations

from datetime import datetime

from ... import conf
from ...exceptions import ConfigurationError
from ...protocol.stored_worker import WorkerRecord

#: Seconds without a heartbeat after which a worker of RQ counts as dead: its record expires
#: ``worker_ttl`` (420) and a minute after each heartbeat (rq/worker/base.py).
RQ_MAX_SILENCE = 420 + 60


def is_silent(record: WorkerRecord, now: datetime) -> bool:
    """Whether the last heartbeat is so old that the worker is probably dead.

    A worker that has ended properly is not silent.
    """
    if record.death:
        return False
    if record.last_heartbeat is None:
        return True
    limit: float = RQ_MAX_SILENCE
    if record.version.startswith("django_rqlite"):
        try:
            limit = 2 * conf.lease()
        except ConfigurationError:
            limit = 2 * conf.DEFAULT_LEASE
    return (now - record.last_heartbeat).total_seconds() > limit
