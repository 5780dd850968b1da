"""The name of a worker."""

from __future__ import annotations

import os
import socket
import uuid


class WorkerName:
    """The name under which a worker is listed. A default name may change.

    Args:
        given: The name that the user chose; None: ``<host>.<pid>``, as in RQ 0.5.

    Attributes:
        value: The name now.
    """

    def __init__(self, given: str | None = None) -> None:
        self._given = bool(given)
        self.value = given or _default_name()

    def __str__(self) -> str:
        return self.value

    def change(self) -> bool:
        """Take another default name, because a live worker has this one.

        Containers may share a host name, and each has a process 1.

        Returns:
            Whether the name has changed. A name that the user chose does not.
        """
        if self._given:
            return False
        self.value = f"{_default_name()}.{uuid.uuid4().hex[:6]}"
        return True


def _default_name() -> str:
    return f"{socket.gethostname().partition('.')[0]}.{os.getpid()}"
