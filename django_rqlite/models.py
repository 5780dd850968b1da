"""What permissions and the admin hang on. There are no tables: everything is in Redis."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class _Nothing(models.Manager[Any]):
    """Finds nothing, so that ``dumpdata`` and the like ask no table that isn't there."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().none()


class _InRedis(models.Model):
    """To look is one permission, to operate another; nothing is added by hand.

    Jobs can be deleted, and nothing else, which takes the permission that Django has for it.
    """

    objects = _Nothing()

    class Meta:
        abstract = True
        managed = False
        default_permissions = ("view", "change")
        base_manager_name = "objects"


class Queue(_InRedis):
    """A queue, known by its name."""

    name = models.TextField(_("name"), primary_key=True)

    class Meta(_InRedis.Meta):
        verbose_name = _("queue")
        verbose_name_plural = _("queues")

    def __str__(self) -> str:
        return self.name


class Job(_InRedis):
    """A job, known by its id."""

    id = models.TextField(_("ID"), primary_key=True)

    class Meta(_InRedis.Meta):
        default_permissions = ("view", "change", "delete")  # type: ignore[assignment]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return self.id


class Worker(_InRedis):
    """A worker, known by its name."""

    name = models.TextField(_("name"), primary_key=True)

    class Meta(_InRedis.Meta):
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name
