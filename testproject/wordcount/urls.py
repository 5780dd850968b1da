"""The word-count pages."""

from __future__ import annotations

from django.urls import path

from wordcount import views

urlpatterns = [
    path("", views.index, name="index"),
    path("samples/<slug:name>/", views.enqueue_sample, name="enqueue-sample"),
    path("jobs/<str:job_id>/", views.status, name="status"),
    path("seed-page/", views.seed_page, name="seed-page"),
]
