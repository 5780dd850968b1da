"""The tests' settings and a queue whose jobs are JSON."""

from __future__ import annotations

from tests.settings import *  # noqa: F403

RQ_QUEUES["json"] = {**RQ_QUEUES["default"], "SERIALIZER": "json"}  # noqa: F405
