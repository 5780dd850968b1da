"""Doing something to one job, or to those selected in a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...protocol.places import Place
from ...protocol.records import JobRecord
from .. import formatting as shown
from .. import labels
from ..links import PLACES, Links
from ..pages import jobs
from ..pages.frame import Crumb, render, way_to
from ..request_filters import place_named
from ..search_filters import Wanted
from ..sources import Source, all_sources, find_job, find_queue
from ..url_segments import from_segment, segment
from . import all_matching as on_all
from .job_operations import ACTIONS, JobAction, Order, told

#: Jobs by which the delete action may leave ids behind that nobody else takes out.
_EXPIRING = (Place.FINISHED, Place.FAILED)

_NOTHING_SELECTED = gettext_lazy(
    "Items must be selected in order to perform actions on them. No items have been changed."
)


@dataclass(frozen=True, slots=True)
class _List:
    """A list in which jobs were selected.

    Attributes:
        sources: where its jobs are.
        wanted: all of its jobs.
        way: to its page.
        address: which its form posts to.
        back: the page itself.
    """

    sources: Sequence[Source]
    wanted: Wanted
    way: Sequence[Crumb]
    address: str
    back: str


def on_selected(site: AdminSite, request: HttpRequest, name: str, place: str) -> HttpResponse:
    """Do something to jobs of one place of a queue."""
    queue, chosen = from_segment(name), place_named(place)
    source, _counts = find_queue(request.GET.get("on"), queue)
    links = Links.to(source, site.name)
    back = links.queue(queue, chosen, _page(request))
    way = [
        *way_to(request, links, "queue"),
        (shown.shortened(queue, 60), links.queue(queue)),
        (str(labels.PLACES[chosen]), back),
    ]
    wanted = Wanted.all_in(queue, chosen)
    here = _List([source], wanted, way, links.queue_action(queue, chosen), back)
    answer = _act(site, request, here)
    if chosen in _EXPIRING and request.POST.get("action") == "delete" and request.POST.get("post"):
        # What has expired stays in its list until somebody sweeps; here somebody wants it gone.
        with source.asked():
            source.transitions.trim(queue)
    return answer


def on_found(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Do something to jobs that a search found."""
    wanted = Wanted.of(request.GET)
    links = Links(site.name)
    back = links.jobs() + wanted.query(p=str(_page(request)))
    way = way_to(request, links, "job")
    address = links.jobs_action(wanted.query())
    return _act(site, request, _List(all_sources(), wanted, way, address, back))


def _page(request: HttpRequest) -> int:
    page = request.POST.get("p", "")
    return max(int(page), 1) if page.isascii() and page.isdigit() and len(page) <= 10 else 1


def _act(site: AdminSite, request: HttpRequest, here: _List) -> HttpResponse:
    action = ACTIONS.get(request.POST.get("action", ""))
    to = from_segment(request.POST["to"]) if request.POST.get("to") else ""
    # Each once, in the order of the list.
    ids = list(dict.fromkeys(map(from_segment, request.POST.getlist(ACTION_CHECKBOX_NAME))))
    everything = bool(request.POST.get("all"))
    if action is not None:
        action.allow(request)
    if not ids and not everything:
        messages.warning(request, _NOTHING_SELECTED)
    elif action is None:
        messages.warning(request, _("No action selected."))
    elif action.to_queue and not any(source.has(to) for source in here.sources):
        messages.warning(request, _("Choose the queue to which the jobs are moved."))
    elif everything:
        return on_all.ask(site, request, here.wanted, here.sources, to, here.way, here.back)
    elif request.POST.get("post"):
        for source, of_it in _by_source(here.sources, ids):
            if not action.to_queue or source.has(to):
                outcome = action.carry_out(request, Order(source, of_it, to))
                action.tell(request, outcome, to)
    else:
        return _question(site, request, action, here, ids, to)
    return HttpResponseRedirect(here.back)


