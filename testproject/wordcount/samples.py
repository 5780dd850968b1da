"""The sample jobs of the page's buttons, one for each outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wordcount import jobs

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Sample:
    """A button and the job that it enqueues."""

    label: str
    explanation: str
    function: Callable[..., object]
    args: tuple[Any, ...] = ()
    queue: str = "default"
    options: dict[str, Any] = field(default_factory=dict)


SAMPLES = {
    "fail": Sample(
        "Fail",
        "divides by zero; the traceback is kept",
        jobs.divide,
        args=(1, 0),
    ),
    "run-long": Sample(
        "Run long",
        "sleeps for 30 seconds on the queue low",
        jobs.sleep_for,
        args=(30,),
        queue="low",
    ),
    "time-out": Sample(
        "Time out",
        "sleeps for a minute with a timeout of 2 seconds",
        jobs.sleep_through_timeout,
        options={"job_timeout": 2},
    ),
    "crash": Sample(
        "Crash",
        "ends its process without an exception; the worker goes on",
        jobs.crash,
    ),
}
