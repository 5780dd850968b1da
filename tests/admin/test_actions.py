"""Requeue and delete: what changes, which messages appear, and what the log has."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import CHANGE, DELETION, LogEntry

from django_rqlite.admin.links import segment

from ..admin_world import World, job_delete, job_page, job_requeue, queue_action, queue_page

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db

FAILED = queue_action("default", "failed")


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


def post(
    client: Client, address: str, action: str = "", ids: list[str] | None = None, **form: Any
) -> tuple[str, list[str]]:
    """Send a form. Returns the address that it redirects to, and the messages there."""
    selected = {"action": action, "_selected_action": list(map(segment, ids or []))}
    answer = client.post(address, {**selected, "post": "yes", **form})
    assert answer.status_code == 302
    address = answer.headers["Location"]
    shown = client.get(address).content.decode()
    found = re.findall(r'<li class="(?:success|warning)">(.*?)</li>', shown, re.DOTALL)
    return address, [html.unescape(message) for message in found]


def test_requeue_selected(world: World, admin_client: Client) -> None:
    ids = [world.failed() for _ in range(3)]
    address, messages = post(admin_client, FAILED, "requeue", ids[:2], p="7")
    assert address == queue_page("default", "failed", p=7)
    assert messages == ["Requeued 2 jobs."]
    assert [world.status(job_id) for job_id in ids] == ["queued", "queued", "failed"]
    assert world.redis.lrange("rq:queue:default", 0, -1) == [i.encode() for i in ids[:2]]
    # A second time, nothing changes.
    _address, messages = post(admin_client, FAILED, "requeue", ids[:2])
    (message,) = messages
    assert message.startswith("2 jobs are not failed or canceled")
    assert message.endswith(": " + ", ".join(ids[:2]))
    assert world.redis.llen("rq:queue:default") == 2


def test_requeue_what_is_partly_gone(world: World, admin_client: Client) -> None:
    there, gone, strange = world.failed(), world.failed(), "\udcff\0/<b>"
    world.redis.delete(f"rq:job:{gone}")
    _address, messages = post(admin_client, FAILED, "requeue", [gone, there, there, strange])
    requeued, missing = messages
    assert requeued == "Requeued 1 job."
    assert missing.startswith("2 jobs no longer exist")
    assert missing.endswith(": " + gone + ", \\xff\0/<b>")
    assert world.redis.lrange("rq:queue:default", 0, -1) == [there.encode()]


def test_delete_selected_asks_first(world: World, admin_client: Client) -> None:
    ids = [world.failed() for _ in range(3)]
    form = {"action": "delete", "_selected_action": [*ids[:2], "nobody"], "p": "2"}
    page = admin_client.post(FAILED, form).content.decode()
    assert "Delete these 3 jobs?" in page
    assert "shop.jobs.send(&#x27;bob&#x27;, copies=2)" in page
    assert "expired or deleted" in page
    assert [world.status(job_id) for job_id in ids] == ["failed"] * 3
    # What a browser sends when the button on that page is pressed.
    form_there = page[page.index('<form method="post" action="/admin/django_rqlite/queue') :]
    target = re.findall(r'action="([^"]*)"', form_there)[0]
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form_there)
    sent: dict[str, list[str]] = {}
    for name, value in fields:
        sent.setdefault(name, []).append(value)
    answer = admin_client.post(target, sent)
    assert answer.headers["Location"] == queue_page("default", "failed", p=2)
    shown = html.unescape(admin_client.get(queue_page("default", "failed")).content.decode())
    assert "Deleted 2 jobs." in shown
    assert re.search("1 job no longer exists[^<]*: nobody", shown)
    assert [world.status(job_id) for job_id in ids] == [None, None, "failed"]
    assert world.redis.zrange("rq:failed:default", 0, -1) == [ids[2].encode()]
    assert world.redis.lrange("rq:queue:failed", 0, -1) == [ids[2].encode()]


def test_deleting_again_is_no_error(world: World, admin_client: Client) -> None:
    job_id = world.failed()
    assert post(admin_client, FAILED, "delete", [job_id])[1] == ["Deleted 1 job."]
    _address, (message,) = post(admin_client, FAILED, "delete", [job_id])
    assert message.startswith("1 job no longer exists")
    assert message.endswith(f": {job_id}")


def test_deleting_takes_what_expired_off_the_list(world: World, admin_client: Client) -> None:
    job_id = world.finished()
    world.redis.delete(f"rq:job:{job_id}")
    world.redis.zadd("rq:finished:default", {job_id: 1000})
    post(admin_client, queue_action("default", "finished"), "delete", [job_id])
    assert world.redis.zcard("rq:finished:default") == 0


def test_deleting_what_runs_is_said(world: World, admin_client: Client) -> None:
    job_id = world.started()
    form = {"action": "delete", "_selected_action": job_id}
    page = admin_client.post(queue_action("default", "started"), form).content.decode()
    assert "1 of them is running." in page
    post(admin_client, queue_action("default", "started"), "delete", [job_id])
    assert world.redis.keys("*") == [b"rq:queues"] or world.status(job_id) is None


@pytest.mark.parametrize(
    ("action", "selected", "expected"),
    [
        ("requeue", False, "Items must be selected"),
        ("delete", False, "Items must be selected"),
        ("", True, "No action selected."),
        ("empty", True, "No action selected."),
    ],
)
def test_forms_that_say_nothing(
    world: World, admin_client: Client, action: str, selected: bool, expected: str
) -> None:
    job_id = world.failed()
    _address, messages = post(admin_client, FAILED, action, [job_id] if selected else [])
    assert messages[0].startswith(expected)
    assert world.status(job_id) == "failed"


@pytest.mark.parametrize("page", ["x", "-1", "0", "9" * 5000, "//evil.example", "²"])
def test_redirects_stay_here(world: World, admin_client: Client, page: str) -> None:
    form = {"p": page, "next": "//evil.example", "next_url": "https://evil.example"}
    headers = {"referer": "https://evil.example/"}
    data = {"action": "requeue", "_selected_action": "x", "post": "yes", **form}
    answer = admin_client.post(FAILED, data, headers=headers)
    assert answer.headers["Location"] == queue_page("default", "failed")
    job_id = world.failed()
    answer = admin_client.post(job_requeue(job_id), form, headers=headers)
    assert answer.headers["Location"] == job_page(job_id)
    answer = admin_client.post(job_delete(job_id), form, headers=headers)
    assert answer.headers["Location"] == queue_page("default", "queued")


def test_requeue_one(world: World, admin_client: Client) -> None:
    job_id = world.failed()
    address, messages = post(admin_client, job_requeue(job_id))
    assert (address, messages) == (job_page(job_id), ["Requeued 1 job."])
    assert world.status(job_id) == "queued"
    _address, messages = post(admin_client, job_requeue(job_id))
    assert messages[0].startswith("1 job is not failed or canceled (any more)")
    assert world.redis.llen("rq:queue:default") == 1


def test_delete_one(world: World, admin_client: Client) -> None:
    job_id = world.failed()
    assert "Delete this job?" in admin_client.get(job_delete(job_id)).content.decode()
    assert world.status(job_id) == "failed"
    address, messages = post(admin_client, job_delete(job_id))
    assert (address, messages) == (queue_page("default", "failed"), ["Deleted 1 job."])
    assert world.status(job_id) is None
    for answer in (
        *(admin_client.post(address) for address in (job_delete(job_id), job_requeue(job_id))),
        admin_client.get(job_delete(job_id)),
    ):
        assert answer.status_code == 404
        assert "There is no job" in answer.content.decode()


def test_the_log_says_who_did_what_to_how_many(
    world: World, admin_client: Client, admin_user: Any
) -> None:
    one, two = world.failed(), world.failed()
    post(admin_client, FAILED, "requeue", [one, two, "nobody"])
    post(admin_client, job_delete(one))
    deleted, requeued = LogEntry.objects.order_by("-pk")
    assert requeued.user == deleted.user == admin_user
    assert (requeued.action_flag, deleted.action_flag) == (CHANGE, DELETION)
    assert requeued.content_type.model == deleted.content_type.model == "job"
    assert requeued.object_repr == "3 jobs"
    assert requeued.change_message == f"Requeued 2 of 3: {one}, {two}"
    assert (deleted.object_id, deleted.object_repr) == (one, one)
    assert deleted.change_message == f"Deleted 1 of 1: {one}"
    post(admin_client, FAILED, "requeue", ["\udcff\0" + "x" * 400])
    assert LogEntry.objects.count() == 3
    # The admin's index shows the entries, with links to the jobs.
    post(admin_client, job_requeue(world.failed(job_id="with_underscore")))
    links = re.findall(r'<a href="([^"]*)">with_underscore', admin_client.get("/admin/").text)
    assert links == [job_page("with_underscore")]


def test_a_server_that_does_not_answer(world: World, admin_client: Client, settings: Any) -> None:
    settings.RQ_QUEUES = {"default": {"HOST": "127.0.0.1", "PORT": 1}}
    for address in (FAILED, job_requeue("x"), job_delete("x")):
        answer = admin_client.post(address, {"action": "requeue", "_selected_action": "x"})
        assert answer.status_code == 503
        assert "127.0.0.1:1" in answer.content.decode()
        assert "It is safe to retry" in answer.content.decode()
    assert LogEntry.objects.count() == 0


def test_a_queue_on_another_server(world: World, admin_client: Client, settings: Any) -> None:
    default = settings.RQ_QUEUES["default"]
    settings.RQ_QUEUES = {"here": default, "there": {**default, "KEY_PREFIX": "there:"}}
    there = World(world.redis, "there:")
    job_id = there.failed("there", "same-id")
    world.failed("here", "same-id")
    page = admin_client.get(queue_page("there", "failed")).content.decode()
    target = re.findall(r'<form id="changelist-form" method="post" action="([^"]*)"', page)[0]
    assert target == queue_action("there", "failed", on="there")
    post(admin_client, target, "requeue", [job_id])
    assert (there.status(job_id), world.status(job_id)) == ("queued", "failed")
