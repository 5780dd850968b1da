"""Sets signal handlers in little more time than the system call takes.

``signal.signal`` turns numbers and handlers into members of enumerations and back. That takes
longer than setting the handler, and touches a dozen pages in a process that was just forked. The C
function that it wraps does not do this.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

try:
    from _signal import signal as _set  # type: ignore[import-not-found]
except ImportError:  # not CPython
    _set = signal.signal

Handler = Callable[[int, FrameType | None], Any] | int | None

#: The system's default handler, as a number.
BY_DEFAULT = int(signal.SIG_DFL)

#: Set a handler and return the previous one; ``None``: it was not set by Python.
set_handler: Callable[[int, Handler], Handler] = _set
