"""Running a job that does nothing, to find everything in its place when there is one to run.

What Python learns from running code it writes into that code, and what is run for the first time
fills caches: the worker rehearses before it has children, so that they find it done. A child then
rehearses once more while it waits for its job: what the job would have to copy of the memory that
it shares is copied by then, in time that nobody waits for.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ...conf.signer import sign
from ...execution.run import perform
from ...jobs.job import Job
from ...protocol.records import JobStatus, read_job
from ...protocol.serializers import PickleSerializer
from .framing import pack
from .messages import HEADER_SIZE, pack_report, pack_run, unpack_instruction

#: How often the worker rehearses. Python specializes what has run some times, and what that calls
#: some more times later.
TIMES = 30

_ID = "rehearsal"


def nothing() -> None:
    """Do nothing."""


def rehearse(times: int = 1) -> None:
    """Run it in this process. Tells nobody, and asks nobody's code but ours."""
    order = _order()
    for _ in range(times):
        heard = unpack_instruction(order)
        job = Job.from_state(heard.job_id, heard.state, PickleSerializer)
        outcome = perform(job, announce=_to_nobody)
        pack(pack_report(heard.execution, outcome, stays=False))


@cache
def _order() -> bytes:
    call: tuple[Any, ...] = (f"{nothing.__module__}.{nothing.__qualname__}", None, (), {})
    data = PickleSerializer.dumps(call)
    signature = sign("data", _ID, data)  # lest it fail, and handlers of errors be told
    fields = {b"status": JobStatus.STARTED.encode(), b"data": data, b"x_sig": signature.encode()}
    return pack_run(_ID, _ID, read_job(_ID, fields))[HEADER_SIZE:]


def _to_nobody(signal: object, job: Job, **_: object) -> None:
    """Nobody enqueued it."""
