"""Something that needs attention."""

from __future__ import annotations

from dataclasses import dataclass

from ..formatting import shortened


@dataclass(frozen=True, slots=True)
class Concern:
    """A sentence, and the page to look at.

    Attributes:
        weight: Concerns with a greater weight come first.
        address: That of the page, or ``''``.
        model: Whose permission to view the page needs: ``job``, ``worker`` or ``queue``.
    """

    weight: int
    sentence: str
    address: str
    model: str = "job"


def with_server(sentence: str, server: str) -> str:
    """A sentence about a whole server, after its address.

    Args:
        server: The address, or ``''`` if there is no other server.
    """
    return f"{shortened(server, 100)}: {sentence}" if server else sentence
