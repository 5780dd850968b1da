"""The models that permissions and the admin need. They have no tables: all data is in Redis."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class _EmptyManager(models.Manager[Any]):
    """Finds nothing, so that commands such as ``dumpdata`` do not query a missing table."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().none()


class _InRedis(models.Model):
    """Has the permissions to view and to change. Objects are not added by hand.

    Only jobs can be deleted, and have Django's permission to delete.
    """

    objects = _EmptyManager()

    class Meta:
        abstract = True
        managed = False
        default_permissions = ("view", "change")
        base_manager_name = "objects"


class Queue(_InRedis):
    """A queue, identified by its name."""

    name = models.TextField(_("name"), primary_key=True)

    class Meta(_InRedis.Meta):
        verbose_name = _("queue")
        verbose_name_plural = _("queues")

    def __str__(self) -> str:
        return self.name


class Job(_InRedis):
    """A job, identified by its id."""

    id = models.TextField(_("ID"), primary_key=True)

    class Meta(_InRedis.Meta):
        default_permissions = ("view", "change", "delete")  # type: ignore[assignment]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return self.id


class Worker(_InRedis):
    """A worker, identified by its name."""

    name = models.TextField(_("name"), primary_key=True)

    class Meta(_InRedis.Meta):
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name
