"""What ``manage.py check`` says of ``RQ_QUEUES`` and ``RQ``."""

from __future__ import annotations


def register() -> None:
    """Register the checks with Django."""
