"""Runs a job that does nothing, so that the first real job runs warm code.

Python specializes code while it runs, and the first run of a function fills caches. The worker
warms up before it forks, so that children inherit the result. A child warms up once more while it
waits for its job: it copies the shared memory that the job would have to copy, at a time when
nothing waits for it.
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

#: How many runs the worker needs. Python specializes code after some runs, and the code that it
#: calls some runs later.
RUNS = 30

_ID = "warm-up"


def do_nothing() -> None:
    """Serve as the function of the job."""


def warm_up(runs: int = 1) -> None:
    """Run the job in this process. No outcome is stored, and no code of the project runs."""
    body = _instruction()
    for _ in range(runs):
        instruction = unpack_instruction(body)
        job = Job.from_state(
            instruction.job_id, instruction.state, PickleSerializer, verified=instruction.verified
        )
        outcome = perform(job, announce=_no_signal)
        pack(pack_report(instruction.execution, outcome, stays=False))


@cache
def _instruction() -> bytes:
    call: tuple[Any, ...] = (f"{do_nothing.__module__}.{do_nothing.__qualname__}", None, (), {})
    data = PickleSerializer.dumps(call)
    signature = sign("data", _ID, data)  # unsigned, it could fail and call exception handlers
    fields = {b"status": JobStatus.STARTED.encode(), b"data": data, b"x_sig": signature.encode()}
    return pack_run(_ID, _ID, read_job(_ID, fields))[HEADER_SIZE:]


def _no_signal(signal: object, job: Job, **_: object) -> None:
    """Send no Django signal, because this is not a job of the project."""
