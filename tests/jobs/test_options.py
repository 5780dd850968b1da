"""The table of job options: what is in it is checked, stored, read, copied and documented."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import Callback, Job, Queue, Repeat, Retry, get_queue, job
from django_rqlite.cron import config_file, entries
from django_rqlite.exceptions import InvalidJobError
from django_rqlite.jobs.options import (
    CRON_KEYS,
    NOTHING_SAID,
    OPTIONS,
    JobOptions,
    checked,
    split,
)
from django_rqlite.protocol.records import MOST_TAGS_BYTES, STORED_FIELDS, JobRecord, read_job
from tests.sample_jobs import echo

if TYPE_CHECKING:
    import redis as redis_py

PAGE = Path(__file__).resolve().parent.parent.parent / "docs/job-options.md"

#: Something to say for each option.
EXAMPLES: dict[str, Any] = {
    "timeout": "1m",
    "result_ttl": 7,
    "failure_ttl": -1,
    "ttl": "90s",
    "description": "what it does",
    "job_id": "an-id",
    "at_front": True,
    "meta": {"a": 1},
    "on_success": Callback(echo, 7),
    "on_failure": Callback(echo, "1m"),
    "on_stopped": Callback(echo, 5),
    "depends_on": ["a", "b"],
    "retry": Retry(max=2, interval=[1, 2], jitter=0.5, enqueue_at_front=True),
    "repeat": Repeat(times=2, interval=3),
    "group_id": "g",
    "tags": ["import", "customer:17"],
    "unique": True,
    "unique_key": "k",
    "unique_for": 9,
}
#: What another option cannot do without.
NEEDED = {
    "unique": {"job_id": "an-id"},
    "unique_key": {"unique_for": 9},
    "unique_for": {"unique_key": "k"},
}
each_option = pytest.mark.parametrize("name", OPTIONS)


def said(name: str) -> dict[str, Any]:
    return {name: EXAMPLES[name], **NEEDED.get(name, {})}


def test_every_option_has_an_example() -> None:
    assert OPTIONS.keys() == EXAMPLES.keys()


@each_option
def test_what_an_option_sets_is_an_attribute_of_the_record_and_of_jobs(name: str) -> None:
    recorded = checked(**said(name)).recorded()
    assert recorded.keys() <= STORED_FIELDS.keys()
    assert all(hasattr(Job("a"), attribute) for attribute in recorded)


@each_option
def test_what_is_stored_is_read_back(name: str) -> None:
    made = get_queue().create_job(echo, (1,), **said(name))
    read = Job.from_record(made.to_record())
    for attribute in checked(**said(name)).recorded():
        if attribute != "enqueue_at_front":  # is for the scripts, which need it only once
            assert getattr(read, attribute) == getattr(made, attribute), attribute
    assert read.meta == made.meta
    assert read.to_fields() == {**made.to_fields(), **_at_front(read, made)}


def _at_front(read: Job, made: Job) -> dict[str, Any]:
    return {} if read.enqueue_at_front == made.enqueue_at_front else {"enqueue_at_front": 1}


@each_option
def test_a_copy_says_the_same(name: str) -> None:
    made = get_queue().create_job(echo, (1,), **said(name))
    copied = Job.from_record(made.to_record()).copied()
    for attribute in checked(**said(name)).recorded():
        kept = getattr(made if STORED_FIELDS[attribute].copied else Job("a"), attribute)
        assert getattr(copied, attribute) == kept, attribute
    assert copied.id != made.id
    assert read_job(copied.id, _as_read(copied)).problems == ()


def _as_read(made: Job) -> dict[bytes, bytes]:
    fields = {"status": "queued", **made.to_fields()}
    return {
        name.encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in fields.items()
    }


@each_option
def test_the_terms_are_what_is_marked_as_signed(name: str) -> None:
    record = get_queue().create_job(echo, **said(name))._record
    signed = {attribute for attribute in record.__dict__ if STORED_FIELDS.get(attribute)}
    signed = {attribute for attribute in signed if STORED_FIELDS[attribute].signed}
    assert bool(record.terms) is bool(signed)


def test_each_signed_attribute_changes_the_terms() -> None:
    full = get_queue().create_job(
        echo,
        **{name: EXAMPLES[name] for name in ("on_success", "on_failure", "on_stopped")},
        retry=EXAMPLES["retry"],
        repeat=EXAMPLES["repeat"],
    )
    full.cron_entry = "c"
    counters = {"retries_left", "repeats_left"}  # go down with each run
    for name, stored in STORED_FIELDS.items():
        value = getattr(full._record, name)
        other = {str: f"{value}x", bool: not value, tuple: (9,)}.get(type(value), 77)
        changed = full._record.changed(**{name: other}).terms != full._record.terms
        assert changed is (stored.signed and name not in counters), name


@each_option
def test_each_call_takes_it(redis: redis_py.Redis, name: str) -> None:
    option, queue = OPTIONS[name], get_queue()
    options = said(name)
    expected = checked(**options)

    def marks(made: Job) -> dict[str, Any]:
        return {attribute: getattr(made, attribute) for attribute in expected.recorded()}

    enqueued = queue.enqueue_call(echo, (1,), **options)
    redis.flushdb()
    assert marks(Job.create(echo, **_as_create(options))) == marks(enqueued)
    (bulk,) = queue.enqueue_many([Queue.prepare_data(echo, (1,), **options)])
    assert marks(bulk) == marks(enqueued)
    redis.flushdb()
    assert marks(job(**options)(decorated).delay(1)) == marks(enqueued)
    redis.flushdb()
    if option.in_enqueue:
        keywords = {OPTIONS[each].in_enqueue: value for each, value in options.items()}
        assert marks(queue.enqueue(echo, 1, **keywords)) == marks(enqueued)


def _as_create(options: dict[str, Any]) -> dict[str, Any]:
    return {("id" if name == "job_id" else name): value for name, value in options.items()}


def decorated(value: Any) -> Any:
    return value


@each_option
def test_what_is_not_said_is_not_passed_on(name: str) -> None:
    option = OPTIONS[name]
    assert (name in NOTHING_SAID.said()) is (option.in_create_job == "always")
    assert (name in checked(**said(name)).said()) is (option.in_create_job != "never")


def test_the_keywords_of_enqueue_that_are_options() -> None:
    keywords = {option.in_enqueue for option in OPTIONS.values()}
    assert keywords == {
        *("job_timeout", "result_ttl", "failure_ttl", "ttl", "description", "job_id", "at_front"),
        *("meta", "on_success", "on_failure", "on_stopped", "depends_on", "retry", "repeat"),
        *("unique", "unique_key", "unique_for", "job_tags", ""),
    }
    options, args, kwargs = split((1,), {"timeout": 5, "group_id": "g", "tags": ["a"]})
    assert options is NOTHING_SAID
    assert (args, kwargs) == ((1,), {"timeout": 5, "group_id": "g", "tags": ["a"]})


def test_errors_name_the_option_as_the_caller_wrote_it() -> None:
    with pytest.raises(InvalidJobError, match="job_tags must be a list"):
        get_queue().enqueue(echo, 1, job_tags="import")
    with pytest.raises(InvalidJobError, match=r"^tags must be .*import"):
        get_queue().enqueue_call(echo, (1,), tags="import")


# The documentation


def test_the_page_lists_the_options() -> None:
    rows = [
        f"| `{name}` | {f'`{option.in_enqueue}`' if option.in_enqueue else '–'} "
        f"| {option.meaning} |"
        for name, option in OPTIONS.items()
    ]
    table = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert table == rows


def test_the_page_on_cron_lists_what_entries_take() -> None:
    page = (PAGE.parent / "cron.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith("| `job_timeout`")]
    assert set(re.findall("`(\\w+)`", row.split("|")[1])) == CRON_KEYS.keys()


# Tags


def test_tags(redis: redis_py.Redis) -> None:
    made = get_queue().enqueue(echo, 1, job_tags=["import", "customer:17", "import"])
    assert made.tags == Job.fetch(made.id).tags == ["import", "customer:17"]
    assert redis.hget(made.key, "x_tags") == b'["import","customer:17"]'
    later = get_queue().enqueue_call(echo, (1,), tags={"b", "a", "ä"})
    assert redis.hget(later.key, "x_tags") == '["a","b","ä"]'.encode()
    assert "x_tags" not in get_queue().create_job(echo, tags=[]).to_fields()
    assert get_queue().create_job(echo).tags == []


def test_tags_may_be_set(redis: redis_py.Redis) -> None:
    made = get_queue().create_job(echo, (1,))
    made.tags = ["a"]
    get_queue().enqueue_job(made)
    assert Job.fetch(made.id).tags == ["a"]
    with pytest.raises(InvalidJobError, match="tags must be a list"):
        made.tags = "a"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("tags", "remedy"),
    [
        ("import", r"tags=\['import'\]"),
        (5, "int"),
        ({"a": 1}, "dict"),
        (["a", ""], "''"),
        (["a", "  "], "'  '"),
        (["a\n"], r"'a\\n'"),
        (["a", 5], "5"),
        (["x" * 100 for _ in range(1)] + ["y" * 400], f"{MOST_TAGS_BYTES}"),
        ([f"tag-{number}" for number in range(60)], f"{MOST_TAGS_BYTES}"),
    ],
)
def test_what_tags_are_refused(tags: Any, remedy: str) -> None:
    with pytest.raises(InvalidJobError, match=f"^tags .*{remedy}"):
        get_queue().create_job(echo, tags=tags)


@pytest.mark.parametrize("stored", [b"x", b"5", b"[1]", b"\xff", b"[" * 1000])
def test_tags_that_cannot_be_read_keep_no_job_from_running(stored: bytes) -> None:
    record = read_job("a", {b"status": b"queued", b"data": b"\x80", b"x_tags": stored})
    assert (record.tags, record.problems) == ((), ())


def test_tags_of_a_cron_entry() -> None:
    entry = entries.make_entry(
        "e",
        {"func": "len", "interval": 5, "tags": ["nightly"]},
        where="RQ['CRON']['e']",
        source="settings",
    )
    assert json.loads(entry.job()[1]["x_tags"]) == ["nightly"]
    registered = config_file.register("len", interval=5, tags=["nightly"])
    assert config_file.take_registered() == [registered]
    assert registered.job()[0].tags == ["nightly"]
    with pytest.raises(TypeError, match="tgas"):
        config_file.register("len", interval=5, tgas=["nightly"])


def test_options_and_records_are_frozen() -> None:
    for frozen, name in ((JobOptions(), "ttl"), (JobRecord("a"), "ttl")):
        with pytest.raises(AttributeError):
            setattr(frozen, name, 5)
