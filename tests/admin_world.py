"""Jobs and workers for the tests of the admin, which the engine puts into Redis."""

from __future__ import annotations

import pickle
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from django_rqlite.admin.links import segment
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.cron import Announcement
from django_rqlite.engine.engine import Engine, NextClaim
from django_rqlite.protocol import codec
from django_rqlite.protocol.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    import redis

WORKER = "host-1.4711"
TRACEBACK = """Traceback (most recent call last):
  File "shop/jobs.py", line 41, in send
    raise ValueError("no such customer")
ValueError: no such customer
"""


class World:
    """The data below one prefix of a server."""

    def __init__(self, connection: redis.Redis, prefix: str = "rq:") -> None:
        self.redis = connection
        self.keys = Keys(prefix)
        self.engine = Engine(Broker(connection, self.keys.prefix))

    def queued(
        self,
        queue: str = "default",
        job_id: str | None = None,
        call: Any = ("shop.jobs.send", None, ("bob",), {"copies": 2}),
        fields: Mapping[str, bytes | str] | None = None,
    ) -> str:
        job_id = job_id or str(uuid.uuid4())
        written = {
            "origin": queue,
            "created_at": "2026-01-02T03:04:05Z",
            "description": "shop.jobs.send('bob', copies=2)",
            "data": codec.compress(call if isinstance(call, bytes) else pickle.dumps(call)),
            "timeout": "180",
            **(fields or {}),
        }
        self.engine.enqueue(job_id, queue, written, minted=False)
        return job_id

    def started(self, queue: str = "default", job_id: str | None = None) -> str:
        self.engine.connection.delete(self.keys.queue(queue))
        job_id = self.queued(queue, job_id)
        self._claim(queue)
        return job_id

    def finished(
        self, queue: str = "default", job_id: str | None = None, result: Any = None
    ) -> str:
        job_id = self.queued(queue, job_id)
        stored = b"" if result is None else pickle.dumps(result)
        self.engine.finish(
            WORKER,
            self._claim(queue),
            worker_name=WORKER,
            result_ttl=5000,
            result=stored,
            signature="",
            encoded_result=codec.base64_payload(stored),
        )
        return job_id

    def failed(
        self,
        queue: str = "default",
        job_id: str | None = None,
        reason: str = TRACEBACK,
        **given: Any,
    ) -> str:
        job_id = self.queued(queue, job_id, **given)
        self.engine.fail(
            WORKER,
            self._claim(queue),
            worker_name=WORKER,
            failure_ttl=-1,
            reason=reason,
            encoded_reason=codec.base64_traceback(reason),
            headline=reason.strip().splitlines()[-1],
        )
        return job_id

    def worker(self, name: str = WORKER, *queues: str, **fields: str) -> str:
        written = {"queues": ",".join(queues or ("default",)), "version": "django_rqlite 0.1"}
        self.engine.register_worker(
            name,
            queues or ("default",),
            {**written, **fields},
            hostname="host-1",
            pid=4711,
            ttl=1000,
            silence=60,
        )
        return name

    def cron(self, name: str, next_tick: int = 4_102_444_800) -> str:
        entry = Announcement(name, "every 60 s", "low", "shop.jobs.send", "settings", next_tick)
        Engine(Broker(self.redis, self.keys.prefix)).cron_announce([entry])
        return name

    def status(self, job_id: str) -> str | None:
        stored = self.redis.hget(self.keys.job(job_id), "status")
        return stored.decode() if isinstance(stored, bytes) else None

    def _claim(self, queue: str) -> Any:
        hold = self.engine.claim(WORKER, NextClaim(uuid.uuid4().hex, [queue], 60)).hold
        assert hold
        return hold


def queue_page(name: str, place: str = "queued", **query: object) -> str:
    return _address("queue_jobs", segment(name), place, **query)


def queue_action(name: str, place: str, **query: object) -> str:
    return _address("queue_action", segment(name), place, **query)


def job_page(job_id: str, **query: object) -> str:
    return _address("job_change", segment(job_id), **query)


def job_requeue(job_id: str) -> str:
    return _address("job_requeue", segment(job_id))


def job_cancel(job_id: str) -> str:
    return _address("job_cancel", segment(job_id))


def job_run_now(job_id: str) -> str:
    return _address("job_run_now", segment(job_id))


def job_copy(job_id: str) -> str:
    return _address("job_copy", segment(job_id))


def job_stop(job_id: str) -> str:
    return _address("job_stop", segment(job_id))


def queue_pause(name: str) -> str:
    return _address("queue_pause", segment(name))


def queue_resume(name: str) -> str:
    return _address("queue_resume", segment(name))


def cron_pause(entry: str, **query: object) -> str:
    return _address("cron_pause", segment(entry), **query)


def cron_resume(entry: str, **query: object) -> str:
    return _address("cron_resume", segment(entry), **query)


def cron_run_now(entry: str, **query: object) -> str:
    return _address("cron_run_now", segment(entry), **query)


def worker_shut_down(name: str) -> str:
    return _address("worker_shut_down", segment(name))


def workers_suspend(**query: object) -> str:
    return _address("workers_suspend", **query)


def workers_resume(**query: object) -> str:
    return _address("workers_resume", **query)


def job_delete(job_id: str) -> str:
    return _address("job_delete", segment(job_id))


def worker_page(name: str, **query: object) -> str:
    return _address("worker_change", segment(name), **query)


QUEUES = "/admin/django_rqlite/queue/"
SCHEDULE = "/admin/django_rqlite/queue/_schedule/"
JOBS = "/admin/django_rqlite/job/"
JOBS_ACTION = f"{JOBS}_all/action/"
JOBS_BATCH = f"{JOBS}_all/batch/"
WORKERS = "/admin/django_rqlite/worker/"


def _address(page: str, *args: str, **query: object) -> str:
    path = reverse(f"admin:django_rqlite_{page}", args=args)
    return f"{path}?{urlencode(query)}" if query else path
