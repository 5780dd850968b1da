"""One job: its state, call, times, relations, log and executions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ...protocol import codec
from ...protocol.places import Place
from ...protocol.records import JobRecord, JobStatus
from ...protocol.stored_result import ResultRecord
from .. import formatting, labels
from ..actions.job_operations import ACTIONS
from ..filters import JobFilters
from ..formatting import shortened
from ..frame import breadcrumbs_to_job, may, render
from ..job_progress import percent_done
from ..labels import PLACE_OF_STATUS
from ..links import Links, from_segment
from ..payloads import MAX_VALUE_LENGTH, Value, format_call, format_value
from ..relations import relations
from ..retries import UNFINISHED_PLACES, retries_left
from ..run_duration import attempt_seconds, run_seconds, wait_seconds
from ..servers import address_of, find_job
from ..timeline import timeline

#: Tags that are shown. Other tools can write any number of them.
MAX_TAGS = 50


def format_duration(seconds: float | None) -> str:
    """A duration as text; ``''`` if it is not known."""
    if seconds is None:
        return ""
    # The hash of a job has whole seconds.
    return formatting.duration(seconds) if seconds else _("< 1 s")


def error_of(job: JobRecord, results: Sequence[ResultRecord]) -> str:
    """The line that names the last error of a job."""
    if job.error:
        return job.error
    return formatting.last_line(job.exc_info or (results[0].exc_string if results else ""))


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of the job, and the address of the search for it."""

    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution that has ended."""

    record: ResultRecord
    outcome: str
    failed: bool
    took: str
    returned: Value | None
    traceback: str
    headline: str


def index(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """One job. At most three round trips, and one more for each server that is asked first."""
    id_ = from_segment(job_id)
    server, found = find_job(request.GET.get("on"), id_, lambda queries: queries.job(id_))
    job, links = found.job, Links.to(server, site.name)
    place = PLACE_OF_STATUS.get(job.status)
    attempts = _attempts(found.results)
    reason = job.exc_info or next((a.traceback for a in attempts[:1] if a.failed), "")
    may_change = may(request, "change", "job")
    can_requeue = place in ACTIONS["requeue"].places
    can_cancel = place in ACTIONS["cancel"].places
    return render(
        site,
        request,
        "job_detail.html",
        model="job",
        title=shortened(job.description or id_, 120),
        subtitle=shortened(id_, 200) if job.description else None,
        breadcrumbs=breadcrumbs_to_job(request, links, job, place),
        job=job,
        state=labels.STATUSES.get(job.status, job.status),  # type: ignore[call-overload]
        failed=place is Place.FAILED,
        call=format_call(job.packed),
        meta=format_value(job.meta) if job.meta is not None else None,
        percent=percent_done(job.meta),
        timeline=timeline(job, found.results, formatting.now()),
        result=_result(job, found.results),
        error=error_of(job, found.results) if can_requeue else "",
        tags=[
            Tag(tag, links.jobs() + JobFilters.all_with(tag).query()) for tag in job.tags[:MAX_TAGS]
        ],
        traceback=formatting.traceback(reason),
        waited=format_duration(wait_seconds(job)),
        took=format_duration(run_seconds(job, found.results)),
        due=formatting.from_timestamp(found.due),
        retries=retries_left(job) if place in UNFINISHED_PLACES else "",
        attempts=attempts,
        relations=relations(found, links),
        log=formatting.log(found.log),
        expires_in=found.expires_in,
        queue_address=links.queue(job.origin, place or Place.QUEUED),
        worker_address=links.worker(job.worker_name),
        server="" if server.is_only else address_of(server),
        requeue_address=links.job_requeue(id_) if may_change and can_requeue else "",
        cancel_address=links.job_cancel(id_) if may_change and can_cancel else "",
        copy_address=links.job_copy(id_) if may_change and job.packed else "",
        run_now_address=links.job_run_now(id_) if may_change and place is Place.SCHEDULED else "",
        stop_address=links.job_stop(id_) if may_change and place is Place.STARTED else "",
        delete_address=links.job_delete(id_) if may(request, "delete", "job") else "",
    )


def _result(job: JobRecord, results: Sequence[ResultRecord]) -> Value | None:
    """The value that the job returned; None if it has not finished."""
    if job.status != JobStatus.FINISHED:
        return None
    if results and results[0].not_kept:
        return _not_kept(results[0])
    # RQ 2 stores it in the history only. If it was None, neither place has it.
    returned = job.result or (results[0].return_value if results else None)
    return format_value(returned) if returned else Value("None")


def _not_kept(result: ResultRecord) -> Value:
    reason = shortened(result.not_kept, MAX_VALUE_LENGTH)
    return Value(problem=_("The result is not kept. %(reason)s") % {"reason": reason})


def _attempts(results: Sequence[ResultRecord]) -> list[Attempt]:
    """The stored executions. Their values are decoded up to a total number of bytes."""
    attempts, room = [], codec.SHOWN
    for result in results:
        value: Value | None = None
        if result.not_kept:
            value = _not_kept(result)
        elif result.return_value is not None:
            unpacked, more = codec.head(result.return_value, room)
            value = format_value(result.return_value if more else unpacked, room)
            room = max(room - len(unpacked), 0)
        attempts.append(
            Attempt(
                result,
                labels.outcome(result),
                bool(result.exc_string),
                format_duration(attempt_seconds(result)),
                value,
                formatting.traceback(result.exc_string),
                formatting.last_line(result.exc_string),
            )
        )
    return attempts
