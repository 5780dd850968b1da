"""The actions on jobs: requeue, run now, cancel, stop, move and delete."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.contrib.admin.models import DELETION
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext_lazy

from ...broker.broker import Broker
from ...engine.engine import Engine
from ...protocol.places import Place
from ...protocol.records import JobStatus
from ...queries.queries import Queries
from ..formatting import shortened
from ..frame import may
from ..links import MAX_NAME_LENGTH, segment
from .job_action import MISSING, JobAction, Outcome, Selection


def _outcome(selection: Selection, verdicts: Sequence[str], done: str) -> Outcome:
    """The outcome of the engine's results, of which ``done`` means success."""
    outcome = Outcome()
    for job_id, verdict in zip(selection.ids, verdicts, strict=True):
        if verdict == done:
            outcome.done.append(job_id)
        elif verdict == "missing":
            outcome.missing.append(job_id)
        else:
            outcome.skipped.append(job_id)
    return outcome


def _requeue(broker: Broker, selection: Selection) -> Outcome:
    return _outcome(selection, Engine(broker).requeue(selection.ids), "queued")


def _run_now(broker: Broker, selection: Selection) -> Outcome:
    return _outcome(selection, Engine(broker).enqueue_now(selection.ids), "queued")


def _cancel(broker: Broker, selection: Selection) -> Outcome:
    verdicts = Engine(broker).cancel(selection.ids, behind=selection.behind)
    return _outcome(selection, verdicts, "canceled")


def _move(broker: Broker, selection: Selection) -> Outcome:
    verdicts = Engine(broker).move(selection.ids, selection.to_queue, behind=selection.behind)
    return _outcome(selection, verdicts, "moved")


def _delete(broker: Broker, selection: Selection) -> Outcome:
    existed = Engine(broker).delete(selection.ids, behind=selection.behind)
    verdicts = ["deleted" if each else "missing" for each in existed]
    return _outcome(selection, verdicts, "deleted")


def _stop(broker: Broker, selection: Selection) -> Outcome:
    """Tell the workers to stop the jobs. Each worker ends its job on its own."""
    outcome, engine = Outcome(), Engine(broker)
    jobs = Queries(broker).jobs(selection.ids)
    for job_id, job in zip(selection.ids, jobs, strict=True):
        if job is None:
            outcome.missing.append(job_id)
        elif job.status != JobStatus.STARTED or not job.worker_name:
            outcome.skipped.append(job_id)
        elif engine.send_command(job.worker_name, "stop-job", job_id=job_id, by=selection.username):
            outcome.done.append(job_id)
        else:
            outcome.unreachable.append(job_id)
    return outcome


