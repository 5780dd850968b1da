"""How many retries a job has left, as text."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..protocol.places import Place
from ..protocol.records import JobRecord

#: The places of jobs that run or will run, for which the remaining retries matter.
UNFINISHED_PLACES = frozenset({Place.QUEUED, Place.STARTED, Place.SCHEDULED, Place.DEFERRED})


def retries_left(job: JobRecord) -> str:
    """How many retries a job has left; ``''`` if it never had any."""
    if job.retries_left is None and not job.attempts:
        return ""
    left = max(job.retries_left or 0, 0)
    if not job.attempts:
        return ngettext("%(count)d retry left", "%(count)d retries left", left) % {"count": left}
    named = {"left": left, "attempts": job.attempts, "all": left + job.attempts}
    return _("retried %(attempts)d of %(all)d times; %(left)d left") % named
