"""Running a job that does nothing, before there are children.

What Python learns from running code it writes into that code, and what is run for the first time
fills caches. Done once here, children find it done; else each of them would do it again, on pages
that it would have to copy for it.
"""

from __future__ import annotations

import logging
import socket
from typing import Any

from ..execution import perform
from ..jobs import Job
from ..protocol.records import JobStatus, read_job
from ..protocol.serializers import PickleSerializer
from ..trust import signer
from . import orders
from .child import receive
from .frames import pack
from .reports import pack_report

logger = logging.getLogger("django_rqlite.worker")

#: Python specializes what has run some times, and what that calls some more times later.
TIMES = 30

_ID = "rehearsal"


def nothing() -> None:
    """Do nothing."""


def rehearse() -> None:
    """Run it some times, in this process. Tells nobody, and asks nobody's code but ours."""
    call: tuple[Any, ...] = (f"{nothing.__module__}.{nothing.__qualname__}", None, (), {})
    data = PickleSerializer.dumps(call)
    signature = signer().sign("data", _ID, data)  # lest it fail, and handlers of errors be told
    fields = {b"status": JobStatus.STARTED.encode(), b"data": data, b"x_sig": signature.encode()}
    record = read_job(_ID, fields)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for _ in range(TIMES):
            ours.sendall(orders.run(_ID, _ID, record))
            order = orders.unpack(receive(theirs) or b"")
            job = Job.from_state(order.job_id, order.state, PickleSerializer)
            outcome = perform(job, announce=_to_nobody)
            ours.sendall(pack(pack_report(order.execution, outcome, stays=False)))
            theirs.recv(1 << 16)


def _to_nobody(signal: object, job: Job, **_: object) -> None:
    """Nobody enqueued it."""
