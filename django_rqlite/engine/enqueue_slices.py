"""Divides many new jobs into slices, each of which one script enqueues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .values import NewJob

#: The maximum number of jobs that one script enqueues, and the most bytes of their calls and
#: ``meta`` together. Such a script keeps the server busy for less than a millisecond.
MOST_JOBS = 100
MOST_BYTES = 256 * 1024


def slices(jobs: Sequence[NewJob]) -> Iterator[list[NewJob] | NewJob]:
    """Divide the jobs, in their order, into lists for one script each, and single jobs.

    A job is single if it may be refused, or if the script must look at other jobs first: that is a
    job with the caller's own id, a unique key or parents.
    """
    together: list[NewJob] = []
    like: object = None
    size = 0
    for new in jobs:
        fields = new.fields
        if not new.minted or new.parents or "x_unique" in fields:
            if together:
                yield together
                together, size = [], 0
            yield new
            continue
        kind = (new.queue, new.at_front, new.ttl, fields.get("group_id"))
        weight = _weight(new)
        if together and (kind != like or len(together) == MOST_JOBS or size + weight > MOST_BYTES):
            yield together
            together, size = [], 0
        together.append(new)
        like = kind
        size += weight
    if together:
        yield together


def _weight(new: NewJob) -> int:
    """The bytes of the fields that may be long."""
    data, meta = new.fields.get("data"), new.fields.get("meta")
    return (len(data) if isinstance(data, bytes) else 0) + (
        len(meta) if isinstance(meta, bytes) else 0
    )
