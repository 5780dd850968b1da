"""Queues, under django-rq's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..broker.clients import filter_connection_params, get_connection, get_redis_connection
from ..compat.missing_names import module_getattr
from ..jobs.job import get_job_class
from .lookup import (
    VALID_COMMIT_MODES,
    DjangoRQ,
    enqueue,
    get_commit_mode,
    get_queue,
    get_queue_by_index,
    get_queue_class,
    get_queues,
    get_result_ttl,
    get_scheduler,
)
from .queue import Queue

__all__ = [
    "VALID_COMMIT_MODES",
    "DjangoRQ",
    "Queue",
    "enqueue",
    "filter_connection_params",
    "get_commit_mode",
    "get_connection",
    "get_job_class",
    "get_queue",
    "get_queue_by_index",
    "get_queue_class",
    "get_queues",
    "get_redis_connection",
    "get_result_ttl",
    "get_scheduler",
]

if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = module_getattr(__name__)
