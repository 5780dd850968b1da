"""RQ lite in Django's admin: queues, their jobs, the workers.

:mod:`.site` says which page has which address and needs which permission, :mod:`.pages` shows
(through the read model, without writing or unpickling anything), and :mod:`.actions` changes
(through the engine, by POST, logged).
"""

from __future__ import annotations

from django.apps import apps

# The template tags use the formatting of this package, in projects without the admin too.
if apps.is_installed("django.contrib.admin"):
    from django.contrib import admin

    from .. import models
    from .site import JobAdmin, QueueAdmin, WorkerAdmin

    admin.site.register(models.Queue, QueueAdmin)
    admin.site.register(models.Job, JobAdmin)
    admin.site.register(models.Worker, WorkerAdmin)
