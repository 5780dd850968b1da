"""Whether a worker that has a record is probably dead all the same."""

from __future__ import annotations

from datetime import datetime

from ... import conf
from ...exceptions import ConfigurationError
from ...protocol.records import WorkerRecord

#: Seconds after which a worker of RQ that has not been heard of is given up: its record lives for
#: ``worker_ttl`` (420) and a minute after each heartbeat (rq/worker/base.py).
RQ_SILENCE = 420 + 60


def silent(record: WorkerRecord, now: datetime) -> bool:
    """Whether nothing was heard of the worker for so long that it is probably dead.

    Who has taken leave is not silent.
    """
    if record.death:
        return False
    if record.last_heartbeat is None:
        return True
    seconds: float = RQ_SILENCE
    if record.version.startswith("django_rqlite"):
        try:
            seconds = 2 * conf.lease()
        except ConfigurationError:
            seconds = 2 * conf.DEFAULT_LEASE
    return (now - record.last_heartbeat).total_seconds() > seconds
