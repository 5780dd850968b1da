"""Driver processes, which run operations in a contestant's site. ``project/driver_loop.py`` is the
other end of their pipes.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .exceptions import MeasurementError
from .processes import ManagedProcess

#: Default timeout of an answer, in seconds.
_TIMEOUT = 60


class Driver:
    """A process of a contestant's site that runs operations on request."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._process = ManagedProcess(command, environment, log, answers=True)

    def __enter__(self) -> Driver:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.kill()

    def do(self, what: str, timeout: float = _TIMEOUT, **how: object) -> Any:
        """Run an operation and return its result.

        Raises:
            MeasurementError: The operation failed, or took longer than ``timeout`` seconds.
        """
        self.tell(what, **how)
        return self.answer(timeout)

    def tell(self, what: str, **how: object) -> None:
        """Start an operation without waiting for its result."""
        pipe = self._process.process.stdin
        assert pipe is not None
        try:
            pipe.write(json.dumps({"do": what, **how}).encode() + b"\n")
            pipe.flush()
        except BrokenPipeError as error:
            raise MeasurementError(f"the driver has ended: {self._process.last_words()}") from error

    def answer(self, timeout: float = _TIMEOUT) -> Any:
        """The result of the operation that was started last. It raises what :meth:`do` raises."""
        pipe = self._process.process.stdout
        assert pipe is not None
        deadline = time.monotonic() + timeout
        text = b""
        while not text.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise MeasurementError(f"the driver did not answer within {timeout:g} s")
            chunk = os.read(pipe.fileno(), 1 << 16)
            if not chunk:
                raise MeasurementError(f"the driver has ended: {self._process.last_words()}")
            text += chunk
        answer = json.loads(text)
        if "error" in answer:
            raise MeasurementError(str(answer["error"]))
        return answer["value"]
