"""The jobs that a job waits for, and those that wait for it."""

from __future__ import annotations

from typing import Self

from ..protocol import codec
from ..protocol.records import JobStatus
from .stored_job import StoredJob


class JobDependencies(StoredJob):
    """A job with its dependencies and its dependents."""

    def fetch_dependencies(self) -> list[Self]:
        """Return the jobs that this job was enqueued to wait for and that still exist."""
        found = self.fetch_many(self.dependency_ids, self.connection, self._serializer)
        return [job for job in found if job is not None]

    def dependencies_are_met(self) -> bool:
        """Return whether the jobs that this job waits for have finished.

        Jobs that no longer exist count as finished. With ``allow_dependency_failures``, so do
        failed, stopped and canceled ones.
        """
        ended = {JobStatus.FINISHED}
        if self.allow_dependency_failures:
            ended |= {JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED}
        return all(parent._record.status in ended for parent in self.fetch_dependencies())

    @property
    def dependency(self) -> Self | None:
        """The first of :meth:`fetch_dependencies`, or None if that finds no job."""
        found = self.fetch_dependencies()
        return found[0] if found else None

    @property
    def dependent_ids(self) -> list[str]:
        """Ids of the jobs that wait for this one."""
        members = self._ask(lambda broker: broker.client.smembers(broker.keys.dependents(self.id)))
        return sorted(map(codec.text, members))
