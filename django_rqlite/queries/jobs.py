"""Queries about jobs: everything about one job, or a page of jobs."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from ..protocol import codec
from ..protocol.codec import decode
from ..protocol.places import NEWEST_FIRST, Place, job_id_of, place_key
from ..protocol.problems import Problem
from ..protocol.records import JobRecord, JobStatus, read_job
from ..protocol.stored_result import ResultRecord, read_result
from . import limits
from .base import QueriesBase
from .pipeline import Command, members
from .snapshots import JobDetail, Page, Parents, Row

#: What RQ stores as ``exc_info`` when it requeues a job. RQ does not know ``x_error``, which then
#: still names the error of the last failure.
EMPTIED_TRACEBACK = zlib.compress(b"")

#: The fields that a list of jobs shows. Serialized values can be of any size, so they are not read.
_SUMMARY = (
    *("origin", "status", "created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
    *("description", "timeout", "result_ttl", "failure_ttl", "ttl", "worker_name", "x_error"),
    *("x_created", "x_enqueued", "x_span"),
    *("retries_left", "x_attempts"),
)

#: The fields that are shown of a parent or a child of another job.
_BRIEF = ("status", "description")


class JobQueries(QueriesBase):
    """Queries about jobs."""

    __slots__ = ()

    def page(self, queue: str, place: Place, offset: int, limit: int) -> Page:
        """A slice of a place, with the jobs of its ids. Two round trips; four for deferred jobs.

        Queued jobs come in the order in which they will run, scheduled jobs by their time, and
        ended jobs latest first.
        """
        key, last = place_key(self.keys, queue, place), offset + limit - 1
        if place is Place.QUEUED:
            commands: list[Command] = [("LLEN", key), ("LRANGE", key, offset, last)]
        else:
            range_command = "ZREVRANGE" if place in NEWEST_FIRST else "ZRANGE"
            commands = [("ZCARD", key), (range_command, key, offset, last, "WITHSCORES")]
        total, entries = self._execute(commands)
        if isinstance(total, Exception):
            return Page(0, ())
        ids: list[str] = []
        scores: list[float | None] = []
        for entry in members(entries):
            # A sorted set answers pairs, a list bare ids.
            member, score = entry if isinstance(entry, tuple | list) else (entry, None)
            name = decode(member)
            ids.append(job_id_of(name) if place is Place.STARTED else name)
            scores.append(None if score is None else float(score))
        rows = self._rows(place, ids, scores)
        if place is Place.DEFERRED:
            rows = [
                replace(row, parents=parents)
                for row, parents in zip(rows, self.parents(ids), strict=True)
            ]
        return Page(int(total), rows)

    def jobs(self, job_ids: Sequence[str]) -> list[JobRecord | None]:
        """Summaries of these jobs, as in :class:`.Row`; None without a hash. One round trip."""
        return [row.job for row in self._rows(None, job_ids, [None] * len(job_ids))]

    def job(self, job_id: str) -> JobDetail | None:
        """Everything about one job; None if it has no hash.

        One round trip, plus one for a scheduled job and one for a job with parents or children.
        """
        keys = self.keys
        fields, entries, expires, lines, dependents, count = self._execute(
            [
                ("HGETALL", keys.job(job_id)),
                ("XREVRANGE", keys.results(job_id), "+", "-", "COUNT", limits.RESULTS_SHOWN),
                ("TTL", keys.job(job_id)),
                ("LRANGE", keys.job_log(job_id), -limits.LOG_SHOWN, -1),
                ("SRANDMEMBER", keys.dependents(job_id), limits.DEPENDENTS_SHOWN),
                ("SCARD", keys.dependents(job_id)),
            ],
        )
        if isinstance(fields, Exception):
            job = _unreadable(job_id, fields)
        elif fields:
            if len(fields.get(b"exc_info", b"")) == len(EMPTIED_TRACEBACK):
                fields.pop(b"x_error", None)
            job = read_job(job_id, fields)
        else:
            return None
        children = [*map(decode, members(dependents))]
        return JobDetail(
            job,
            results=_read_results(job_id, entries, codec.Room(codec.SHOWN_TOGETHER)),
            expires_in=int(expires) if isinstance(expires, int) and expires >= 0 else None,
            log=[*map(decode, members(lines))],
            dependents=children,
            dependent_count=count if isinstance(count, int) else 0,
            due=self._due(job) if job.status == JobStatus.SCHEDULED else None,
            relatives=self._brief({*job.dependency_ids[: limits.DEPENDENTS_SHOWN], *children}),
        )

    def parents(self, job_ids: Sequence[str]) -> list[Parents]:
        """The jobs that each of these deferred jobs waits for. At most two round trips."""
        commands: list[Command] = []
        for job_id in job_ids:
            key = self.keys.dependencies(job_id)
            # SSCAN returns the same few members each time; SRANDMEMBER would not.
            commands += [("SSCAN", key, 0, "COUNT", limits.PARENTS_IN_LIST), ("SCARD", key)]
        answers = self._execute(commands)
        some = [
            sorted(map(decode, members(scan[1])))[: limits.PARENTS_IN_LIST]
            if isinstance(scan, tuple)
            else []
            for scan in answers[::2]
        ]
        brief = self._brief({parent for parents in some for parent in parents})
        return [
            Parents(
                [(parent, brief.get(parent)) for parent in parents],
                count if isinstance(count, int) else 0,
            )
            for parents, count in zip(some, answers[1::2], strict=True)
        ]

    def _due(self, job: JobRecord) -> float | None:
        """Unix seconds at which a job is due, or None if it is not scheduled. One round trip."""
        (score,) = self._execute([("ZSCORE", self.keys.scheduled(job.origin), job.id)])
        return float(score) if isinstance(score, int | float | bytes) else None

    def _brief(self, job_ids: Collection[str]) -> dict[str, JobRecord]:
        """Status and description of these jobs. One round trip; none without ids."""
        ids = sorted(job_ids)
        found = {}
        answers = self._execute([("HMGET", self.keys.job(job_id), *_BRIEF) for job_id in ids])
        for job_id, answer in zip(ids, answers, strict=True):
            values = zip(_BRIEF, members(answer), strict=False)
            fields = {name.encode(): value for name, value in values if value is not None}
            if fields:
                found[job_id] = read_job(job_id, fields)
        return found

    def _rows(
        self, place: Place | None, ids: Sequence[str], scores: Sequence[float | None]
    ) -> Sequence[Row]:
        """The jobs with these ids. One round trip; none without ids."""
        per_row = 5 if place is Place.FAILED else 3
        commands: list[Command] = []
        for job_id in ids:
            key = self.keys.job(job_id)
            commands.append(("HMGET", key, *_SUMMARY))
            commands.append(("HSTRLEN", key, "data"))
            commands.append(("EXISTS", key))
            if place is Place.FAILED:
                # RQ 2 keeps the error only in the stream of results.
                commands.append(("XREVRANGE", self.keys.results(job_id), "+", "-", "COUNT", 1))
                commands.append(("HSTRLEN", key, "exc_info"))
        answers = self._execute(commands)
        rows, room = [], codec.Room(codec.SHOWN_TOGETHER)
        for number, (job_id, score) in enumerate(zip(ids, scores, strict=True)):
            values, data, exists, *last = answers[number * per_row : (number + 1) * per_row]
            job: JobRecord | None
            if isinstance(values, Exception):
                job = _unreadable(job_id, values)
            elif exists == 0:
                job = None
            else:
                fields = {
                    name.encode(): value
                    for name, value in zip(_SUMMARY, members(values), strict=True)
                    if value is not None
                }
                if isinstance(data, int) and data > 0:
                    fields[b"data"] = b""
                if last and last[1] == len(EMPTIED_TRACEBACK):
                    fields.pop(b"x_error", None)
                job = read_job(job_id, fields)
            results: Sequence[ResultRecord] = ()
            if last and job and not job.error:
                results = _read_results(job_id, last[0], room)
            rows.append(Row(job_id, job, score, results[0] if results else None))
        return rows


def _read_results(job_id: str, entries: Any, room: codec.Room) -> Sequence[ResultRecord]:
    return [read_result(job_id, entry, values or {}, room) for entry, values in members(entries)]


def _unreadable(job_id: str, error: Exception) -> JobRecord:
    """The record of a key that is not a hash."""
    problem = Problem("its key can't be read: %(error)s", error=error)
    return replace(read_job(job_id, {}), problems=(problem,))
