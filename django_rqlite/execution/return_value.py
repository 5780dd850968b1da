"""Serializes a job's return value for storage.

A job that returns has done its work, so it does not fail if its value cannot be stored. Another run
would do the work again, with the same result. RQ 2.12 does the same (rq/results.py).
"""

from __future__ import annotations

import reprlib
from collections import deque
from typing import Any

from .. import conf
from ..exceptions import JobTimeoutException
from ..jobs.job import Job
from ..protocol.stored_result import TOO_LARGE, UNSERIALIZABLE

#: Characters of the sentence that says why a value is not stored.
LONGEST_REASON = 1000


def kept(job: Job, value: object) -> tuple[bytes, str]:
    """Serialize the value that a job returned.

    Returns:
        The serialized value and ``''``; or its replacement, and the reason in a sentence.

    Raises:
        JobTimeoutException: The job ran out of time meanwhile.
    """
    if value is None:
        return b"", ""
    try:
        payload = job.serializer.dumps(value)
    except JobTimeoutException:
        raise
    except Exception as exc:  # noqa: BLE001 - a value, or a serializer, may raise anything
        why = f"{_described(value)}, which can't be serialized ({_said(exc)})."
        return _in_its_place(job, UNSERIALIZABLE), why[:LONGEST_REASON]
    most = conf.max_result_size()
    if len(payload) <= most:
        return payload, ""
    why = (
        f"{_described(value)}, which has {len(payload):,} bytes when serialized. "
        f"RQ['MAX_RESULT_SIZE'] is {most:,}."
    )
    return _in_its_place(job, TOO_LARGE), why[:LONGEST_REASON]


def _in_its_place(job: Job, text: str) -> bytes:
    try:
        return job.serializer.dumps(text)
    except Exception:  # noqa: BLE001 - a project's own serializer, which may take no text
        return b""


def _described(value: object) -> str:
    kind = type(value)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    return f"The job returned {_brief(value)}, of the type {name[:200]}"


def _said(exc: Exception) -> str:
    try:
        return f"{type(exc).__name__}: {exc}"[:300]
    except Exception:  # noqa: BLE001 - an exception may carry anything
        return type(exc).__name__


def _brief(value: object) -> str:
    try:
        return _BRIEF.repr(value)
    except Exception as exc:  # noqa: BLE001 - a value's own repr may raise anything
        return f"something whose repr raises {type(exc).__name__}"


class _Brief(reprlib.Repr):
    """A ``repr`` that stops early. Python's own would format a large value completely."""

    _BOUNDED = (str, bytes, bytearray, dict, list, tuple, set, frozenset, deque)

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = 200

    def repr1(self, x: Any, level: int) -> str:
        # reprlib selects by the class's name, so it would format a subclass completely.
        for kind in self._BOUNDED:
            if isinstance(x, kind):
                shown: str = getattr(self, f"repr_{kind.__name__}")(x, level)
                return shown
        return super().repr1(x, level)

    def repr_bytes(self, x: bytes, level: int) -> str:
        return repr(x[: self.maxstring]) + ("..." if len(x) > self.maxstring else "")

    repr_bytearray = repr_bytes


_BRIEF = _Brief()
