"""Where all jobs are at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import redis as redis_py

from tests.keyspace import PLACES

#: Places of jobs that have ended.
ENDED = frozenset({"finished", "failed", "canceled"})

Places = dict[str, list[str]]


def read_places(redis: redis_py.Redis, queues: Sequence[str]) -> Places:
    """Return the places of each id as ``place:queue``. The server reads all in one transaction."""
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
    """Describe each id that is in no place or in several."""
    return [
        f"job {job_id} is {'in ' + ' and '.join(places) if places else 'nowhere'}"
        for job_id in ids
        if len(places := found.get(job_id, [])) != 1
    ]


def all_ended(found: Places, ids: Iterable[str]) -> bool:
    """Whether each of these jobs is in one place, and has ended."""
    return all(
        [place.partition(":")[0] in ENDED for place in found.get(job_id, [])] == [True]
        for job_id in ids
    )
