"""A module that starts no thread itself: another one does, which it imports."""

from __future__ import annotations

from .tasks import use_pool

__all__ = ["use_pool"]
