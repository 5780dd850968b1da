"""Which page has which address, and which permission it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from .. import conf
from ..metrics import views as exports
from .actions import (
    all_matching as on_all,
)
from .actions import (
    copy as copying,
)
from .actions import (
    cron as on_cron,
)
from .actions import (
    jobs as on_jobs,
)
from .actions import (
    queues as on_queues,
)
from .actions import (
    workers as on_workers,
)
from .pages import jobs, queues, schedule, search, workers
from .pages.frame import NO_ANSWER, may, trouble_page
from .sources import Gone, Trouble

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

#: A page: the name of the admin site, the request, and what the address says.
Page = Callable[..., HttpResponse]

_READ = ("GET", "HEAD")

#: What pages need that do one of several things to jobs; each action looks again.
_ANY_ACTION = ("change", "delete")


class _RedisAdmin(_ModelAdmin):
    """Pages instead of what Django makes of a table."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return conf.show_admin_link() and super().has_module_permission(request)

    def page(
        self,
        view: Page,
        *,
        model: str | None = None,
        needs: Sequence[str] = ("view",),
        methods: tuple[str, ...] = _READ,
    ) -> Callable[..., HttpResponseBase]:
        """A page for those who may, which is never a bare error.

        Args:
            model: whose permission it needs, by default this one's.
            needs: the permissions of which it needs any: to view, to change or to delete.
            methods: of HTTP; pages that only show take no POST.
        """
        name = model or str(self.opts.model_name)

        @wraps(view)
        def guarded(request: HttpRequest, **named: str) -> HttpResponse:
            if not any(may(request, each, name) for each in needs):
                raise PermissionDenied
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            request.current_app = self.admin_site.name
            try:
                return view(self.admin_site, request, **named)
            except Gone as gone:
                return trouble_page(self.admin_site, request, name, str(gone), status=404)
            except Trouble as trouble:
                return trouble_page(self.admin_site, request, name, str(trouble), status=NO_ANSWER)

        return self.admin_site.admin_view(guarded)


class QueueAdmin(_RedisAdmin):
    """The queues, and the jobs in them."""

    def get_urls(self) -> list[URLPattern]:
        listing = self.page(jobs.listing, model="job")
        act = self.page(on_jobs.on_selected, model="job", needs=_ANY_ACTION, methods=("POST",))
        pause = self.page(on_queues.pause, needs=("change",), methods=("POST",))
        resume = self.page(on_queues.resume, needs=("change",), methods=("POST",))
        pause_entry = self.page(on_cron.pause, needs=("change",), methods=("POST",))
        resume_entry = self.page(on_cron.resume, needs=("change",), methods=("POST",))
        run_entry = self.page(on_cron.run_now, needs=("change",), methods=("POST",))
        return [
            path("stats.json", exports.stats, name="django_rqlite_queue_stats"),
            path("metrics", exports.metrics, name="django_rqlite_queue_metrics"),
            path("", self.page(queues.index), name="django_rqlite_queue_changelist"),
            # "_schedule" is no segment, so no queue can be called so.
            path("_schedule/", self.page(schedule.index), name="django_rqlite_queue_schedule"),
            path("_schedule/<str:name>/pause/", pause_entry, name="django_rqlite_cron_pause"),
            path("_schedule/<str:name>/resume/", resume_entry, name="django_rqlite_cron_resume"),
            path("_schedule/<str:name>/run-now/", run_entry, name="django_rqlite_cron_run_now"),
            # The name that the admin's log links to.
            path("<str:name>/", listing, name="django_rqlite_queue_change"),
            path("<str:name>/pause/", pause, name="django_rqlite_queue_pause"),
            path("<str:name>/resume/", resume, name="django_rqlite_queue_resume"),
            path("<str:name>/<str:place>/", listing, name="django_rqlite_queue_jobs"),
            path("<str:name>/<str:place>/action/", act, name="django_rqlite_queue_action"),
        ]


class JobAdmin(_RedisAdmin):
    """Single jobs."""

    def get_urls(self) -> list[URLPattern]:
        requeue = self.page(on_jobs.requeue, needs=("change",), methods=("POST",))
        cancel = self.page(on_jobs.cancel, needs=("change",), methods=("POST",))
        run_now = self.page(on_jobs.run_now, needs=("change",), methods=("POST",))
        stop = self.page(on_jobs.stop, needs=("change",), methods=("POST",))
        copy = self.page(copying.enqueue_copy, needs=("change",), methods=("POST",))
        on_found = self.page(on_jobs.on_found, needs=_ANY_ACTION, methods=("POST",))
        batch = self.page(on_all.batch, needs=_ANY_ACTION, methods=("POST",))
        delete = self.page(on_jobs.delete, needs=("delete",), methods=(*_READ, "POST"))
        return [
            path("", self.page(search.search), name="django_rqlite_job_changelist"),
            # "_all" is no segment, so no job can be called so.
            path("_all/action/", on_found, name="django_rqlite_jobs_action"),
            path("_all/batch/", batch, name="django_rqlite_jobs_batch"),
            path("<str:job_id>/", self.page(jobs.detail), name="django_rqlite_job_change"),
            path("<str:job_id>/requeue/", requeue, name="django_rqlite_job_requeue"),
            path("<str:job_id>/cancel/", cancel, name="django_rqlite_job_cancel"),
            path("<str:job_id>/run-now/", run_now, name="django_rqlite_job_run_now"),
            path("<str:job_id>/stop/", stop, name="django_rqlite_job_stop"),
            path("<str:job_id>/copy/", copy, name="django_rqlite_job_copy"),
            path("<str:job_id>/delete/", delete, name="django_rqlite_job_delete"),
        ]


class WorkerAdmin(_RedisAdmin):
    """The workers."""

    def get_urls(self) -> list[URLPattern]:
        shut_down = self.page(on_workers.shut_down, needs=("change",), methods=("POST",))
        suspend = self.page(on_workers.suspend_all, needs=("change",), methods=("POST",))
        resume = self.page(on_workers.resume_all, needs=("change",), methods=("POST",))
        return [
            path("", self.page(workers.index), name="django_rqlite_worker_changelist"),
            # "_all" is no segment, so no worker can be called so.
            path("_all/suspend/", suspend, name="django_rqlite_workers_suspend"),
            path("_all/resume/", resume, name="django_rqlite_workers_resume"),
            path("<str:name>/shutdown/", shut_down, name="django_rqlite_worker_shut_down"),
            path("<str:name>/", self.page(workers.detail), name="django_rqlite_worker_change"),
        ]