ACTIONS: Mapping[str, JobAction] = {
    "requeue": JobAction(
        gettext_lazy("Requeue"),
        frozenset({Place.FAILED, Place.CANCELED}),
        _requeue,
        question=ngettext_lazy(
            "Requeue this job? It will run again from the start.",
            "Requeue these %(count)d jobs? They will run again from the start.",
            "count",
        ),
        question_all=gettext_lazy("Requeue all of these jobs? They will run again from the start."),
        done=ngettext_lazy("Requeued %(count)d job.", "Requeued %(count)d jobs.", "count"),
        skipped=ngettext_lazy(
            "%(count)d job is not failed or canceled (any more), so it was not requeued: %(ids)s",
            "%(count)d jobs are not failed or canceled (any more), so they were not requeued: "
            "%(ids)s",
            "count",
        ),
        logged=gettext_lazy("Requeued %(done)d of %(count)d"),
    ),
    "run_now": JobAction(
        gettext_lazy("Run now"),
        frozenset({Place.SCHEDULED}),
        _run_now,
        question=ngettext_lazy(
            "Enqueue this job now, ahead of its time?",
            "Enqueue these %(count)d jobs now, ahead of their times?",
            "count",
        ),
        question_all=gettext_lazy("Enqueue all of these jobs now, ahead of their times?"),
        done=ngettext_lazy(
            "Enqueued %(count)d job now, ahead of its time.",
            "Enqueued %(count)d jobs now, ahead of their times.",
            "count",
        ),
        skipped=ngettext_lazy(
            "%(count)d job is not scheduled (any more), so it was not enqueued: %(ids)s",
            "%(count)d jobs are not scheduled (any more), so they were not enqueued: %(ids)s",
            "count",
        ),
        logged=gettext_lazy("Enqueued %(done)d of %(count)d ahead of their time"),
    ),
    "cancel": JobAction(
        gettext_lazy("Cancel"),
        frozenset({Place.QUEUED, Place.SCHEDULED, Place.DEFERRED}),
        _cancel,
        question=ngettext_lazy(
            "Cancel this job? Its dependents are canceled too.",
            "Cancel these %(count)d jobs? Their dependents are canceled too.",
            "count",
        ),
        question_all=gettext_lazy("Cancel all of these jobs? Their dependents are canceled too."),
        done=ngettext_lazy("Canceled %(count)d job.", "Canceled %(count)d jobs.", "count"),
        skipped=ngettext_lazy(
            "%(count)d job is not waiting (any more), so it was not canceled: %(ids)s",
            "%(count)d jobs are not waiting (any more), so they were not canceled: %(ids)s",
            "count",
        ),
        logged=gettext_lazy("Canceled %(done)d of %(count)d"),
    ),
    "stop": JobAction(
        gettext_lazy("Stop"),
        frozenset({Place.STARTED}),
        _stop,
        question=ngettext_lazy(
            "Stop this job? It ends as stopped and is not retried.",
            "Stop these %(count)d jobs? They end as stopped and are not retried.",
            "count",
        ),
        question_all=gettext_lazy(
            "Stop all of these jobs? They end as stopped and are not retried."
        ),
        done=ngettext_lazy(
            "Stop requested for %(count)d job.",
            "Stop requested for %(count)d jobs.",
            "count",
        ),
        skipped=ngettext_lazy(
            "%(count)d job is not running (any more), so it was not stopped: %(ids)s",
            "%(count)d jobs are not running (any more), so they were not stopped: %(ids)s",
            "count",
        ),
        logged=gettext_lazy("Stop requested for %(done)d of %(count)d"),
        moves_jobs=False,  # their workers end them
    ),
    "move": JobAction(
        gettext_lazy("Move to another queue"),
        frozenset(Place) - {Place.STARTED, Place.FINISHED},
        _move,
        question=ngettext_lazy(
            "Move this job to “%(queue)s”?",
            "Move these %(count)d jobs to “%(queue)s”?",
            "count",
        ),
        question_all=gettext_lazy("Move all of these jobs to “%(queue)s”?"),
        done=ngettext_lazy(
            "Moved %(count)d job to “%(queue)s”.", "Moved %(count)d jobs to “%(queue)s”.", "count"
        ),
        skipped=ngettext_lazy(
            "%(count)d job is running or already in the queue, so it was not moved: %(ids)s",
            "%(count)d jobs are running or already in the queue, so they were not moved: %(ids)s",
            "count",
        ),
        logged=gettext_lazy("Moved %(done)d of %(count)d to “%(queue)s”"),
        needs_queue=True,
    ),
    "delete": JobAction(
        gettext_lazy("Delete"),
        frozenset(Place),
        _delete,
        question=ngettext_lazy(
            "Delete this job? Its arguments, result and history are deleted too.",
            "Delete these %(count)d jobs? Their arguments, results and history are deleted too.",
            "count",
        ),
        question_all=gettext_lazy(
            "Delete all of these jobs? Their arguments, results and history are deleted too."
        ),
        done=ngettext_lazy("Deleted %(count)d job.", "Deleted %(count)d jobs.", "count"),
        skipped=MISSING,  # every job that exists can be deleted
        logged=gettext_lazy("Deleted %(done)d of %(count)d"),
        flag=DELETION,
        permission="delete",
    ),
}


def possible(request: HttpRequest, places: Collection[Place]) -> dict[str, JobAction]:
    """The actions that the user may do, and that apply to jobs in these places."""
    return {
        name: action
        for name, action in ACTIONS.items()
        if action.places & set(places) and may(request, action.permission, "job")
    }


def targets(actions: Mapping[str, JobAction], queues: Sequence[str]) -> list[tuple[str, str]]:
    """The queues to which jobs can be moved: the values and the labels of a form's options."""
    if not any(action.needs_queue for action in actions.values()):
        return []
    return [(segment(name), shortened(name, 60)) for name in queues if len(name) <= MAX_NAME_LENGTH]
