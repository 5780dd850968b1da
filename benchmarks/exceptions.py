"""The error of a measurement."""

from __future__ import annotations


class MeasurementError(Exception):
    """A contestant could not be measured. The message is the reason."""
