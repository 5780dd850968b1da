"""All concerns of the overview, in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..formatting import shortened
from .concern import Concern
from .queue_state import QueueState
from .queues import about_queue


def concerns(
    states: Sequence[QueueState],
    of_servers: Sequence[Concern],
    errors: Sequence[str],
    now: datetime,
) -> list[Concern]:
    """Everything that needs attention, the most urgent first.

    Args:
        of_servers: The concerns of whole servers.
        errors: Why servers did not answer, in sentences.
    """
    found = [Concern(50, shortened(error, 300), "") for error in errors]
    found += [*of_servers, *(concern for state in states for concern in about_queue(state, now))]
    return sorted(found, key=lambda concern: -concern.weight)
