"""What a step that fails says."""

from __future__ import annotations


class StepFailed(Exception):
    """One contestant could not be measured in one thing. The message says why, for the table."""
