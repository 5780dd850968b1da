"""Setting a signal handler at the price of the system call.

``signal.signal`` turns numbers and handlers into members of enumerations and back, which takes
longer than what it is called for, and in a process that was just forked touches a dozen pages. What
it wraps is the same without.
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

#: What the system does with a signal by itself, as a number.
BY_DEFAULT = int(signal.SIG_DFL)

#: Set a handler and give the one before (None: it was not set by Python).
set_handler: Callable[[int, Handler], Handler] = _set
