"""Classes of RQ and django-rq that callers and commands name, and ours that do the same.

Only the names are known here: RQ is not imported. In settings they are refused: who changes those
for django_rqlite can write what is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

_T = TypeVar("_T")

_WORKERS = ("Worker", "SimpleWorker", "SpawnWorker", "HerokuWorker", "RoundRobinWorker")

#: Ours, by the dotted paths of theirs.
OURS: Mapping[str, str] = {
    **{
        f"{module}.{name}": f"django_rqlite.worker.{name}"
        for module in ("rq", "rq.worker", "rq.worker.worker_classes", "django_rq.workers")
        for name in (*_WORKERS, "RandomWorker")
    },
    **dict.fromkeys(
        ("rq.Queue", "rq.queue.Queue", "django_rq.queues.DjangoRQ", "django_rq.queues.Queue"),
        "django_rqlite.queues.Queue",
    ),
    **dict.fromkeys(("rq.job.Job", "django_rq.jobs.Job"), "django_rqlite.jobs.Job"),
}


def translate_path(given: _T) -> _T | str:
    """What stands in for a class that was given by its path; all else as it is."""
    return OURS.get(given, given) if isinstance(given, str) else given
