"""Actions on one job, or on jobs that are selected in a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...broker.servers import Server
from ...engine.engine import Engine
from ...protocol.places import Place
from ...protocol.records import JobRecord
from ...queries.queries import Queries
from .. import labels
from ..filters import JobFilters, parse_place
from ..formatting import shortened
from ..frame import Crumb, breadcrumbs_to, breadcrumbs_to_job, render
from ..labels import PLACE_OF_STATUS
from ..links import Links, from_segment, segment
from ..servers import all_servers, connected, find_job, find_queue
from . import all_matching
from .job_action import JobAction, Selection, format_sentence
from .job_operations import ACTIONS

#: The places in which the ids of expired jobs stay until a sweep removes them.
_EXPIRING = (Place.FINISHED, Place.FAILED)

_NOTHING_SELECTED = gettext_lazy(
    "Items must be selected in order to perform actions on them. No items have been changed."
)


@dataclass(frozen=True, slots=True)
class _List:
    """A list in which jobs were selected.

    Attributes:
        servers: The servers of its jobs.
        filters: Select all of its jobs.
        breadcrumbs: The breadcrumbs of its page.
        address: The address to which its form is posted.
        back: The address of its page.
    """

    servers: Sequence[Server]
    filters: JobFilters
    breadcrumbs: Sequence[Crumb]
    address: str
    back: str


def on_selected(site: AdminSite, request: HttpRequest, name: str, place: str) -> HttpResponse:
    """Run an action on selected jobs in one place of a queue."""
    queue, chosen = from_segment(name), parse_place(place)
    server, _counts = find_queue(request.GET.get("on"), queue)
    links = Links.to(server, site.name)
    back = links.queue(queue, chosen, _page(request))
    breadcrumbs = [
        *breadcrumbs_to(request, links, "queue"),
        (shortened(queue, 60), links.queue(queue)),
        (str(labels.PLACES[chosen]), back),
    ]
    filters = JobFilters.all_in(queue, chosen)
    jobs = _List([server], filters, breadcrumbs, links.queue_action(queue, chosen), back)
    answer = _act(site, request, jobs)
    if chosen in _EXPIRING and request.POST.get("action") == "delete" and request.POST.get("post"):
        # The ids of expired jobs stay in the list until a sweep; the user wants them deleted now.
        with connected(server) as broker:
            Engine(broker).trim(queue)
    return answer


def on_found(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Run an action on selected jobs that a search found."""
    filters = JobFilters.parse(request.GET)
    links = Links(site.name)
    back = links.jobs() + filters.query(p=str(_page(request)))
    breadcrumbs = breadcrumbs_to(request, links, "job")
    address = links.jobs_action(filters.query())
    return _act(site, request, _List(all_servers(), filters, breadcrumbs, address, back))


def _page(request: HttpRequest) -> int:
    page = request.POST.get("p", "")
    return max(int(page), 1) if page.isascii() and page.isdigit() and len(page) <= 10 else 1


def _act(site: AdminSite, request: HttpRequest, jobs: _List) -> HttpResponse:
    action = ACTIONS.get(request.POST.get("action", ""))
    to_queue = from_segment(request.POST["to"]) if request.POST.get("to") else ""
    # Without duplicates, in the order of the list.
    ids = list(dict.fromkeys(map(from_segment, request.POST.getlist(ACTION_CHECKBOX_NAME))))
    everything = bool(request.POST.get("all"))
    if action is not None:
        action.allow(request)
    if not ids and not everything:
        messages.warning(request, _NOTHING_SELECTED)
    elif action is None:
        messages.warning(request, _("No action selected."))
    elif action.needs_queue and not any(s.has_queue(to_queue) for s in jobs.servers):
        messages.warning(request, _("Choose the queue to move the jobs to."))
    elif everything:
        return all_matching.confirm(
            site, request, jobs.filters, jobs.servers, to_queue, jobs.breadcrumbs, jobs.back
        )
    elif request.POST.get("post"):
        for server, its_ids in _by_server(jobs.servers, ids):
            if not action.needs_queue or server.has_queue(to_queue):
                outcome = action.run(request, Selection(server, its_ids, to_queue))
                action.report(request, outcome, to_queue)
    else:
        return _question(site, request, action, jobs, ids, to_queue)
    return HttpResponseRedirect(jobs.back)


