"""A name that changes the writing direction does not affect the text beside it."""

from __future__ import annotations

import pickle
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.admin_world import (
    JOBS,
    QUEUES,
    SCHEDULE,
    WORKERS,
    World,
    job_delete,
    job_page,
    queue_action,
    queue_page,
    worker_page,
)

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db

TURN = "\u202e"
NAME = f"a{TURN}b"
PLACES = ["queued", "started", "finished", "failed", "deferred", "scheduled", "canceled"]

#: Elements that isolate the writing direction of their text.
ISOLATING = {"bdi", "pre"}
#: Elements without an end tag.
VOID = {"br", "img", "input", "link", "meta", "hr", "wbr"}


class Texts(HTMLParser):
    """Collects the texts with the mark outside of isolating elements."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.isolated = 0
        self.loose: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            assert "<bdi" not in (value or ""), f"there is markup in {name} of {tag}"

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if TURN not in data:
            return
        if ISOLATING.isdisjoint(self._open):
            self.loose.append(f"{' > '.join(self._open[-3:])}: {data.strip()[:80]}")
        else:
            self.isolated += 1


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    world = World(redis)
    everywhere = ("origin", "description", "worker_name", "x_error", "group_id", "x_unique")
    stored = {**dict.fromkeys(everywhere, NAME), "x_unique_for": "5", "exc_info": NAME}
    stored |= {"dependency_ids": f'["{NAME}"]', "timeout": NAME}
    for queue in ("default", NAME):
        redis.sadd("rq:queues", f"rq:queue:{queue}")
        for place in PLACES:
            job_id = f"{place}-{NAME}"
            call = pickle.dumps((NAME, None, (NAME,), {NAME: NAME}))
            fields = {**stored, "status": place, "data": call, "meta": pickle.dumps(NAME)}
            redis.hset(f"rq:job:{job_id}", mapping={**fields, "result": pickle.dumps([NAME])})
            outcome = {"type": "2", "worker_name": NAME, "exc_string": f"E: {NAME}"}
            redis.xadd(f"rq:results:{job_id}", outcome)
            redis.sadd(f"rq:job:{job_id}:dependents", NAME)
            if place == "queued":
                redis.rpush(f"rq:queue:{queue}", job_id)
            elif place == "started":
                redis.zadd(f"rq:wip:{queue}", {f"{job_id}:x": 1})
            else:
                redis.zadd(f"rq:{place}:{queue}", {job_id: 2e9})
    world.worker(NAME, "default", NAME, hostname=NAME, current_job=f"started-{NAME}")
    world.worker(f"gone-{NAME}")
    redis.delete(f"rq:worker:gone-{NAME}")
    redis.hset(f"rq:job:started-{NAME}", "worker_name", f"gone-{NAME}")
    world.redis.hset(f"rq:job:runs-{NAME}", mapping={**stored, "status": "started"})
    world.redis.hset(f"rq:job:runs-{NAME}", "x_execution", "x")
    world.redis.zadd("rq:wip:default", {f"runs-{NAME}:x": 2e9})
    world.cron(NAME)
    redis.hset(f"rq:x:cron:entry:{NAME}", mapping=dict.fromkeys(("func", "schedule"), NAME))
    redis.hset(f"rq:x:cron:entry:{NAME}", mapping=dict.fromkeys(("source", "last_job"), NAME))
    redis.set(f"rq:finished:other-{NAME}", "no sorted set")
    redis.sadd("rq:queues", f"rq:queue:other-{NAME}")
    return world


def test_pages(world: World, admin_client: Client) -> None:
    isolated = 0
    for page in (
        *(QUEUES, SCHEDULE, JOBS, WORKERS, f"{JOBS}?state=failed&group=1", f"{JOBS}?q=zz{TURN}"),
        *(queue_page(queue, place) for queue in ("default", NAME) for place in PLACES),
        *(job_page(f"{place}-{NAME}") for place in PLACES),
        *(worker_page(NAME), worker_page(f"gone-{NAME}"), job_delete(f"failed-{NAME}")),
    ):
        answer = admin_client.get(page)
        assert answer.status_code == 200, page
        texts = Texts()
        texts.feed(answer.content.decode())
        assert texts.loose == [], page
        isolated += texts.isolated
    assert isolated > 100


def test_messages_and_questions(world: World, admin_client: Client) -> None:
    selected = {"action": "delete", "_selected_action": [f"failed-{NAME}".encode().hex()]}
    for answer in (
        admin_client.post(queue_action(NAME, "failed"), {"action": "requeue", "all": "1"}),
        admin_client.post(queue_action(NAME, "failed"), selected, follow=True),
        admin_client.post(queue_action("default", "failed"), {"action": "move", "to": NAME}),
    ):
        texts = Texts()
        texts.feed(answer.content.decode())
        assert texts.loose == []
