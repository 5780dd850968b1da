"""After a storm: whether every job has ended, once, and ran again only where it had to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis as redis_py

from tests.chaos.jobs import runs
from tests.chaos.looking import look, misplaced

#: What ``exc_info`` says where a job's process, or its fourth worker, was killed.
PROCESS_KILLED = "was killed by SIGKILL"
WORKERS_KILLED = "died while it ran the job for the 4th time"
FAILED_BY_ITSELF = "is one that fails"

#: How often a job may lose its worker.
MOST_CRASHES = 3

#: Retries of a job of the kind "retried", and repeats of one of the kind "repeated".
RETRIES, REPEATS = 3, 2


@dataclass(frozen=True, slots=True)
class Planned:
    """A job of the storm.

    Attributes:
        parents: ids of the jobs that it depends on.
        failures: how many of its first runs raise.
    """

    job_id: str
    kind: str
    parents: tuple[str, ...] = ()
    allow_failure: bool = False
    failures: int = 0


@dataclass
class Examined:
    """What was found."""

    problems: list[str] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)


def examine(
    redis: redis_py.Redis,
    queues: Sequence[str],
    planned: Sequence[Planned],
    folder: Path,
    *,
    killed_workers: Collection[int],
    killed_jobs: Collection[int],
) -> Examined:
    """See what has become of the jobs.

    Args:
        folder: where the jobs have noted their runs.
        killed_workers, killed_jobs: process ids.
    """
    examined = Examined()
    found = look(redis, queues)
    ids = [job.job_id for job in planned]
    examined.numbers["jobs"] = len(ids)
    examined.numbers["lost"] = sum(not found.get(job_id) for job_id in ids)
    examined.numbers["in two places"] = sum(len(places) > 1 for places in found.values())
    examined.problems += misplaced(found, {*ids, *found})
    hashes = {job_id: _text(redis.hgetall(f"rq:job:{job_id}")) for job_id in ids}
    for job in planned:
        fields = hashes[job.job_id]
        outcomes = [
            _text(entry)["execution_id"] for _, entry in redis.xrange(f"rq:results:{job.job_id}")
        ]
        says = _Case(job, fields, outcomes, found.get(job.job_id, []), examined)
        says.place()
        says.reason(hashes, killed_jobs)
        says.runs(folder, killed_workers)
    mirrored = Counter(member.decode() for member in redis.lrange("rq:queue:failed", 0, -1))
    if mirrored != Counter(job_id for job_id in ids if hashes[job_id].get("status") == "failed"):
        examined.problems.append("the mirror of failed jobs is not what has failed")
    left = [key.decode() for key in redis.scan_iter("rq:execution*", count=1000)]
    if left:
        examined.problems.append(f"executions were left behind: {left}")
    return examined


@dataclass
class _Case:
    """One job, and what there is to say about it."""

    job: Planned
    fields: Mapping[str, str]
    #: Executions whose outcomes were stored.
    outcomes: Sequence[str]
    places: Sequence[str]
    examined: Examined

    def _wrong(self, what: str) -> None:
        self.examined.problems.append(
            f"{self.job.kind} job {self.job.job_id} {what} ({dict(self.fields)})"
        )

    @property
    def _status(self) -> str:
        return self.fields.get("status", "gone")

    @property
    def _crashes(self) -> int:
        return int(self.fields.get("x_crashes", 0))

    def place(self) -> None:
        """It stands where its status says."""
        self.examined.numbers[f"ended {self._status}"] += 1
        if self.places != [f"{self._status}:{self.fields.get('origin')}"]:
            self._wrong(f"is {self._status}, but stands in {self.places}")

    def reason(self, hashes: Mapping[str, Mapping[str, str]], killed_jobs: Collection[int]) -> None:
        """It has ended as it should have, or for a kill of ours."""
        said = self.fields.get("exc_info", "")
        bad = [parent for parent in self.job.parents if hashes[parent].get("status") != "finished"]
        if self._status == "canceled":
            if not bad or self.job.allow_failure or "which it depends on" not in said:
                self._wrong(f"was canceled although only {bad} ended badly")
        elif bad and not self.job.allow_failure:
            self._wrong(f"was not canceled although {bad} ended badly")
        if self._status != "failed":
            if self._status == "finished" and self.job.kind == "failing":
                self._wrong("should have failed")
            return
        if PROCESS_KILLED in said and killed_jobs:
            self.examined.numbers["failed since their processes were killed"] += 1
        elif WORKERS_KILLED in said and self._crashes == MOST_CRASHES:
            self.examined.numbers["failed since four of their workers were killed"] += 1
        elif not (FAILED_BY_ITSELF in said and self.job.failures):
            self._wrong("failed for a reason that is not ours")

    def runs(self, folder: Path, killed_workers: Collection[int]) -> None:
        """A run has an outcome, or its worker was killed; and there are no more runs than due."""
        begun = runs(folder, self.job.job_id)
        self.examined.numbers["runs"] += len(begun)
        executions = [run.execution for run in begun]
        if len(set(executions)) != len(executions):
            self._wrong(f"ran twice in one execution: {begun}")
        unstored = [run for run in begun if run.execution not in self.outcomes]
        self.examined.numbers["runs whose workers were killed"] += len(unstored)
        for run in unstored:
            if run.worker not in killed_workers:
                self._wrong(f"has no outcome of a run whose worker was not killed: {run}")
        if len(unstored) > self._crashes:
            self._wrong(f"lost {len(unstored)} runs, but {self._crashes} were counted")
        if len(set(self.outcomes)) != len(self.outcomes):
            self._wrong(f"has two outcomes of one execution: {self.outcomes}")
        due = {"retried": 1 + RETRIES, "repeated": 1 + REPEATS}.get(self.job.kind, 1)
        if self._status == "canceled":
            due = 0
        if len(self.outcomes) > due:
            self._wrong(f"has {len(self.outcomes)} outcomes, and {due} were due")
        if self._status == "finished" and not begun:
            self._wrong("has finished without a run")


def _text(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {
        name.decode(): value.decode("utf-8", "replace")
        for name, value in fields.items()
        if name != b"data"
    }
