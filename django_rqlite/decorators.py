"""``@job``; replaces ``django_rq.decorators``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .compat.missing_names import module_getattr
from .queues.decorators import JobFunction, job

__all__ = ["JobFunction", "job"]

if not TYPE_CHECKING:  # Otherwise type checkers would accept any name.
    __getattr__ = module_getattr(__name__)
