"""What all measurements have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..contestants import Contestant
from ..samples import Metric
from ..stage import Stage


class Measurement(Protocol):
    """Something that is measured of each contestant in turn, round after round."""

    @property
    def name(self) -> str: ...

    @property
    def metrics(self) -> Sequence[Metric]: ...

    def can(self, contestant: Contestant) -> bool:
        """Whether there is anything to measure of this one."""
        ...

    def rounds(self, contestant: Contestant) -> int:
        """How often."""
        ...

    def measure(self, stage: Stage) -> dict[str, float]:
        """One round: numbers by the metrics' keys.

        Raises:
            StepFailed: it can't be measured, and why.
        """
        ...
