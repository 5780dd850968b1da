"""One thing that needs attention."""

from __future__ import annotations

from dataclasses import dataclass

from .. import formatting as shown


@dataclass(frozen=True, slots=True)
class Concern:
    """A sentence, and where to look. The greater its weight, the sooner."""

    weight: int
    sentence: str
    address: str
    #: Of what the address is: ``job``, ``worker`` or ``queue``. Who may view those may follow it.
    model: str = "job"


def of_server(sentence: str, server: str) -> str:
    """A sentence about a whole server, which is named if there are others ('' if not)."""
    return f"{shown.shortened(server, 100)}: {sentence}" if server else sentence
