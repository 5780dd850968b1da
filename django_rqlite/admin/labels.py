"""The names of places and states on the pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..protocol.places import Place
from ..protocol.records import JobStatus
from ..protocol.stored_result import ResultRecord, ResultType
from .formatting import shortened

PLACES = {
    Place.QUEUED: _("Queued"),
    Place.STARTED: _("Started"),
    Place.FINISHED: _("Finished"),
    Place.FAILED: _("Failed"),
    Place.DEFERRED: _("Deferred"),
    Place.SCHEDULED: _("Scheduled"),
    Place.CANCELED: _("Canceled"),
}

#: The state of a stopped job, which is listed among the failed ones.
STOPPED = _("Stopped")

STATUSES = {
    JobStatus.CREATED: _("created"),
    JobStatus.QUEUED: _("queued"),
    JobStatus.STARTED: _("started"),
    JobStatus.FINISHED: _("finished"),
    JobStatus.FAILED: _("failed"),
    JobStatus.DEFERRED: _("deferred"),
    JobStatus.SCHEDULED: _("scheduled"),
    JobStatus.STOPPED: _("stopped"),
    JobStatus.CANCELED: _("canceled"),
}

OUTCOMES = {
    ResultType.SUCCESSFUL: _("successful"),
    ResultType.FAILED: _("failed"),
    ResultType.STOPPED: _("stopped"),
    ResultType.RETRIED: _("retried"),
    ResultType.MAX_RETRIES: _("failed, no retries left"),
}

STATES = {
    "starting": _("starting"),
    "started": pgettext_lazy("worker", "started"),
    "idle": _("idle"),
    "busy": _("busy"),
    "suspended": _("suspended"),
}

#: The place in which a job with this status is listed.
PLACE_OF_STATUS: dict[str, Place] = {
    JobStatus.QUEUED: Place.QUEUED,
    JobStatus.STARTED: Place.STARTED,
    JobStatus.FINISHED: Place.FINISHED,
    JobStatus.FAILED: Place.FAILED,
    JobStatus.STOPPED: Place.FAILED,
    JobStatus.DEFERRED: Place.DEFERRED,
    JobStatus.SCHEDULED: Place.SCHEDULED,
    JobStatus.CANCELED: Place.CANCELED,
}

#: The beginning of a stopped job's reason, which RQ writes too. Its outcome is stored as a failure.
_STOPPED_REASON = "Job stopped by user"


def outcome(result: ResultRecord) -> str:
    """The outcome of one execution."""
    stopped = result.exc_string.startswith(_STOPPED_REASON)
    known = OUTCOMES.get(ResultType.STOPPED if stopped else result.type)  # type: ignore[call-overload]
    return str(known or shortened(result.type, 40))
