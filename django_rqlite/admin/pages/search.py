"""The job search: by id, call, error, place and time, as a list or in groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...broker.servers import Server
from ...protocol.places import Place
from ...protocol.records import JobStatus
from ...queries import found_jobs, job_search
from ...queries.found_jobs import Found
from ...queries.job_search import JobSearch, Window
from ...queries.queries import Queries
from ...queries.snapshots import Parents
from .. import labels
from ..actions.job_operations import possible, targets
from ..errors import Unavailable
from ..filters import PERIODS, SORTS, TEXT_FILTERS, JobFilters, parse_page
from ..formatting import from_timestamp, shortened
from ..frame import UNAVAILABLE, render
from ..links import MAX_NAME_LENGTH, Links, segment
from ..relations import JobLinks, job_links
from ..retries import UNFINISHED_PLACES, retries_left
from ..servers import all_servers, connected
from .search_summary import MAX_SENTENCES, group_note, summary

#: Jobs on a page.
PER_PAGE = 50

#: Groups that are shown.
MAX_GROUPS = 200


@dataclass(frozen=True, slots=True)
class TextField:
    """A text field of the form."""

    name: str
    label: Promise
    value: str


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a select."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A job that was found.

    Attributes:
        due: When a scheduled job is due.
        retries: How many retries an unfinished job has left.
        parents: The jobs that a deferred job waits for.
    """

    found: Found
    segment: str
    address: str
    state: str
    queue_address: str
    due: datetime | None
    retries: str
    parents: JobLinks | None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Failed jobs of one function and one class of errors."""

    group: found_jobs.Group
    address: str


@dataclass(slots=True)
class _Answers:
    """The answers of all servers.

    Attributes:
        windows: The jobs that were read of each server.
        queues: The names of all queues.
        configured: The names of the queues in ``RQ_QUEUES``.
        problems: What could not be searched, in sentences.
        errors: Why servers did not answer, in sentences.
        job_address: The address of the job whose id is the search text, or ``''``.
    """

    windows: list[tuple[Server, Window]] = field(default_factory=list)
    queues: list[str] = field(default_factory=list)
    configured: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    job_address: str = ""


def index(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The search. Four round trips for each server; two more for the parents of deferred jobs."""
    filters = JobFilters.parse(request.GET)
    number = parse_page(request.GET.get("p", "1"), least=0)
    answers = _ask(site, filters)
    if answers.job_address:
        return HttpResponseRedirect(answers.job_address)
    newest, matches_filter = filters.sort == "newest", filters.filter.matches
    servers = {id(each): server for server, window in answers.windows for each in window.jobs}
    matches = found_jobs.ordered(
        [
            each
            for _server, window in answers.windows
            for each in window.jobs
            if matches_filter(each)
        ],
        newest=newest,
    )
    page = Paginator(matches, PER_PAGE).get_page(number)
    rows = [] if filters.group else _rows(list(page.object_list), servers, answers.errors, site)
    groups = found_jobs.grouped(matches) if filters.group else []
    searched = [each for _server, window in answers.windows for each in window.searched]
    partly = any(each.read < each.total for each in searched)
    actions = possible(request, filters.places)
    return render(
        site,
        request,
        "job_search.html",
        model="job",
        title=_("Jobs"),
        status=200 if answers.windows or not answers.errors else UNAVAILABLE,
        **_form(filters, answers.queues),
        **_notes(filters, answers, has_matches=bool(matches)),
        sentences=summary(searched, len(matches), newest=newest),
        rows=rows,
        actions=actions,
        targets=targets(actions, answers.configured),
        action_address=Links(site.name).jobs_action(filters.query(group="")),
        groups=[_group_row(each, filters) for each in groups[:MAX_GROUPS]],
        more_groups=len(groups[MAX_GROUPS:]),
        partly=partly,
        group_note=group_note(searched, newest=newest) if partly else "",
        page=page,
        before=filters.query(p=str(page.previous_page_number())) if page.has_previous() else "",
        after=filters.query(p=str(page.next_page_number())) if page.has_next() else "",
        list_address=filters.query(group=""),
        group_address=filters.query(state=Place.FAILED.value, group="1"),
    )


