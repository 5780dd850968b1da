"""Who may view what, who may change what, and with which HTTP method."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client

from ..admin_world import (
    JOBS,
    JOBS_ACTION,
    JOBS_BATCH,
    QUEUES,
    SCHEDULE,
    WORKER,
    WORKERS,
    World,
    cron_pause,
    cron_resume,
    cron_run_now,
    job_cancel,
    job_copy,
    job_delete,
    job_page,
    job_requeue,
    job_run_now,
    job_stop,
    queue_action,
    queue_page,
    queue_pause,
    queue_resume,
    worker_page,
    worker_shut_down,
    workers_resume,
    workers_suspend,
)

if TYPE_CHECKING:
    import redis as redis_py

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent


def client_with(*codenames: str, staff: bool = True, **options: Any) -> Client:
    user = User.objects.create_user("somebody", is_staff=staff)
    chosen = Permission.objects.filter(
        content_type__app_label="django_rqlite", codename__in=codenames
    )
    assert len(chosen) == len(codenames)
    user.user_permissions.set(chosen)
    client = Client(**options)
    client.force_login(user)
    return client


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    world = World(redis)
    world.worker()
    world.failed(job_id="broken")
    world.cron("nightly")
    return world


PAGES = {
    "queue": [QUEUES, SCHEDULE],
    "job": [JOBS, queue_page("default", "failed"), job_page("broken")],
    "worker": [WORKERS, worker_page(WORKER)],
}
ALL_PAGES = [page for pages in PAGES.values() for page in pages]


@pytest.mark.parametrize("action", ["view", "change"])
@pytest.mark.parametrize("model", PAGES)
def test_a_permission_opens_its_pages_and_no_others(world: World, model: str, action: str) -> None:
    client = client_with(f"{action}_{model}")
    for page in ALL_PAGES:
        expected = 200 if page in PAGES[model] else 403
        assert client.get(page).status_code == expected, page


def test_staff_without_permission_sees_nothing(world: World) -> None:
    client = client_with()
    for page in ALL_PAGES:
        assert client.get(page).status_code == 403, page
    assert "RQ lite" not in client.get("/admin/").content.decode()


def test_others_are_asked_to_log_in(world: World) -> None:
    outsider = client_with("view_queue", "view_job", "view_worker", staff=False)
    for client in (Client(), outsider):
        for page in [*ALL_PAGES, job_delete("broken")]:
            assert client.get(page).headers["Location"].startswith("/admin/login/"), page
        assert client.post(job_requeue("broken")).headers["Location"].startswith("/admin/login/")
    assert world.status("broken") == "failed"


def test_the_index_lists_what_may_be_seen(world: World) -> None:
    index = client_with("view_worker").get("/admin/").content.decode()
    assert "RQ lite" in index
    assert WORKERS in index
    assert QUEUES not in index
    assert JOBS not in index


def test_the_index_can_do_without(world: World, settings: Any, admin_client: Client) -> None:
    assert "RQ lite" in admin_client.get("/admin/").content.decode()
    settings.RQ_SHOW_ADMIN_LINK = False
    assert "RQ lite" not in admin_client.get("/admin/").content.decode()
    # The pages remain, without links to hidden ones.
    page = admin_client.get(QUEUES)
    assert page.status_code == 200
    assert 'href="/admin/django_rqlite/"' not in page.content.decode()


CHANGES = [
    (job_requeue("broken"), {}),
    (job_delete("broken"), {"post": "yes"}),
    (
        queue_action("default", "failed"),
        {"action": "requeue", "post": "yes", "_selected_action": "broken"},
    ),
    (JOBS_ACTION, {"action": "requeue", "post": "yes", "_selected_action": "broken"}),
    (
        queue_action("default", "failed"),
        {"action": "delete", "post": "yes", "_selected_action": "broken"},
    ),
]


@pytest.mark.parametrize(("address", "form"), CHANGES)
def test_who_may_only_view_changes_nothing(
    world: World, address: str, form: dict[str, str]
) -> None:
    client = client_with("view_job", "view_queue", "change_queue", "change_worker")
    assert client.post(address, form).status_code == 403
    assert world.status("broken") == "failed"
    for page in (queue_page("default", "failed"), job_page("broken")):
        shown = client.get(page).content.decode()
        assert 'name="action"' not in shown
        assert "_selected_action" not in shown
        assert job_requeue("broken") not in shown
        assert job_delete("broken") not in shown
    assert client.get(job_delete("broken")).status_code == 403


@pytest.mark.parametrize(("address", "form"), CHANGES)
def test_who_may_change_does(world: World, address: str, form: dict[str, str]) -> None:
    deletes = "delete" in (form.get("action"), *address.split("/"))
    client = client_with("delete_job" if deletes else "change_job")
    assert client.post(address, form).status_code == 302
    assert world.status("broken") == (None if deletes else "queued")


DELETIONS = [
    (job_delete("broken"), {"post": "yes"}),
    *(
        (address, {"action": "delete", **form})
        for address in (queue_action("default", "failed"), JOBS_ACTION)
        for form in ({"post": "yes", "_selected_action": "broken"}, {"all": "1"})
    ),
]


@pytest.mark.parametrize(("address", "form"), DELETIONS)
def test_to_delete_needs_the_permission_to_delete(
    world: World, address: str, form: dict[str, str]
) -> None:
    client = client_with("change_job", "view_job", "change_queue")
    assert client.post(address, form).status_code == 403
    assert world.status("broken") == "failed"
    for page in (queue_page("default", "failed"), f"{JOBS}?state=failed"):
        shown = client.get(page).text
        assert '<option value="requeue">' in shown
        assert '<option value="delete">' not in shown
    shown = client.get(job_page("broken")).text
    assert job_requeue("broken") in shown
    assert job_delete("broken") not in shown
    assert client.get(job_delete("broken")).status_code == 403


@pytest.mark.parametrize(
    ("address", "form"),
    [pair for pair in CHANGES if "requeue" in str(pair)],
)
def test_who_may_only_delete_does_nothing_else(
    world: World, address: str, form: dict[str, str]
) -> None:
    client = client_with("view_job", "delete_job")
    assert client.post(address, form).status_code == 403
    assert world.status("broken") == "failed"
    shown = client.get(queue_page("default", "failed")).text
    assert re.findall(r'<option value="(\w+)">', shown) == ["delete"]
    shown = client.get(job_page("broken")).text
    assert job_delete("broken") in shown
    assert job_requeue("broken") not in shown


def test_a_batch_needs_the_permission_of_its_action(world: World) -> None:
    client = client_with("change_job", "delete_job")
    tokens = {}
    for action in ("delete", "requeue"):
        page = client.post(JOBS_ACTION, {"action": action, "all": "1"}).text
        (tokens[action],) = re.findall(r'name="token" value="([^"]*)"', page)
    user = User.objects.get(username="somebody")
    user.user_permissions.remove(Permission.objects.get(codename="delete_job"))
    assert client.post(JOBS_BATCH, {"token": tokens["delete"]}).status_code == 403
    assert world.status("broken") == "failed"
    client.post(JOBS_BATCH, {"token": tokens["requeue"]})
    assert world.status("broken") == "queued"


@pytest.mark.parametrize(("address", "form"), CHANGES)
def test_a_change_needs_the_token_of_a_form(
    world: World, address: str, form: dict[str, str]
) -> None:
    client = client_with("change_job", enforce_csrf_checks=True)
    assert client.post(address, form).status_code == 403
    assert world.status("broken") == "failed"


@pytest.mark.parametrize(("address", "form"), CHANGES)
def test_a_get_changes_nothing(
    world: World, address: str, form: dict[str, str], admin_client: Client
) -> None:
    answer = admin_client.get(address, form)
    assert answer.status_code == (200 if address == job_delete("broken") else 405)
    assert world.status("broken") == "failed"


#: The addresses of the other actions, by the model whose permission they need.
MORE_CHANGES = {
    job_cancel("broken"): "job",
    job_run_now("broken"): "job",
    job_stop("broken"): "job",
    job_copy("broken"): "job",
    queue_pause("default"): "queue",
    queue_resume("default"): "queue",
    cron_pause("nightly"): "queue",
    cron_resume("nightly"): "queue",
    cron_run_now("nightly"): "queue",
    worker_shut_down(WORKER): "worker",
    workers_suspend(): "worker",
    workers_resume(): "worker",
}


@pytest.mark.parametrize("address", MORE_CHANGES)
def test_a_change_needs_the_permission_of_its_model(
    world: World, address: str, admin_client: Client
) -> None:
    model = MORE_CHANGES[address]
    others = {"job", "queue", "worker"} - {model}
    before = sorted(world.redis.keys("*"))
    client = client_with(f"view_{model}", *(f"change_{other}" for other in others))
    assert client.post(address).status_code == 403
    for page in ALL_PAGES:
        assert f'action="{address}"' not in client.get(page).content.decode()
    assert admin_client.get(address).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("chief"))
    assert strict.post(address).status_code == 403
    assert sorted(world.redis.keys("*")) == before
    assert admin_client.post(address).status_code == 302


def test_batches_need_permission_and_a_token_of_ours(world: World, admin_client: Client) -> None:
    before = world.redis.keys("*")
    form = {"action": "requeue", "all": "1"}
    viewer = client_with("view_job", "view_queue", "change_queue", "change_worker")
    for address in (JOBS_ACTION, JOBS_BATCH):
        assert viewer.post(address, form).status_code == 403
        assert admin_client.get(address).status_code == 405
    for token in ("", "made:up:x"):
        answer = admin_client.post(JOBS_BATCH, {"token": token})
        assert answer.status_code == 404
        assert "Start again" in answer.text
    assert world.status("broken") == "failed"
    assert world.redis.keys("*") == before


def test_pages_take_no_post(world: World, admin_client: Client) -> None:
    for page in ALL_PAGES:
        assert admin_client.post(page).status_code == 405, page
        assert admin_client.head(page).status_code == 200, page


def test_which_permissions_there_are(db: None) -> None:
    found = Permission.objects.filter(content_type__app_label="django_rqlite")
    assert sorted(found.values_list("codename", flat=True)) == [
        *("change_job", "change_queue", "change_worker", "delete_job"),
        *("view_job", "view_queue", "view_worker"),
    ]


def test_models_without_a_table_disturb_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("makemigrations", "django_rqlite", check=True, dry_run=True)
    capsys.readouterr()
    call_command("dumpdata", "django_rqlite", use_base_manager=True)
    call_command("dumpdata", "django_rqlite")
    # Django 6.1 ends each list with a newline.
    assert capsys.readouterr().out.replace("\n", "") == "[][]"


WITHOUT_THE_ADMIN = """
import sys, django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django_rqlite"],
    TEMPLATES=[
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
    ],
    RQ_QUEUES={"default": {"HOST": "localhost"}},
)
django.setup()
from django.core.management import call_command
from django.template import engines
call_command("check")
shown = engines["django"].from_string("{{ 1 }}").render()
print(shown, "django.contrib.admin.models" in sys.modules)
"""


def test_a_project_without_the_admin_is_not_given_it() -> None:
    # Django imports every template tag library with the first template, so ours must not need the
    # admin.
    command = [sys.executable, "-c", WITHOUT_THE_ADMIN]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 False"
