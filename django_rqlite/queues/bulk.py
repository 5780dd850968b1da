"""Enqueues many jobs into one queue, a thousand in each round trip.

A batch of a thousand jobs is prepared and serialized, then sent as ten scripts of a hundred jobs
each. While the server works on these, the next batch is prepared. A small job takes about 9 µs to
prepare and to send, and 3 µs of the server's time, in scripts of 0.3 ms each. With one script per
job, a job took the server 15 µs. One script for a whole batch would save almost nothing, and would
block the server's other clients ten times as long.

A script enqueues all of its jobs or none. So only jobs that cannot be refused share a script: those
whose ids were made here, which have no unique key, and which do not wait for other jobs. Each of
the others has its own script, in the order of the jobs, and does not affect them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, Self

from ..exceptions import DuplicateJobError
from ..jobs.job import Job
from ..jobs.options import JobOptions
from .delivery import Delivery, PreparedJob, Receipt, summary

#: Jobs in one round trip: enough that the latency no longer matters, and few enough that neither
#: side holds many bytes.
BATCH = 1000


class EnqueueData(NamedTuple):
    """A call and its options; see :meth:`Queue.prepare_data`."""

    func: Callable[..., Any] | str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    options: JobOptions


def deliver_in_batches(
    delivery: Delivery, jobs: Iterable[PreparedJob], *, ignore_duplicates: bool
) -> list[Job]:
    """Deliver jobs in batches.

    Args:
        jobs: An iterator that prepares each job when it is read. A batch is read while the server
            works on the one before.
        ignore_duplicates: Whether to leave out the jobs that are refused.

    Returns:
        The jobs that were not refused.

    Raises:
        DuplicateJobError: Some jobs were refused. All others have been enqueued.
        Exception: An exception of preparing or delivering a job; see :class:`Delivery`.
    """
    source = iter(jobs)
    enqueued: list[Job] = []
    refused: list[DuplicateJobError] = []
    with _BatchInFlight(enqueued, refused) as in_flight:
        while batch := list(islice(source, BATCH)):
            in_flight.finish()
            in_flight.start(delivery, batch)
    if refused and not ignore_duplicates:
        raise summary(refused)
    return enqueued


class _BatchInFlight:
    """The batch that is delivered while the next one is prepared.

    There is at most one, so that the jobs enter the queue in their order.

    Args:
        enqueued: The list to which delivered jobs are added.
        refused: The list to which the errors of refused jobs are added.
    """

    def __init__(self, enqueued: list[Job], refused: list[DuplicateJobError]) -> None:
        self._enqueued = enqueued
        self._refused = refused
        self._receipt: Receipt | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # An exception of the caller's generator may end the loop. The batch that was sent before is
        # enqueued nevertheless, and its signals must be sent.
        try:
            self.finish()
        except Exception as exc:
            if error is None:
                raise
            error.add_note(f"Of the jobs before it, not all were enqueued: {exc}")

    def start(self, delivery: Delivery, batch: Sequence[PreparedJob]) -> None:
        """Begin to deliver a batch."""
        self._receipt = delivery.deliver_many(batch)

    def finish(self) -> None:
        """Wait for the batch, if there is one."""
        receipt, self._receipt = self._receipt, None
        if receipt is not None:
            jobs, refused = receipt.result()
            self._enqueued += jobs
            self._refused += refused
