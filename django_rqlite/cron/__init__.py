"""Jobs that recur: the entries, when they are due, and who enqueues them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..compat.missing_names import module_getattr
from .config_file import register

__all__ = ["register"]

if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = module_getattr(__name__)
