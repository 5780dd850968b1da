"""Actions on all matching jobs: they run in batches, show progress, and are safe to repeat."""

from __future__ import annotations

import html
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.test import Client as DjangoClient

from django_rqlite.admin.actions import batch
from django_rqlite.admin.actions.batch_state import LIFETIME

from ..admin_world import JOBS, JOBS_ACTION, JOBS_BATCH, World, queue_action, queue_page
from ..keyspace import places

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db

OTHER = "Traceback (most recent call last):\nKeyError: 'x'\n"


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch examines three jobs."""
    monkeypatch.setattr(batch, "CHUNK", 3)
    monkeypatch.setattr(batch, "SECONDS", 0)


def token_of(page: str) -> str:
    assert re.findall(r'<form method="post" action="([^"]*)" id=', page) == [JOBS_BATCH]
    (token,) = re.findall(r'name="token" value="([^"]*)"', page)
    return str(token)


def ask(client: Client, address: str, action: str, **form: str) -> str:
    answer = client.post(address, {"action": action, "all": "1", **form})
    assert answer.status_code == 200
    return answer.text


def carry_out(client: Client, page: str) -> tuple[list[str], str, list[str]]:
    """Press the button until the end. Returns the pages, the last address and its messages."""
    pages: list[str] = []
    for _ in range(100):
        answer = client.post(JOBS_BATCH, {"token": token_of(page)})
        if answer.status_code == 302:
            back = answer.headers["Location"]
            shown = client.get(back).text
            found = re.findall(r'<li class="(?:success|warning)">(.*?)</li>', shown, re.DOTALL)
            return pages, back, [html.unescape(message) for message in found]
        page = answer.text
        pages.append(page)
    raise AssertionError("it does not end")


@pytest.mark.usefixtures("slowly")
def test_requeue_all_that_match(world: World, admin_client: Client, admin_user: Any) -> None:
    meant = [world.failed(queue) for queue in ("default", "low", "stray") for _ in range(5)]
    others = [world.failed("low", reason=OTHER) for _ in range(4)]
    waits = world.queued("high")
    query = "?state=failed&error=ValueError"
    page = ask(admin_client, JOBS_ACTION + query, "requeue")
    assert "Requeue all of these jobs?" in page
    assert "15 of 19 jobs match." in page
    assert "ValueError" in page
    assert "batches.js" not in page, "nothing starts by itself"
    assert {world.status(job_id) for job_id in meant} == {"failed"}

    pages, back, messages = carry_out(admin_client, page)
    assert back == f"{JOBS}{query}&p=1"
    assert messages == ["Requeued 15 jobs."]
    assert len(pages) > 4
    assert "Processed 3 of 19 jobs. Requeued 3 jobs." in pages[0]
    assert '<progress max="100" value="15"' in pages[0]
    assert "batches.js" in pages[0]
    assert {world.status(job_id) for job_id in meant} == {"queued"}
    assert {world.status(job_id) for job_id in others} == {"failed"}
    assert world.redis.lrange("rq:queue:high", 0, -1) == [waits.encode()]
    entries = list(LogEntry.objects.order_by("pk"))
    assert {entry.user for entry in entries} == {admin_user}
    assert {entry.action_flag for entry in entries} == {CHANGE}
    assert entries[0].change_message.startswith("Requeued 3 of 3: ")
    assert entries[0].object_repr == "3 jobs"


@pytest.mark.usefixtures("slowly")
def test_what_fails_again_meanwhile_is_not_requeued_again(
    world: World, admin_client: Client
) -> None:
    ids = [world.failed() for _ in range(5)]
    page = ask(admin_client, queue_action("default", "failed"), "requeue")
    answer = admin_client.post(JOBS_BATCH, {"token": token_of(page)})
    assert world.redis.llen("rq:queue:default") == 3
    later, fields = "~ sorts last", {"status": "failed", "origin": "default"}
    ended = {"ended_at": "2999-01-01T00:00:00.000000Z"}
    world.redis.hset(f"rq:job:{later}", mapping={**fields, **ended})
    world.redis.zadd("rq:failed:default", {later: "+inf"})
    _pages, back, messages = carry_out(admin_client, answer.text)
    assert back == queue_page("default", "failed")
    assert messages == ["Requeued 5 jobs."]
    assert world.status(later) == "failed"
    assert {world.status(job_id) for job_id in ids} == {"queued"}


def test_to_send_a_form_twice_changes_nothing_more(world: World, admin_client: Client) -> None:
    ids = [world.failed() for _ in range(3)]
    page = ask(admin_client, queue_action("default", "failed"), "requeue")
    for expected in ("Requeued 3 jobs.", "Requeued 0 jobs."):
        assert carry_out(admin_client, page)[2] == [expected]
    assert sorted(world.redis.lrange("rq:queue:default", 0, -1)) == sorted(
        job_id.encode() for job_id in ids
    )


@pytest.mark.usefixtures("slowly")
@pytest.mark.parametrize("action", ["cancel", "delete", "move"])
def test_what_waits_in_a_queue(world: World, admin_client: Client, action: str) -> None:
    ids = [world.queued(call=("shop.jobs.send", None, (), {})) for _ in range(11)]
    kept = ids[::4]
    for job_id in kept:
        world.redis.hset(f"rq:job:{job_id}", "description", "shop.jobs.keep()")
    address = f"{JOBS_ACTION}?queue=default&function=send"
    page = ask(admin_client, address, action, to="low" if action == "move" else "")
    _pages, _back, (message,) = carry_out(admin_client, page)
    assert (
        message
        == {
            "cancel": "Canceled 8 jobs.",
            "delete": "Deleted 8 jobs.",
            "move": "Moved 8 jobs to “low”.",
        }[action]
    )
    left = [job_id.decode() for job_id in world.redis.lrange("rq:queue:default", 0, -1)]
    assert left == kept
    gone = [job_id for job_id in ids if job_id not in kept]
    expected = {"cancel": ["canceled:default"], "delete": [], "move": ["queue:low"]}[action]
    assert all(places(world.redis, job_id) == expected for job_id in gone)
    if action == "move":
        moved = [job_id.decode() for job_id in world.redis.lrange("rq:queue:low", 0, -1)]
        assert moved == gone, "in their order"


def test_run_all_now(world: World, admin_client: Client) -> None:
    fields = {"created_at": "2026-01-02T03:04:05Z"}
    for number in range(4):
        world.engine.schedule(f"j{number}", "low", fields, minted=False, due=4e9 + number)
    page = ask(admin_client, queue_action("low", "scheduled"), "run_now")
    assert carry_out(admin_client, page)[2][0].startswith("Enqueued 4 jobs now")
    assert world.redis.lrange("rq:queue:low", 0, -1) == [b"j0", b"j1", b"j2", b"j3"]


def test_stop_all_tells_of_workers_that_do_not_listen(world: World, admin_client: Client) -> None:
    job_id = world.started()
    world.redis.hset(f"rq:job:{job_id}", "worker_name", "nobody")
    page = ask(admin_client, queue_action("default", "started"), "stop")
    requested, not_stopped = carry_out(admin_client, page)[2]
    assert requested == "Stop requested for 0 jobs."
    assert not_stopped.startswith("1 job was not stopped")


def test_delete_all_takes_what_has_expired_along(world: World, admin_client: Client) -> None:
    ids = [world.finished() for _ in range(3)]
    world.redis.delete(f"rq:job:{ids[0]}")
    world.redis.zadd("rq:finished:default", {ids[0]: 1000})
    page = ask(admin_client, queue_action("default", "finished"), "delete")
    deleted, missing = carry_out(admin_client, page)[2]
    assert deleted == "Deleted 2 jobs."
    assert missing.startswith("1 job no longer exists")
    assert world.redis.zcard("rq:finished:default") == 0


@pytest.mark.usefixtures("slowly")
@pytest.mark.parametrize("action", ["cancel", "delete"])
def test_what_has_expired_in_a_queue_is_passed_by(
    world: World, admin_client: Client, action: str
) -> None:
    ids = [world.queued() for _ in range(12)]
    for job_id in [*ids[1:9], ids[11]]:
        world.redis.delete(f"rq:job:{job_id}")
    page = ask(admin_client, queue_action("default", "queued"), action)
    done, missing = carry_out(admin_client, page)[2]
    assert done == ("Canceled 3 jobs." if action == "cancel" else "Deleted 3 jobs.")
    assert re.match(r"\d jobs no longer exist", missing)


def test_one_server_that_is_away_keeps_no_other_waiting(
    world: World, admin_client: Client, settings: Any
) -> None:
    away = {"HOST": "127.0.0.1", "PORT": 1}
    settings.RQ_QUEUES = {"away": away, "here": settings.RQ_QUEUES["default"]}
    job_id = world.failed("here")
    page = ask(admin_client, f"{JOBS_ACTION}?state=failed", "requeue")
    assert "127.0.0.1:1" in page
    done, problem = carry_out(admin_client, page)[2]
    assert done == "Requeued 1 job."
    assert "127.0.0.1:1" in problem
    assert world.status(job_id) == "queued"


def test_a_key_of_another_kind_keeps_nobody_else(world: World, admin_client: Client) -> None:
    world.redis.set("rq:failed:default", "foreign")
    job_id = world.failed("low")
    page = ask(admin_client, f"{JOBS_ACTION}?state=failed", "requeue")
    first, second = carry_out(admin_client, page)[2]
    assert first == "Requeued 1 job."
    assert second.startswith("Default: ")
    assert "WRONGTYPE" in second
    assert world.status(job_id) == "queued"


def test_a_server_that_goes_away_is_told_and_can_be_asked_again(
    world: World, admin_client: Client, settings: Any
) -> None:
    job_id = world.failed()
    page = ask(admin_client, queue_action("default", "failed"), "requeue")
    there = settings.RQ_QUEUES
    settings.RQ_QUEUES = {"default": {"HOST": "127.0.0.1", "PORT": 1}}
    answer = admin_client.post(JOBS_BATCH, {"token": token_of(page)})
    assert answer.status_code == 503
    assert "127.0.0.1:1" in answer.text
    assert "batches.js" not in answer.text
    settings.RQ_QUEUES = there
    assert carry_out(admin_client, answer.text)[2] == ["Requeued 1 job."]
    assert world.status(job_id) == "queued"


def test_a_move_needs_a_queue_that_is_there(world: World, admin_client: Client) -> None:
    job_id = world.queued()
    for form in ({"all": "1"}, {"_selected_action": job_id, "post": "yes"}):
        for to in ("", "elsewhere"):
            data = {"action": "move", "to": to, **form}
            answer = admin_client.post(queue_action("default", "queued"), data, follow=True)
            assert "Choose the queue" in answer.text
    assert places(world.redis, job_id) == ["queue:default"]
    data = {"action": "move", "to": "low", "_selected_action": job_id}
    asked = admin_client.post(queue_action("default", "queued"), data).text
    assert "Move this job to “low”?" in asked
    answer = admin_client.post(
        queue_action("default", "queued"), {**data, "post": "yes"}, follow=True
    )
    assert "Moved 1 job to “low”." in answer.text
    assert places(world.redis, job_id) == ["queue:low"]
    assert LogEntry.objects.get().change_message == f"Moved 1 of 1 to “low”: {job_id}"


def test_what_a_search_found_is_selected(world: World, admin_client: Client, settings: Any) -> None:
    """Also jobs on another server than the first one."""
    default = settings.RQ_QUEUES["default"]
    settings.RQ_QUEUES = {"here": default, "there": {**default, "KEY_PREFIX": "there:"}}
    there = World(world.redis, "there:")
    ids = [world.failed("here"), there.failed("there"), "ghost"]
    data = {"action": "requeue", "post": "yes", "_selected_action": ids, "p": "2"}
    answer = admin_client.post(f"{JOBS_ACTION}?state=failed", data)
    assert answer.headers["Location"] == f"{JOBS}?state=failed&p=2"
    shown = html.unescape(admin_client.get(JOBS).text)
    assert shown.count("Requeued 1 job.") == 2
    assert re.search("1 job no longer exists[^<]*: ghost", shown)
    assert (world.status(ids[0]), there.status(ids[1])) == ("queued", "queued")
    # The matching jobs are on both servers too.
    again = [world.failed("here"), there.failed("there")]
    page = ask(admin_client, f"{JOBS_ACTION}?state=failed", "requeue")
    assert carry_out(admin_client, page)[2] == ["Requeued 2 jobs."]
    assert (world.status(again[0]), there.status(again[1])) == ("queued", "queued")


def test_strange_names_and_values_come_through(world: World, admin_client: Client) -> None:
    evil = "<b>\udcff/%(x)s"
    ids = [world.failed(evil, "\udcfe%s"), world.failed(evil, "<script>")]
    page = ask(admin_client, queue_action(evil, "failed"), "requeue")
    assert "<b>" not in page
    assert carry_out(admin_client, page)[2] == ["Requeued 2 jobs."]
    assert world.redis.llen(b"rq:queue:<b>\xff/%(x)s") == len(ids)
    page = ask(admin_client, f"{JOBS_ACTION}?q=%3Cscript%3E", "delete")
    assert "<script>" not in page.replace("<script src", "")
    assert carry_out(admin_client, page)[2] == ["Deleted 1 job."]


def test_a_form_is_of_one_user_and_not_for_ever(
    world: World, admin_client: Client, slowly: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        world.failed("low")
    page = ask(admin_client, queue_action("low", "failed"), "delete")
    other = DjangoClient()
    other.force_login(User.objects.create_superuser("other"))
    before = world.redis.zcard("rq:failed:low")

    answer = other.post(JOBS_BATCH, {"token": token_of(page)})
    assert answer.status_code == 404
    assert "This form was made for another user" in answer.text
    with monkeypatch.context() as later:
        soon, late = time.time() + LIFETIME - 60, time.time() + LIFETIME + 60
        later.setattr(time, "time", lambda: late)
        answer = admin_client.post(JOBS_BATCH, {"token": token_of(page)})
        assert answer.status_code == 404
        assert "more than an hour old. Select the jobs" in answer.text
        assert world.redis.zcard("rq:failed:low") == before == 7
        # Each batch extends the time by an hour.
        later.setattr(time, "time", lambda: soon)
        page = admin_client.post(JOBS_BATCH, {"token": token_of(page)}).text
        later.setattr(time, "time", lambda: late)
        assert admin_client.post(JOBS_BATCH, {"token": token_of(page)}).status_code == 200
    assert world.redis.zcard("rq:failed:low") == 1
