"""Makes and parses the addresses of the pages.

Addresses contain names, so that a bookmark stays valid when settings change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from ..broker.servers import Server
from ..protocol.places import Place

#: Characters of the longest name that is linked: some servers refuse longer addresses.
MAX_NAME_LENGTH = 500

_ESCAPED = re.compile(rb"_([0-9A-Fa-f]{2})")


def segment(name: str) -> str:
    """A name or an id as one segment of a path: without slashes, not empty, not ``.`` or ``..``.

    Names in Redis may be any bytes: with slashes, with a question mark, not UTF-8. The form is that
    of :func:`django.contrib.admin.utils.quote` (``_XX`` for special characters), so that the links
    of Django's admin log work too. It also represents bytes that Django's function does not.
    """
    if not name:
        return "_"
    if name in (".", ".."):
        return "_2E" * len(name)
    return "".join(
        letter
        if letter.isalnum() or letter in "-."
        else "".join(f"_{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))
        for letter in name
    )


def from_segment(text: str) -> str:
    """The name of a segment: the reverse of :func:`segment`, for any text."""
    if text == "_":
        return ""
    stored = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode())
    return stored.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the pages about one server, within one admin site.

    Attributes:
        site: The name of the admin site.
        on: The queue that names the server; None if there is only one server.
    """

    site: str
    on: str | None = None

    @classmethod
    def to(cls, server: Server, site: str) -> Links:
        return cls(site, None if server.is_only else server.name)

    def queues(self) -> str:
        return reverse("admin:django_rqlite_queue_changelist", current_app=self.site)

    def jobs(self) -> str:
        return reverse("admin:django_rqlite_job_changelist", current_app=self.site)

    def workers(self) -> str:
        return reverse("admin:django_rqlite_worker_changelist", current_app=self.site)

    def schedule(self) -> str:
        """Scheduled jobs and cron entries of all servers."""
        return reverse("admin:django_rqlite_queue_schedule", current_app=self.site)

    def queue(self, name: str, place: Place = Place.QUEUED, page: int = 1) -> str:
        """The jobs in one place of a queue; ``''`` if the name is too long for a link."""
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
        """One job; ``''`` if the id is too long for a link."""
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
        """Where an action on found jobs is posted; ``query`` is ``JobFilters.query()``."""
        return self._at("jobs_action", []) + query

    def jobs_batch(self) -> str:
        """Where the next batch of an action on all matching jobs is posted."""
        return self._at("jobs_batch", [])

    def job_delete(self, job_id: str) -> str:
        return self._to("job_delete", job_id)

    def worker(self, name: str) -> str:
        """One worker; ``''`` if the name is too long for a link."""
        return self._to("worker_change", name)

    def worker_shut_down(self, name: str) -> str:
        return self._to("worker_shut_down", name)

    def workers_suspend(self) -> str:
        """Where all workers of the server are suspended."""
        return self._at("workers_suspend", [])

    def workers_resume(self) -> str:
        """Where all workers of the server are resumed."""
        return self._at("workers_resume", [])

    def _to(self, page: str, name: str, *more: str, **query: str | None) -> str:
        if len(name) > MAX_NAME_LENGTH:
            return ""
        return self._at(page, [segment(name), *more], **query)

    def _at(self, page: str, args: Sequence[str], **query: str | None) -> str:
        path = reverse(f"admin:django_rqlite_{page}", args=args, current_app=self.site)
        values = {"on": self.on, **query}
        known = {key: value for key, value in values.items() if value is not None}
        return f"{path}?{urlencode(known)}" if known else path
