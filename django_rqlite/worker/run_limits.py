"""When one call of ``Worker.work()`` ends by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class RunLimits:
    """The limits of one call of ``Worker.work()``, and how much of them is left.

    Attributes:
        burst: Whether it ends when no job is left.
        jobs_left: How many jobs it may still take; None: any number.
        max_idle_time: Seconds without a job after which it ends; None: never.
        took_jobs: Whether it has taken a job.
    """

    burst: bool
    jobs_left: int | None
    max_idle_time: float | None
    took_jobs: bool = False

    @property
    def reached(self) -> bool:
        """Whether it may not take another job."""
        return self.jobs_left == 0

    def count_job(self) -> None:
        """Note that it has taken a job."""
        self.took_jobs = True
        if self.jobs_left is not None:
            self.jobs_left -= 1