def _form(filters: JobFilters, queues: Sequence[str]) -> dict[str, Any]:
    """The values and options of the form."""
    return {
        "filters": filters,
        "states": [
            Option("", _("all"), filters.place is None),
            *(Option(each, str(labels.PLACES[each]), each is filters.place) for each in Place),
        ],
        "queues": [
            Option("", _("all"), not filters.queue),
            *(
                Option(segment(name), shortened(name, 60), name == filters.queue)
                for name in queues
                if name and len(name) <= MAX_NAME_LENGTH
            ),
        ],
        "text_fields": [
            TextField(name, label, filters.texts[name]) for name, label in TEXT_FILTERS.items()
        ],
        "periods": [
            Option(key, str(label), key == filters.since)
            for key, (label, _duration) in PERIODS.items()
        ],
        "sorts": [Option(key, str(label), key == filters.sort) for key, label in SORTS.items()],
    }


def _notes(filters: JobFilters, answers: _Answers, *, has_matches: bool) -> dict[str, Any]:
    """Problems, and sentences about a job or a queue that does not exist."""
    all_answered = not answers.errors
    missing_job = missing_queue = ""
    if all_answered and filters.text and not has_matches:
        missing_job = _("No job has this ID: it has expired, was deleted, or never existed.")
    if all_answered and filters.queue and filters.queue not in answers.queues:
        missing_queue = _(
            "There is no such queue: it is not in RQ_QUEUES, and nothing was ever enqueued to it."
        )
    return {
        "errors": answers.errors,
        "problems": answers.problems,
        "missing_job": missing_job,
        "missing_queue": missing_queue,
    }


def _ask(site: AdminSite, filters: JobFilters) -> _Answers:
    """Ask every server."""
    answers = _Answers()
    servers = all_servers()
    most = max(job_search.MOST // len(servers), 1) if servers else 0
    for server in servers:
        try:
            with connected(server) as broker:
                answers.configured += server.queue_names
                search = JobSearch(broker)
                known = search.known(server.queue_names, filters.text)
                if known.has_job:
                    answers.job_address = Links.to(server, site.name).job(filters.text)
                    if answers.job_address:
                        return answers
                answers.queues += [name for name in known.names if name not in answers.queues]
                if known.more:
                    answers.problems.append(
                        ngettext(
                            "%(count)s more queue was not searched.",
                            "%(count)s more queues were not searched.",
                            known.more,
                        )
                        % {"count": f"{known.more:,}"}
                    )
                window = search.window(
                    [filters.queue] if filters.queue else known.names,
                    filters.places,
                    newest=filters.sort == "newest",
                    most=most,
                )
        except Unavailable as error:
            answers.errors.append(str(error))
        else:
            answers.windows.append((server, window))
            answers.problems += window.problems[:MAX_SENTENCES]
    return answers


def _rows(
    page: Sequence[Found], servers: Mapping[int, Server], errors: list[str], site: AdminSite
) -> list[Row]:
    """The rows of a page.

    Args:
        servers: The server of each job, by ``id()``.
        errors: A list to which the reasons why servers did not answer are added.
    """
    deferred: dict[str, list[Found]] = {}
    for each in page:
        if each.place is Place.DEFERRED:
            deferred.setdefault(servers[id(each)].name, []).append(each)
    parents: dict[int, Parents] = {}
    for jobs in deferred.values():
        try:
            with connected(servers[id(jobs[0])]) as broker:
                found = Queries(broker).parents([each.id for each in jobs])
        except Unavailable as error:
            errors.append(str(error))
        else:
            parents |= {id(job): its_parents for job, its_parents in zip(jobs, found, strict=True)}
    return [_row(each, servers[id(each)], parents.get(id(each)), site) for each in page]


def _row(found: Found, server: Server, parents: Parents | None, site: AdminSite) -> Row:
    links = Links.to(server, site.name)
    is_stopped = found.job is not None and found.job.status == JobStatus.STOPPED
    is_unfinished = found.place in UNFINISHED_PLACES
    return Row(
        found,
        segment(found.id),
        links.job(found.id),
        str(labels.STOPPED if is_stopped else labels.PLACES[found.place]),
        links.queue(found.queue, found.place),
        from_timestamp(found.due),
        retries_left(found.job) if found.job and is_unfinished else "",
        job_links(parents.some, parents.count, links) if parents else None,
    )


def _group_row(group: found_jobs.Group, filters: JobFilters) -> GroupRow:
    function = group.function or filters.texts["function"]
    return GroupRow(group, filters.query(group="", function=function, error=group.error_class))
