"""For sites without the admin: ``path("rq/", include("django_rqlite.urls"))``."""

from __future__ import annotations

from django.urls import path

from .metrics import views

app_name = "django_rqlite"
urlpatterns = [
    path("stats.json", views.stats, name="stats"),
    path("metrics", views.metrics, name="metrics"),
]
