"""Where all jobs are, at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import redis as redis_py

from tests.keyspace import PLACES

#: Places in which a job has ended.
ENDED = frozenset({"finished", "failed", "canceled"})

Places = dict[str, list[str]]


def look(redis: redis_py.Redis, queues: Sequence[str]) -> Places:
    """Where each id is, as ``place:queue``; twice where it is twice. All read in one step."""
    names = [(place, queue) for queue in queues for place in ("queue", *PLACES)]
    with redis.pipeline(transaction=True) as pipe:
        for place, queue in names:
            if place == "queue":
                pipe.lrange(f"rq:queue:{queue}", 0, -1)
            else:
                pipe.zrange(f"rq:{place}:{queue}", 0, -1)
        answers = pipe.execute()
    found: Places = {}
    for (place, queue), members in zip(names, answers, strict=True):
        for member in members:
            job_id = member.decode()
            if place == "wip":
                job_id = job_id.rpartition(":")[0]
            found.setdefault(job_id, []).append(f"{place}:{queue}")
    return found


def misplaced(found: Places, ids: Iterable[str]) -> list[str]:
    """What is wrong, in words: ids that are nowhere, or in more than one place."""
    return [
        f"job {job_id} is {'in ' + ' and '.join(places) if places else 'nowhere'}"
        for job_id in ids
        if len(places := found.get(job_id, [])) != 1
    ]


def all_ended(found: Places, ids: Iterable[str]) -> bool:
    """Whether each of these jobs stands where jobs stand that have ended, and only there."""
    return all(
        [place.partition(":")[0] in ENDED for place in found.get(job_id, [])] == [True]
        for job_id in ids
    )
