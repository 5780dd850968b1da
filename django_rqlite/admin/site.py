"""The address of each page, and the permission that it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from .. import conf, models
from ..metrics import views as metrics_views
from .actions import all_matching, copy, cron
from .actions import jobs as job_views
from .actions import queues as queue_views
from .actions import workers as worker_views
from .errors import NotFound, Unavailable
from .frame import UNAVAILABLE, error_page, may
from .pages import job_detail, job_list, overview, schedule, search, workers

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

#: A page: takes the admin site, the request, and the names in the address.
Page = Callable[..., HttpResponse]

_READ = ("GET", "HEAD")

#: Pages with several actions need any of these permissions. Each action checks its own.
_ANY_ACTION = ("change", "delete")


class _RedisAdmin(_ModelAdmin):
    """Pages about data in Redis, in place of Django's pages about a table."""

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
        """Wrap a page: check permissions and method, and show errors as a page.

        Args:
            model: The model whose permission is needed; None: this one.
            needs: Permissions, to view, to change or to delete, of which any is sufficient.
            methods: The HTTP methods that the page accepts.
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
            except NotFound as error:
                return error_page(self.admin_site, request, name, str(error), status=404)
            except Unavailable as error:
                return error_page(self.admin_site, request, name, str(error), status=UNAVAILABLE)

        return self.admin_site.admin_view(guarded)


class QueueAdmin(_RedisAdmin):
    """The queues, and the jobs in them."""

    def get_urls(self) -> list[URLPattern]:
        listing = self.page(job_list.index, model="job")
        act = self.page(job_views.on_selected, model="job", needs=_ANY_ACTION, methods=("POST",))
        pause = self.page(queue_views.pause, needs=("change",), methods=("POST",))
        resume = self.page(queue_views.resume, needs=("change",), methods=("POST",))
        pause_entry = self.page(cron.pause, needs=("change",), methods=("POST",))
        resume_entry = self.page(cron.resume, needs=("change",), methods=("POST",))
        run_entry = self.page(cron.run_now, needs=("change",), methods=("POST",))
        return [
            path("stats.json", metrics_views.stats, name="django_rqlite_queue_stats"),
            path("metrics", metrics_views.metrics, name="django_rqlite_queue_metrics"),
            path("", self.page(overview.index), name="django_rqlite_queue_changelist"),
            # "_schedule" is not a valid segment, so no queue can have this address.
            path("_schedule/", self.page(schedule.index), name="django_rqlite_queue_schedule"),
            path("_schedule/<str:name>/pause/", pause_entry, name="django_rqlite_cron_pause"),
            path("_schedule/<str:name>/resume/", resume_entry, name="django_rqlite_cron_resume"),
            path("_schedule/<str:name>/run-now/", run_entry, name="django_rqlite_cron_run_now"),
            # The admin's log links to this name.
            path("<str:name>/", listing, name="django_rqlite_queue_change"),
            path("<str:name>/pause/", pause, name="django_rqlite_queue_pause"),
            path("<str:name>/resume/", resume, name="django_rqlite_queue_resume"),
            path("<str:name>/<str:place>/", listing, name="django_rqlite_queue_jobs"),
            path("<str:name>/<str:place>/action/", act, name="django_rqlite_queue_action"),
        ]


class JobAdmin(_RedisAdmin):
    """Single jobs."""

    def get_urls(self) -> list[URLPattern]:
        requeue = self.page(job_views.requeue, needs=("change",), methods=("POST",))
        cancel = self.page(job_views.cancel, needs=("change",), methods=("POST",))
        run_now = self.page(job_views.run_now, needs=("change",), methods=("POST",))
        stop = self.page(job_views.stop, needs=("change",), methods=("POST",))
        enqueue_copy = self.page(copy.enqueue_copy, needs=("change",), methods=("POST",))
        on_found = self.page(job_views.on_found, needs=_ANY_ACTION, methods=("POST",))
        batch = self.page(all_matching.run_batch, needs=_ANY_ACTION, methods=("POST",))
        delete = self.page(job_views.delete, needs=("delete",), methods=(*_READ, "POST"))
        return [
            path("", self.page(search.index), name="django_rqlite_job_changelist"),
            # "_all" is not a valid segment, so no job can have this address.
            path("_all/action/", on_found, name="django_rqlite_jobs_action"),
            path("_all/batch/", batch, name="django_rqlite_jobs_batch"),
            path("<str:job_id>/", self.page(job_detail.index), name="django_rqlite_job_change"),
            path("<str:job_id>/requeue/", requeue, name="django_rqlite_job_requeue"),
            path("<str:job_id>/cancel/", cancel, name="django_rqlite_job_cancel"),
            path("<str:job_id>/run-now/", run_now, name="django_rqlite_job_run_now"),
            path("<str:job_id>/stop/", stop, name="django_rqlite_job_stop"),
            path("<str:job_id>/copy/", enqueue_copy, name="django_rqlite_job_copy"),
            path("<str:job_id>/delete/", delete, name="django_rqlite_job_delete"),
        ]


class WorkerAdmin(_RedisAdmin):
    """The workers."""

    def get_urls(self) -> list[URLPattern]:
        shut_down = self.page(worker_views.shut_down, needs=("change",), methods=("POST",))
        suspend = self.page(worker_views.suspend_all, needs=("change",), methods=("POST",))
        resume = self.page(worker_views.resume_all, needs=("change",), methods=("POST",))
        return [
            path("", self.page(workers.index), name="django_rqlite_worker_changelist"),
            # "_all" is not a valid segment, so no worker can have this address.
            path("_all/suspend/", suspend, name="django_rqlite_workers_suspend"),
            path("_all/resume/", resume, name="django_rqlite_workers_resume"),
            path("<str:name>/shutdown/", shut_down, name="django_rqlite_worker_shut_down"),
            path("<str:name>/", self.page(workers.detail), name="django_rqlite_worker_change"),
        ]


def register() -> None:
    """Register the models with the default admin site."""
    admin.site.register(models.Queue, QueueAdmin)
    admin.site.register(models.Job, JobAdmin)
    admin.site.register(models.Worker, WorkerAdmin)
