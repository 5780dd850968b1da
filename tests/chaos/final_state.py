"""Checks after a storm: every job has ended once, and has run again only after a kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis as redis_py

from tests.chaos.jobs import RAISED, runs
from tests.chaos.places import misplaced, read_places

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
class Findings:
    """The problems that were found, and counts of jobs by what has become of them."""

    problems: list[str] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)


def check_final_state(
    redis: redis_py.Redis,
    queues: Sequence[str],
    planned: Sequence[Planned],
    folder: Path,
    *,
    killed_workers: Collection[int],
    killed_jobs: Collection[int],
) -> Findings:
    """Check that each job has ended as planned, or in a way that the kills explain.

    Args:
        folder: of the files in which the jobs record their runs.
        killed_workers: process ids.
        killed_jobs: process ids.
    """
    findings = Findings()
    found = read_places(redis, queues)
    ids = [job.job_id for job in planned]
    findings.numbers["jobs"] = len(ids)
    findings.numbers["lost"] = sum(not found.get(job_id) for job_id in ids)
    findings.numbers["in two places"] = sum(len(places) > 1 for places in found.values())
    findings.problems += misplaced(found, {*ids, *found})
    hashes = {job_id: _text(redis.hgetall(f"rq:job:{job_id}")) for job_id in ids}
    for job in planned:
        fields = hashes[job.job_id]
        outcomes = [
            _text(entry)["execution_id"] for _, entry in redis.xrange(f"rq:results:{job.job_id}")
        ]
        check = _JobCheck(job, fields, outcomes, found.get(job.job_id, []), findings)
        check.place()
        check.reason(hashes, killed_jobs)
        check.runs(folder, killed_workers)
    mirrored = Counter(member.decode() for member in redis.lrange("rq:queue:failed", 0, -1))
    if mirrored != Counter(job_id for job_id in ids if hashes[job_id].get("status") == "failed"):
        findings.problems.append("the mirror of failed jobs is not what has failed")
    left = [key.decode() for key in redis.scan_iter("rq:execution*", count=1000)]
    if left:
        findings.problems.append(f"executions were left behind: {left}")
    return findings


@dataclass
class _JobCheck:
    """The checks of one job."""

    job: Planned
    fields: Mapping[str, str]
    #: Ids of the executions whose outcomes were stored.
    outcomes: Sequence[str]
    places: Sequence[str]
    findings: Findings

    def _wrong(self, what: str) -> None:
        self.findings.problems.append(
            f"{self.job.kind} job {self.job.job_id} {what} ({dict(self.fields)})"
        )

    @property
    def _status(self) -> str:
        return self.fields.get("status", "gone")

    @property
    def _crashes(self) -> int:
        return int(self.fields.get("x_crashes", 0))

    def place(self) -> None:
        """The job is in the registry of its status."""
        self.findings.numbers[f"ended {self._status}"] += 1
        if self.places != [f"{self._status}:{self.fields.get('origin')}"]:
            self._wrong(f"is {self._status}, but is in {self.places}")

    def reason(self, hashes: Mapping[str, Mapping[str, str]], killed_jobs: Collection[int]) -> None:
        """The job has ended as planned, or because of a kill."""
        said = self.fields.get("exc_info", "")
        bad = [parent for parent in self.job.parents if hashes[parent].get("status") != "finished"]
        if self._status == "canceled":
            if self.job.allow_failure or not any(parent in said for parent in bad):
                self._wrong(f"was canceled although only {bad} ended badly")
        elif bad and not self.job.allow_failure:
            self._wrong(f"was not canceled although {bad} ended badly")
        if self._status != "failed":
            if self._status == "finished" and self.job.kind == "failing":
                self._wrong("should have failed")
            return
        if "SIGKILL" in said and killed_jobs:
            self.findings.numbers["failed since their processes were killed"] += 1
        elif "died" in said and self._crashes == MOST_CRASHES:
            self.findings.numbers["failed since four of their workers were killed"] += 1
        elif not (RAISED in said and self.job.failures):
            self._wrong("failed for a reason that no kill explains")

    def runs(self, folder: Path, killed_workers: Collection[int]) -> None:
        """Each run has an outcome unless its worker was killed, and no run is superfluous."""
        begun = runs(folder, self.job.job_id)
        self.findings.numbers["runs"] += len(begun)
        executions = [run.execution for run in begun]
        if len(set(executions)) != len(executions):
            self._wrong(f"ran twice in one execution: {begun}")
        unstored = [run for run in begun if run.execution not in self.outcomes]
        self.findings.numbers["runs whose workers were killed"] += len(unstored)
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
