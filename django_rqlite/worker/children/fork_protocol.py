"""What a worker and its fork server send each other: numbers of a fixed size.

Children have numbers that the worker chooses. Process ids would not do: the system may reuse an id
between the end of a child and the moment in which the worker learns of it.

This module has no classes, because the fork server must touch as little memory as possible; see
fork_process.py.
"""

from __future__ import annotations

import struct

#: To the server: the number of a child. A positive number means: fork it, with the pipe whose
#: descriptor is sent along. The same number, negated: kill it and all that it started.
REQUEST = struct.Struct("=q")

#: From the server, for a child that has ended: its number, its status as :func:`os.waitpid` gives
#: it, and its peak resident memory as ``ru_maxrss`` gives it. For a child that the system could not
#: fork: its number, the errno and :data:`FORK_FAILED`.
ANSWER = struct.Struct("=qiq")

FORK_FAILED = -1
