"""Jobs: their options, records, policies and results, and commands to the workers that run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..compat.missing_names import module_getattr
from .job import Job, cancel_job, get_current_job, get_job_class, requeue_job

__all__ = ["Job", "cancel_job", "get_current_job", "get_job_class", "requeue_job"]

if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = module_getattr(__name__)
