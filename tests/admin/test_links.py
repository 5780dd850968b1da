"""Any name survives as a segment of an address."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from django.contrib.admin.utils import quote
from django.urls import resolve, reverse

from django_rqlite.admin.links import from_segment, segment

NAMES = [
    *("default", "a_b", "_", "__", "", ".", "..", "a.b", "_5F", "a/b", "/", "?", "a?b=c&d", "#x"),
    *("100%", "%2F", "a b", "ä ö", "队列", "🙂", "\n", "\0", "a:b", "{mail}rq:x", "<b>"),
    *("'\"", "\\", "a;b", "\udcff\udc80", "add", "jsi18n"),
]


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back(name: str) -> None:
    text = segment(name)
    assert text
    assert text not in (".", "..")
    assert "/" not in text
    assert from_segment(text) == name
    address = reverse("admin:django_rqlite_queue_jobs", args=[text, "failed"])
    found = resolve(unquote(address))
    assert found.url_name == "django_rqlite_queue_jobs"
    assert from_segment(found.kwargs["name"]) == name


def test_no_two_names_share_an_address() -> None:
    assert len({segment(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("job_id", ["a_b-C", "x", "_", "a.b", "a/b?c"])
def test_links_of_the_admin_log_are_understood(job_id: str) -> None:
    assert from_segment(quote(job_id)) == job_id


@pytest.mark.parametrize("text", ["_", "_5", "_zz", "%", "a_", "_FF"])
def test_any_text_is_some_name(text: str) -> None:
    assert isinstance(from_segment(text), str)
