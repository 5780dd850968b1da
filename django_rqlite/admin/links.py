"""Addresses of the pages. They go by name, so that a bookmark stays true when settings change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from ..protocol.places import Place
from ..protocol.records import JobStatus
from .sources import Source
from .url_segments import LONGEST, segment

#: Where the id of a job with this status is.
PLACES: dict[str, Place] = {
    JobStatus.QUEUED: Place.QUEUED,
    JobStatus.STARTED: Place.STARTED,
    JobStatus.FINISHED: Place.FINISHED,
    JobStatus.FAILED: Place.FAILED,
    JobStatus.STOPPED: Place.FAILED,
    JobStatus.DEFERRED: Place.DEFERRED,
    JobStatus.SCHEDULED: Place.SCHEDULED,
    JobStatus.CANCELED: Place.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses within one admin site, of what is in one source.

    Attributes:
        site: name of the admin site.
        on: what the source is called, or None where there is only one.
    """

    site: str
    on: str | None = None

    @classmethod
    def to(cls, source: Source, site: str) -> Links:
        return cls(site, source.name if source.several else None)

    def queues(self) -> str:
        return reverse("admin:django_rqlite_queue_changelist", current_app=self.site)

    def jobs(self) -> str:
        return reverse("admin:django_rqlite_job_changelist", current_app=self.site)

    def workers(self) -> str:
        return reverse("admin:django_rqlite_worker_changelist", current_app=self.site)

    def schedule(self) -> str:
        """What comes next on all servers."""
        return reverse("admin:django_rqlite_queue_schedule", current_app=self.site)

    def queue(self, name: str, place: Place = Place.QUEUED, page: int = 1) -> str:
        """The jobs in one place of a queue; ``''`` where the name is too long for an address."""
        return self._to("queue_jobs", name, place.value, p=str(page) if page > 1 else None)

    def queue_action(self, name: str, place: Place) -> str:
        return self._to("queue_action", name, place.value)

    def queue_pause(self, name: str) -> str:
        return self._to("queue_pause", name)

    def queue_resume(self, name: str) -> str:
        return self._to("queue_resume", name)

    def cron_pause(self, entry: str) -> str:
        return self._to("cron_pause", entry)

    def cron_resume(self, entry: str) -> str:
        return self._to("cron_resume", entry)

    def cron_run_now(self, entry: str) -> str:
        return self._to("cron_run_now", entry)

    def job(self, job_id: str) -> str:
        """One job; ``''`` where the id is too long for an address."""
        return self._to("job_change", job_id)

    def job_requeue(self, job_id: str) -> str:
        return self._to("job_requeue", job_id)

    def job_cancel(self, job_id: str) -> str:
        return self._to("job_cancel", job_id)

    def job_run_now(self, job_id: str) -> str:
        return self._to("job_run_now", job_id)

    def job_stop(self, job_id: str) -> str:
        return self._to("job_stop", job_id)

    def job_copy(self, job_id: str) -> str:
        return self._to("job_copy", job_id)

    def jobs_action(self, query: str) -> str:
        """What is done to jobs that a search found; ``query`` is what :meth:`Wanted.query` says."""
        return self._at("jobs_action", []) + query

    def jobs_batch(self) -> str:
        """The next batch of what is done to all that match."""
        return self._at("jobs_batch", [])

    def job_delete(self, job_id: str) -> str:
        return self._to("job_delete", job_id)

    def worker(self, name: str) -> str:
        """One worker; ``''`` where the name is too long for an address."""
        return self._to("worker_change", name)

    def worker_shut_down(self, name: str) -> str:
        return self._to("worker_shut_down", name)

    def workers_suspend(self) -> str:
        """All workers of the source."""
        return self._at("workers_suspend", [])

    def workers_resume(self) -> str:
        """All workers of the source."""
        return self._at("workers_resume", [])

    def _to(self, page: str, name: str, *more: str, **query: str | None) -> str:
        if len(name) > LONGEST:
            return ""
        return self._at(page, [segment(name), *more], **query)

    def _at(self, page: str, args: Sequence[str], **query: str | None) -> str:
        path = reverse(f"admin:django_rqlite_{page}", args=args, current_app=self.site)
        given = {key: value for key, value in {"on": self.on, **query}.items() if value is not None}
        return f"{path}?{urlencode(given)}" if given else path
