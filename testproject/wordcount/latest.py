"""The latest jobs of a visitor, kept in the session."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from django_rqlite import get_queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.sessions.backends.base import SessionBase

    from django_rqlite import Job

MAX_JOBS = 10
SESSION_KEY = "latest_jobs"
ENDED = ("finished", "failed", "stopped", "canceled")


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What the session keeps of a job. The state of the job is in Redis."""

    job_id: str
    queue: str
    title: str
    unit: str = ""

    def look_up(self) -> JobState:
        """Return the present state of the job."""
        job = get_queue(self.queue).fetch_job(self.job_id)
        if job is None:
            return JobState(self, "gone", ended=True, outcome="no longer in Redis")
        # Not refreshed, so that status and outcome are of the same moment.
        status = str(job.get_status(refresh=False))
        return JobState(self, status, ended=status in ENDED, outcome=self._outcome(job, status))

    def _outcome(self, job: Job, status: str) -> str:
        if status == "finished":
            return f"{job.return_value()} {self.unit}".strip()
        if status == "failed":
            # The last line of the traceback has the exception. The admin shows all of it.
            return (job.exc_info or "").strip().rpartition("\n")[2]
        return ""


@dataclass(frozen=True, slots=True)
class JobState:
    """One row of the table; also the answer to the page's script."""

    enqueued: Enqueued
    status: str
    ended: bool
    outcome: str

    @property
    def status_url(self) -> str:
        """The address that answers with the present state."""
        return reverse("status", args=[self.enqueued.job_id])

    def as_json(self) -> dict[str, Any]:
        """Return the values that the page's script shows."""
        return {
            "id": self.enqueued.job_id,
            "status": self.status,
            "ended": self.ended,
            "outcome": self.outcome,
        }


def remember(session: SessionBase, enqueued: Enqueued) -> None:
    """Add a job as the first; drop the oldest beyond :data:`MAX_JOBS`."""
    session[SESSION_KEY] = [asdict(enqueued), *session.get(SESSION_KEY, [])][:MAX_JOBS]


def remembered(session: SessionBase) -> Iterator[Enqueued]:
    """Yield the jobs of this visitor, the newest first."""
    for entry in session.get(SESSION_KEY, []):
        yield Enqueued(**entry)
