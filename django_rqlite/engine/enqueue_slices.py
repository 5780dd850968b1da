"""Which of many new jobs one script can enqueue together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .values import NewJob

#: Jobs that one script enqueues at the most, and bytes that they may have together: it keeps the
#: server from others for less than a millisecond.
MOST_JOBS = 100
MOST_BYTES = 256 * 1024


def parted(jobs: Sequence[NewJob]) -> Iterator[list[NewJob] | NewJob]:
    """The jobs in their order: as many in a list as one script may take, others alone.

    Alone is what may have to be refused, or must look for another job first.
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
    """Bytes of the fields that may be long."""
    data, meta = new.fields.get("data"), new.fields.get("meta")
    return (len(data) if isinstance(data, bytes) else 0) + (
        len(meta) if isinstance(meta, bytes) else 0
    )
