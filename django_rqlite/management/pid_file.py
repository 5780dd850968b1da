"""``--pid FILE``: write the process id into a file, for other programs."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.management.base import CommandError


class PidFile:
    """A block during which the process id is in a file.

    Args:
        path: The file; None: no file.

    Raises:
        CommandError: The file can't be written.
    """

    def __init__(self, path: str | None) -> None:
        self._path = Path(path).expanduser() if path else None

    def __enter__(self) -> None:
        if self._path is not None:
            try:
                self._path.write_text(f"{os.getpid()}\n")
            except OSError as exc:
                raise CommandError(f"--pid {self._path} can't be written: {exc}") from exc

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
