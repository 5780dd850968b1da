"""The jobs as huey's tasks."""

from __future__ import annotations

from huey.contrib.djhuey import task

from noop import jobs

noop = task()(jobs.noop)
report_latency = task()(jobs.report_latency)