def _by_server(
    servers: Sequence[Server], ids: Sequence[str]
) -> Iterator[tuple[Server, Sequence[str]]]:
    """The servers that have any of these jobs, and their ids. The last gets all that remain."""
    remaining = list(ids)
    for server in servers[:-1]:
        with connected(server) as broker:
            found = Queries(broker).jobs(remaining)
        its_ids = [job_id for job_id, job in zip(remaining, found, strict=True) if job]
        remaining = [job_id for job_id in remaining if job_id not in its_ids]
        if its_ids:
            yield server, its_ids
    if remaining:
        yield servers[-1], remaining


def _question(
    site: AdminSite,
    request: HttpRequest,
    action: JobAction,
    jobs: _List,
    ids: Sequence[str],
    to_queue: str,
) -> HttpResponse:
    found: list[tuple[str, JobRecord | None]] = []
    for server, its_ids in _by_server(jobs.servers, ids):
        with connected(server) as broker:
            found += zip(its_ids, Queries(broker).jobs(its_ids), strict=True)
    hidden = [(ACTION_CHECKBOX_NAME, segment(job_id)) for job_id in ids]
    hidden += [("action", request.POST["action"]), ("p", str(_page(request))), ("post", "yes")]
    hidden += [("to", segment(to_queue))] if to_queue else []
    return _confirmation(
        site,
        request,
        format_sentence(action.question, len(ids), to_queue),
        found,
        is_delete=action is ACTIONS["delete"],
        breadcrumbs=jobs.breadcrumbs,
        address=jobs.address,
        back=jobs.back,
        hidden=hidden,
    )


def _confirmation(
    site: AdminSite,
    request: HttpRequest,
    question: str,
    found: Sequence[tuple[str, JobRecord | None]],
    *,
    is_delete: bool,
    breadcrumbs: Sequence[Crumb],
    address: str,
    back: str,
    hidden: Sequence[tuple[str, str]],
) -> HttpResponse:
    running = [
        job for _id, job in found if job and PLACE_OF_STATUS.get(job.status) is Place.STARTED
    ]
    return render(
        site,
        request,
        "confirmation.html",
        model="job",
        title=_("Are you sure?"),
        breadcrumbs=breadcrumbs,
        question=question,
        found=found,
        running=len(running) if is_delete else 0,
        address=address,
        back=back,
        hidden=hidden,
    )


def requeue(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Requeue one job."""
    return _on_one(site, request, job_id, ACTIONS["requeue"])


def cancel(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Cancel one waiting job."""
    return _on_one(site, request, job_id, ACTIONS["cancel"])


def run_now(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Enqueue one scheduled job now, ahead of its time."""
    return _on_one(site, request, job_id, ACTIONS["run_now"])


def stop(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Tell the worker of one running job to stop it."""
    return _on_one(site, request, job_id, ACTIONS["stop"])


def delete(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Delete one job; a GET asks for confirmation."""
    id_ = from_segment(job_id)
    server, job = _find(request, id_)
    links, place = Links.to(server, site.name), PLACE_OF_STATUS.get(job.status)
    action = ACTIONS["delete"]
    if request.method == "POST":
        action.report(request, action.run(request, Selection(server, [id_])))
        after = links.queue(job.origin, place or Place.QUEUED) if job.origin else ""
        return HttpResponseRedirect(after or links.jobs())
    return _confirmation(
        site,
        request,
        format_sentence(action.question, 1),
        [(id_, job)],
        is_delete=True,
        breadcrumbs=breadcrumbs_to_job(request, links, job, place),
        address=links.job_delete(id_),
        back=links.job(id_),
        hidden=[("post", "yes")],
    )


def _on_one(site: AdminSite, request: HttpRequest, job_id: str, action: JobAction) -> HttpResponse:
    """Run an action on one job, and return to its page."""
    id_ = from_segment(job_id)
    server, _job = _find(request, id_)
    action.report(request, action.run(request, Selection(server, [id_])))
    return HttpResponseRedirect(Links.to(server, site.name).job(id_))


def _find(request: HttpRequest, job_id: str) -> tuple[Server, JobRecord]:
    return find_job(request.GET.get("on"), job_id, lambda queries: queries.jobs([job_id])[0])
