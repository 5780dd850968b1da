"""What places and states are called on the pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..protocol.places import Place
from ..protocol.records import JobStatus, ResultRecord, ResultType
from . import formatting as shown

PLACES = {
    Place.QUEUED: _("Queued"),
    Place.STARTED: _("Started"),
    Place.FINISHED: _("Finished"),
    Place.FAILED: _("Failed"),
    Place.DEFERRED: _("Deferred"),
    Place.SCHEDULED: _("Scheduled"),
    Place.CANCELED: _("Canceled"),
}

#: The state of a job that was stopped, which stands among the failed ones.
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

#: How the reason of a job begins that was stopped: RQ's words, under which both store it. The
#: outcome's type is that of a failure.
_STOPPED_BY_ORDER = "Job stopped by user"


def outcome(result: ResultRecord) -> str:
    """What came of one execution."""
    stopped = result.exc_string.startswith(_STOPPED_BY_ORDER)
    known = OUTCOMES.get(ResultType.STOPPED if stopped else result.type)  # type: ignore[call-overload]
    return str(known or shown.shortened(result.type, 40))
