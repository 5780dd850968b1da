"""The runner's end of the conversation with a driver, see ``project/answering.py``."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .failure import StepFailed
from .processes import Started

#: Seconds that an answer may take where nothing else is said.
_PATIENCE = 60


class Driver:
    """A process of a contestant's site that does as it is told."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._process = Started(command, environment, log, answers=True)

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

    def do(self, what: str, patience: float = _PATIENCE, **how: object) -> Any:
        """Have it done; returns what came of it.

        Raises:
            StepFailed: it could not be done, or took longer than ``patience`` seconds.
        """
        self.tell(what, **how)
        return self.answer(patience)

    def tell(self, what: str, **how: object) -> None:
        """Say what to do, without waiting for the answer."""
        pipe = self._process.process.stdin
        assert pipe is not None
        try:
            pipe.write(json.dumps({"do": what, **how}).encode() + b"\n")
            pipe.flush()
        except BrokenPipeError as error:
            raise StepFailed(f"the driver has ended: {self._process.last_words()}") from error

    def answer(self, patience: float = _PATIENCE) -> Any:
        """The answer to what was told last; errors as for :meth:`do`."""
        pipe = self._process.process.stdout
        assert pipe is not None
        deadline = time.monotonic() + patience
        text = b""
        while not text.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise StepFailed(f"the driver did not answer within {patience:g} s")
            chunk = os.read(pipe.fileno(), 1 << 16)
            if not chunk:
                raise StepFailed(f"the driver has ended: {self._process.last_words()}")
            text += chunk
        answer = json.loads(text)
        if "error" in answer:
            raise StepFailed(str(answer["error"]))
        return answer["value"]
