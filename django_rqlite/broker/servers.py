"""The servers that the settings name: configured queues, grouped by their broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..conf import QueueConf
from .broker import Broker


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and the configured queues that are on it below one prefix.

    Attributes:
        queues: In the order of the settings; at least one.
        is_only: Whether it is the only server of the queues that were grouped.
    """

    queues: tuple[QueueConf, ...]
    is_only: bool = True

    @property
    def name(self) -> str:
        """The name of its first queue, which names the server in addresses of pages."""
        return self.queues[0].name

    @property
    def queue_names(self) -> list[str]:
        """The names of its queues, in the order of the settings."""
        return [queue.name for queue in self.queues]

    @property
    def broker(self) -> Broker:
        """The broker of its queues.

        Raises:
            ConfigurationError: The connection setting cannot be used.
        """
        return Broker.of_queue(self.queues[0])

    def has_queue(self, name: str) -> bool:
        """Whether a queue of this name is configured on the server."""
        return any(queue.name == name for queue in self.queues)


def servers_of(queues: Iterable[QueueConf]) -> list[Server]:
    """Group queues that have the same connection setting and prefix. Connects to nothing."""
    groups: dict[object, list[QueueConf]] = {}
    for queue in queues:
        groups.setdefault((queue.connection, queue.key_prefix), []).append(queue)
    return [Server(tuple(group), len(groups) == 1) for group in groups.values()]
