"""The jobs as Celery's tasks."""

from __future__ import annotations

from noop import jobs

from .app import app

noop = app.task(jobs.noop)
report_latency = app.task(jobs.report_latency)