def _by_source(
    sources: Sequence[Source], ids: Sequence[str]
) -> Iterator[tuple[Source, Sequence[str]]]:
    """The sources that have any of the jobs, and which; those that are nowhere are the last's."""
    left = list(ids)
    for source in sources[:-1]:
        with source.asked():
            found = source.queries.jobs(left)
        there = [job_id for job_id, job in zip(left, found, strict=True) if job]
        left = [job_id for job_id in left if job_id not in there]
        if there:
            yield source, there
    if left:
        yield sources[-1], left


def _question(
    site: AdminSite,
    request: HttpRequest,
    action: JobAction,
    here: _List,
    ids: Sequence[str],
    to: str,
) -> HttpResponse:
    found: list[tuple[str, JobRecord | None]] = []
    for source, of_it in _by_source(here.sources, ids):
        with source.asked():
            found += zip(of_it, source.queries.jobs(of_it), strict=True)
    hidden = [(ACTION_CHECKBOX_NAME, segment(job_id)) for job_id in ids]
    hidden += [("action", request.POST["action"]), ("p", str(_page(request))), ("post", "yes")]
    hidden += [("to", segment(to))] if to else []
    return _confirmation(
        site,
        request,
        told(action.question, len(ids), to),
        found,
        deleted=action is ACTIONS["delete"],
        way=here.way,
        address=here.address,
        back=here.back,
        hidden=hidden,
    )


def _confirmation(
    site: AdminSite,
    request: HttpRequest,
    question: str,
    found: Sequence[tuple[str, JobRecord | None]],
    *,
    deleted: bool,
    way: Sequence[Crumb],
    address: str,
    back: str,
    hidden: Sequence[tuple[str, str]],
) -> HttpResponse:
    running = [job for _id, job in found if job and PLACES.get(job.status) is Place.STARTED]
    return render(
        site,
        request,
        "confirmation.html",
        model="job",
        title=_("Are you sure?"),
        way=way,
        question=question,
        found=found,
        running=len(running) if deleted else 0,
        address=address,
        back=back,
        hidden=hidden,
    )


def requeue(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Requeue one job."""
    return _on_one(site, request, job_id, ACTIONS["requeue"])


def cancel(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Cancel one job that waits."""
    return _on_one(site, request, job_id, ACTIONS["cancel"])


def run_now(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Enqueue one scheduled job before its time."""
    return _on_one(site, request, job_id, ACTIONS["run_now"])


def stop(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Have the worker of one job that runs stop it."""
    return _on_one(site, request, job_id, ACTIONS["stop"])


def delete(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Delete one job; a GET asks whether that is meant."""
    id_ = from_segment(job_id)
    source, job = _find(request, id_)
    links, place = Links.to(source, site.name), PLACES.get(job.status)
    action = ACTIONS["delete"]
    if request.method == "POST":
        action.tell(request, action.carry_out(request, Order(source, [id_])))
        after = links.queue(job.origin, place or Place.QUEUED) if job.origin else ""
        return HttpResponseRedirect(after or links.jobs())
    return _confirmation(
        site,
        request,
        told(action.question, 1),
        [(id_, job)],
        deleted=True,
        way=jobs.way_to_job(request, links, job, place),
        address=links.job_delete(id_),
        back=links.job(id_),
        hidden=[("post", "yes")],
    )


def _on_one(site: AdminSite, request: HttpRequest, job_id: str, action: JobAction) -> HttpResponse:
    """Do to one job what can be done to several, and go back to its page."""
    id_ = from_segment(job_id)
    source, _job = _find(request, id_)
    action.tell(request, action.carry_out(request, Order(source, [id_])))
    return HttpResponseRedirect(Links.to(source, site.name).job(id_))


def _find(request: HttpRequest, job_id: str) -> tuple[Source, JobRecord]:
    return find_job(request.GET.get("on"), job_id, lambda queries: queries.jobs([job_id])[0])
