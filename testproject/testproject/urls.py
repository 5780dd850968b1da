"""The demo's pages, and the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("wordcount.urls")),
    path("admin/", admin.site.urls),
]
