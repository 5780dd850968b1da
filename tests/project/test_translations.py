"""The catalogues have every message of the code, and the admin's pages use them."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import translation

from translations import catalogues
from translations.extraction import extracted

from ..admin.test_harmless import everything
from ..admin_world import (
    JOBS,
    JOBS_ACTION,
    QUEUES,
    WORKERS,
    World,
    job_page,
    queue_action,
    queue_page,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis as redis_py
    from babel.messages.catalog import Message
    from django.test import Client

BEHIND = "The catalogues are behind the code: run make translations (see translations/README.md)."

LANGUAGES = catalogues.languages()

#: A message by its context and its forms, of which most have one.
Name = tuple[str | None, tuple[str, ...]]


def forms(strings: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (strings,) if isinstance(strings, str) else tuple(strings)


def by_name(messages: Any) -> dict[Name, Message]:
    return {(each.context, forms(each.id)): each for each in messages if each.id}


def text_of_catalogue(language: str) -> str:
    return catalogues.po_path(language).read_text("utf-8")


def translated(language: str) -> dict[Name, Message]:
    return by_name(catalogues.read(text_of_catalogue(language), language))


def places(text: str) -> list[str]:
    """The places of a format, in some order."""
    return sorted(set(re.findall(r"%\(\w+\)\w|%[sd%]|\{\w*\}", text)))


def test_there_is_simplified_chinese() -> None:
    assert "zh_Hans" in LANGUAGES
    assert len(extracted()) > 250


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_has_the_messages_of_the_code(language: str) -> None:
    messages = extracted()
    assert translated(language).keys() == by_name(messages).keys(), BEHIND
    text = text_of_catalogue(language)
    assert catalogues.merged(text, language, messages) == text, BEHIND


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_translated(language: str) -> None:
    text = text_of_catalogue(language)
    assert [each.id for each in catalogues.untranslated(text, language)] == [], BEHIND
    assert "#~" not in text  # nothing that is gone


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_places_of_their_messages(language: str) -> None:
    number = catalogues.read(text_of_catalogue(language), language).num_plurals
    for (_context, ids), message in translated(language).items():
        strings = forms(message.string)
        assert len(strings) == (number if len(ids) == 2 else 1), ids
        # "One job" needs no number; the last form is for any number.
        assert places(strings[-1]) == places(ids[-1]), ids
        for string in strings[:-1]:
            assert set(places(string)) <= set(places(ids[-1])), ids


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_text(language: str) -> None:
    compiled = catalogues.compiled(text_of_catalogue(language), language)
    assert catalogues.mo_path(language).read_bytes() == compiled, BEHIND


def test_a_new_message_is_noticed() -> None:
    """The tests above can fail."""
    text = text_of_catalogue("zh_Hans")
    messages = extracted()
    messages.add("Some sentence that nobody has written.")
    merged = catalogues.merged(text, "zh_Hans", messages)
    assert merged != text
    assert len(catalogues.untranslated(merged, "zh_Hans")) == 1


class _Text(HTMLParser):
    """What people read on a page, or have read to them, without what the site's frame says."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        read = ("title", "alt", "aria-label", "placeholder", "data-pause", "data-failing")
        values = [
            value
            for name, value in attrs
            if value and (name in read or (tag == "input" and name == "value"))
        ]
        self.pieces += values

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.pieces.append(data)


def pieces_of(client: Client, page: str, **posted: Any) -> set[str]:
    """The texts of a page, each with the spaces that people see."""
    answer = client.post(page, posted) if posted else client.get(page)
    text = _Text()
    text.feed(answer.content.decode())
    return {" ".join(piece.split()) for piece in text.pieces} - {""}


@cache
def patterns() -> list[re.Pattern[str]]:
    """What a piece of text looks like that is one of our messages in English, or has it within.

    Single words are left out: they may be what somebody called a queue or a function.
    """
    messages = {
        form for _context, ids in by_name(extracted()) for form in ids if re.search(r"\w \w", form)
    }
    found = []
    for message in sorted(messages):
        parts = re.split(r"%\(\w+\)[sd]|%s", " ".join(message.split()))
        if re.search(r"[^\W\d_]{2}", "".join(parts)):
            pattern = ".+".join(re.escape(part.replace("%%", "%")) for part in parts)
            begin = r"\b" if parts[0][:1].isalpha() else ""
            end = r"\b" if parts[-1][-1:].isalpha() else ""
            found.append(re.compile(begin + pattern + end))
    return found


def english(pieces: set[str]) -> set[str]:
    ours = patterns()
    return {piece for piece in pieces if any(each.search(piece) for each in ours)}


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


@pytest.fixture
def chinese(settings: Any) -> Iterator[None]:
    """A site that speaks the language of who asks."""
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE[:1],
        "django.middleware.locale.LocaleMiddleware",
        *settings.MIDDLEWARE[1:],
    ]
    yield
    translation.activate("en-us")


def broken(world: World) -> list[str]:
    """Pages of what is broken, empty, or not there."""
    world.redis.set("rq:failed:default", "x")
    world.redis.set("rq:job:string", "x")
    world.redis.set("rq:x:cron:entry:nightly", "x")
    world.redis.hset("rq:job:odd", mapping={"status": "odd", "created_at": "x", "timeout": "x"})
    world.redis.hset("rq:worker:odd", mapping={"birth": "x", "pid": "x"})
    world.redis.sadd("rq:workers", "rq:worker:odd")
    world.redis.rpush("rq:queue:default", "string", "odd")
    return [
        *(QUEUES, JOBS, WORKERS, f"{QUEUES}?span=day", f"{QUEUES}?span=year"),
        *(f"{JOBS}?since=ever", f"{JOBS}?p=x", f"{JOBS}?queue=none", f"{JOBS}?q=none"),
        *(queue_page("none"), queue_page("default", "nowhere"), queue_page("default", p="x")),
        *(queue_page("default"), queue_page("default", on="none"), job_page("none")),
        *(job_page("string"), job_page("odd"), f"{WORKERS}none/", f"{WORKERS}odd/"),
    ]


@pytest.mark.django_db
@pytest.mark.usefixtures("chinese")
def test_no_page_in_chinese_has_english_sentences(world: World, admin_client: Client) -> None:
    pages = [each for each in everything(world) if "stats.json" not in each]
    pages += broken(world)
    confirmation = {"action": "delete", "_selected_action": ["broken", "runs"]}
    asked: list[tuple[str, dict[str, Any]]] = [(page, {}) for page in pages]
    asked += [(queue_action("low", "failed"), confirmation)]
    for action in ("requeue", "run_now", "cancel", "stop", "move", "delete"):
        form = {"action": action, "to": "high", "_selected_action": ["broken", "runs"]}
        asked += [(JOBS_ACTION, form), (JOBS_ACTION, {**form, "all": "1"})]
    found = 0
    for page, posted in asked:
        if page.endswith("metrics"):
            continue
        admin_client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
        found += len(english(pieces_of(admin_client, page, **posted)))
        admin_client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-hans"
        pieces = pieces_of(admin_client, page, **posted)
        assert english(pieces) == set(), page
        assert pieces == set() or any(re.search("[\u4e00-\u9fff]", piece) for piece in pieces), page
    # The same pages in English have plenty, so that the search can find them.
    assert found > 200
