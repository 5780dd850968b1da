"""``--pid FILE``: where other programs find the process."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.management.base import CommandError


class PidFile:
    """The process id in a file, for as long as the block runs; nothing where no path is given."""

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
