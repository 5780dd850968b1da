"""The interface of measurements that run in alternating rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..contestants import Contestant
from ..launcher import Launcher
from ..samples import Metric


class Measurement(Protocol):
    """A measurement of each contestant in turn, round after round."""

    @property
    def name(self) -> str: ...

    @property
    def metrics(self) -> Sequence[Metric]: ...

    def applies_to(self, contestant: Contestant) -> bool:
        """Whether the measurement applies to this contestant."""
        ...

    def rounds(self, contestant: Contestant) -> int:
        """The number of rounds for this contestant."""
        ...

    def measure(self, launcher: Launcher) -> dict[str, float]:
        """Measure one round. Returns the values by the keys of the metrics.

        Raises:
            MeasurementError: The contestant cannot be measured.
        """
        ...
