"""What a worker and its fork server say to each other: numbers of one size.

Children are known by numbers that the worker chooses, never by process ids: the system may give an
id away again between a death and the moment the worker hears of it.

No classes in here: the fork server must touch as little memory as can be; see fork_process.py.
"""

from __future__ import annotations

import struct

#: To the server. A child's number: make it, with the channel whose descriptor comes along. The
#: same, negative: kill it, and all that it started.
REQUEST = struct.Struct("=q")

#: From the server, of a child that has ended: its number, its status as :func:`os.waitpid` gives
#: it, and its largest resident memory as ``ru_maxrss`` gives it. Or, of one that the system would
#: not make: its number, the errno, and :data:`NEVER_MADE`.
ANSWER = struct.Struct("=qiq")

NEVER_MADE = -1
