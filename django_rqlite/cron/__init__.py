"""Periodic jobs: entries, schedules and ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..compat.missing_names import module_getattr
from .config_file import register

__all__ = ["register"]

if not TYPE_CHECKING:  # Otherwise type checkers would accept any name.
    __getattr__ = module_getattr(__name__)
