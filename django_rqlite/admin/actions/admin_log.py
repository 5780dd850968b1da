"""Entries of Django's admin log: who did what to which jobs, queues and workers."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, models, router, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...models import Job
from .. import formatting
from ..formatting import shortened

#: Ids that a message or an entry of the log lists.
MAX_LISTED = 10


def log_jobs(
    request: HttpRequest,
    flag: int,
    ids: Sequence[str],
    sentence: str,
    done: Sequence[str],
    queue: str = "",
) -> None:
    """Log an action on some jobs.

    Args:
        sentence: Has the placeholders ``%(done)d`` and ``%(count)d``, and may have ``%(queue)s``.
        done: Those of ``ids`` on which it has succeeded.
    """
    done_of = sentence % {
        "done": len(done),
        "count": len(ids),
        "queue": shortened(queue, 60),
    }
    several = ngettext("%(count)d job", "%(count)d jobs", len(ids)) % {"count": len(ids)}
    _write(
        request,
        flag,
        Job,
        ids[0] if len(ids) == 1 else None,
        ids[0] if len(ids) == 1 else several,
        f"{done_of}: {listed(done)}" if done else done_of,
    )


def log_one(
    request: HttpRequest, flag: int, model: type[models.Model], name: str, sentence: str
) -> None:
    """Log an action on one job, queue or worker."""
    _write(request, flag, model, name, name, sentence)


def log_all(
    request: HttpRequest, flag: int, model: type[models.Model], which: str, sentence: str
) -> None:
    """Log an action on several objects, or on one without a page; ``which`` names them."""
    _write(request, flag, model, None, which, sentence)


def listed(ids: Sequence[str]) -> str:
    """The first ids, for a sentence."""
    shown = [shortened(job_id, 60) for job_id in ids[:MAX_LISTED]]
    return ", ".join(shown) + (", …" if len(ids) > MAX_LISTED else "")


def _write(
    request: HttpRequest,
    flag: int,
    model: type[models.Model],
    object_id: str | None,
    title: str,
    sentence: str,
) -> None:
    try:
        with transaction.atomic(using=router.db_for_write(LogEntry)):
            LogEntry.objects.create(
                user_id=request.user.pk,  # type: ignore[misc]
                content_type=ContentType.objects.get_for_model(model),
                object_id=None if object_id is None else _storable(object_id),
                object_repr=_storable(shortened(title, 190)),
                action_flag=flag,
                change_message=_storable(sentence),
            )
    except DatabaseError as exc:
        # Redis has already changed. An error page would hide that.
        messages.warning(
            request,
            _("The action could not be written to the admin log: %(reason)s") % {"reason": exc},
        )


def _storable(text: str) -> str:
    """Text that every database accepts: PostgreSQL refuses NUL."""
    return formatting.printable(text).replace("\0", "�")
