"""What is in Redis, and which commands it gets."""

from __future__ import annotations

from collections.abc import Callable

import redis as redis_py

PLACES = ("wip", "finished", "failed", "deferred", "scheduled", "canceled")


def dumped(redis: redis_py.Redis) -> dict[bytes, bytes | None]:
    """Every key with its value, byte for byte."""
    return {key: redis.dump(key) for key in sorted(redis.scan_iter())}


def places(
    redis: redis_py.Redis, job_id: str, queues: tuple[str, ...] = ("default", "high", "low")
) -> list[str]:
    """The places in which an id is, with repetitions. The mirror of failed jobs does not count."""
    found = []
    for queue in queues:
        waiting = redis.lrange(f"rq:queue:{queue}", 0, -1)
        found += [f"queue:{queue}"] * waiting.count(job_id.encode())
        for place in PLACES:
            for member in redis.zrange(f"rq:{place}:{queue}", 0, -1):
                if member.decode().partition(":")[0] == job_id:
                    found.append(f"{place}:{queue}")
    return found


def commands(redis: redis_py.Redis, act: Callable[[], object]) -> list[str]:
    """The names of the commands that clients send while ``act()`` runs."""
    seen: list[str] = []
    with redis.monitor() as monitor:
        redis.echo("begin")  # connects
        for entry in monitor.listen():
            if entry["command"] == "ECHO begin":
                seen.clear()
                act()
                redis.echo("end")
            elif entry["command"] == "ECHO end":
                return seen
            elif entry["client_type"] != "lua":
                seen.append(entry["command"].split()[0])
    raise AssertionError("MONITOR ended")
