"""For sites without the admin: ``path("rq/", include("django_rqlite.urls"))``."""

from __future__ import annotations

from django.urls import path

from .metrics import views as exports

app_name = "django_rqlite"
urlpatterns = [
    path("stats.json", exports.stats, name="stats"),
    path("metrics", exports.metrics, name="metrics"),
]
