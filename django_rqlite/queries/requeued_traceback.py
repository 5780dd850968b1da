"""The traceback of a job that RQ has requeued."""

from __future__ import annotations

import zlib

#: ``exc_info`` as RQ blanks it when it requeues. ``x_error``, which it does not know, then still
#: tells of the failure before that.
BLANKED = zlib.compress(b"")
