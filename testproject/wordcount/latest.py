"""The jobs that this visitor enqueued lately, remembered in the session."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from django_rqlite import get_queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.sessions.backends.base import SessionBase

    from django_rqlite import Job

KEPT = 10
SESSION_KEY = "latest_jobs"
ENDED = ("finished", "failed", "stopped", "canceled")


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What is remembered of a job. Its state is Redis's to tell."""

    job_id: str
    queue: str
    title: str
    unit: str = ""

    def look_up(self) -> JobState:
        """The job as it stands now."""
        job = get_queue(self.queue).fetch_job(self.job_id)
        if job is None:
            return JobState(self, "gone", ended=True, outcome="no longer in Redis")
        # As of the moment it was fetched, so that state and outcome belong together.
        status = str(job.get_status(refresh=False))
        return JobState(self, status, ended=status in ENDED, outcome=self._outcome(job, status))

    def _outcome(self, job: Job, status: str) -> str:
        if status == "finished":
            return f"{job.return_value()} {self.unit}".strip()
        if status == "failed":
            # A traceback's last line names the exception; the admin shows all of it.
            return (job.exc_info or "").strip().rpartition("\n")[2]
        return ""


@dataclass(frozen=True, slots=True)
class JobState:
    """One row of the table, and the body of one answer to its script."""

    enqueued: Enqueued
    status: str
    ended: bool
    outcome: str

    @property
    def status_url(self) -> str:
        """Where to ask for this again."""
        return reverse("status", args=[self.enqueued.job_id])

    def as_json(self) -> dict[str, Any]:
        """What the page's script needs."""
        return {
            "id": self.enqueued.job_id,
            "status": self.status,
            "ended": self.ended,
            "outcome": self.outcome,
        }


def remember(session: SessionBase, enqueued: Enqueued) -> None:
    """Put a job in front of the others; the oldest beyond :data:`KEPT` is forgotten."""
    session[SESSION_KEY] = [asdict(enqueued), *session.get(SESSION_KEY, [])][:KEPT]


def remembered(session: SessionBase) -> Iterator[Enqueued]:
    """The jobs of this visitor, the newest first."""
    for entry in session.get(SESSION_KEY, []):
        yield Enqueued(**entry)
