"""A module that may be imported before a fork: its thread ends with the import."""

from __future__ import annotations

import os
import threading

_thread = threading.Thread(target=int)
_thread.start()
_thread.join()

#: The process that has imported this.
IMPORTED_BY = os.getpid()

print("clean.jobs was imported", flush=True)


def imported_by() -> list[int]:
    """Give the process that has imported this module, and the one that runs the job."""
    return [IMPORTED_BY, os.getpid()]
