"""Ids, names and descriptions from Redis cannot forge lines of a log or control a terminal."""

from __future__ import annotations

import logging
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

import django_rqlite
from django_rqlite import get_queue
from django_rqlite.conf.log_escaping import LOGGERS, EscapeControls, Multiline
from django_rqlite.protocol.escaping import escape_controls
from tests import sample_jobs
from tests.worker_process import run_burst

FORGED = "00:00:00 default: Job OK (forged)"
STEERING = f"a\n{FORGED}\r\x1b[31m\x00\x7f\x9b\u2028\u202e\u2066\u200f\ud800b"
ESCAPED = f"a\\n{FORGED}\\r\\x1b[31m\\x00\\x7f\\x9b\\u2028\\u202e\\u2066\\u200f\\ud800b"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        (STEERING, ESCAPED),
        ("plain text", "plain text"),
        ("", ""),
        ("Grüße 你好 שלום مرحبا 👩‍👩‍👧 \u00a0\u3000", "Grüße 你好 שלום مرحبا 👩‍👩‍👧 \u00a0\u3000"),
        ("back\\slash", "back\\slash"),
        ("\x85\u061c\u200e\u202a\u2069", "\\x85\\u061c\\u200e\\u202a\\u2069"),
    ],
)
def test_what_steers_is_written_out(text: str, escaped: str) -> None:
    assert escape_controls(text) == escaped


def test_lines_may_be_kept() -> None:
    assert escape_controls("a\n\tb\r\x1b", keep_lines=True) == "a\n\tb\\r\\x1b"


def logged(message: str, *args: Any, **options: Any) -> str:
    seen: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(logging.Formatter().format(record))

    logger, handler = logging.getLogger(LOGGERS[0]), Keep()
    logger.addHandler(handler)
    try:
        logger.error(message, *args, **options)
    finally:
        logger.removeHandler(handler)
    return seen[0]


def test_arguments_of_messages() -> None:
    assert logged("%s of %d", STEERING, 3) == f"{ESCAPED} of 3"
    assert logged("%(name)s", {"name": STEERING}) == ESCAPED
    assert logged("it failed (%s)", ValueError(STEERING)) == f"it failed ({ESCAPED})"
    assert logged("%s\n%s", "a\nb", Multiline("a\nb\x1b")) == "a\\nb\na\nb\\x1b"
    assert logged("nothing") == "nothing"


def test_tracebacks_keep_their_lines() -> None:
    try:
        raise ValueError(f"said\x1b[31m {STEERING}")
    except ValueError:
        text = logged("it failed", exc_info=True)
    assert text.startswith("it failed\nTraceback (most recent call last):\n  File")
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_all_loggers_of_the_package_do_so() -> None:
    folder = Path(django_rqlite.__file__).parent
    named = set()
    for path in folder.rglob("*.py"):
        named |= set(re.findall(r'getLogger\("(django_rqlite\.[^"]+)"\)', path.read_text()))
    assert named == set(LOGGERS)
    for name in named:
        kinds = [type(each) for each in logging.getLogger(name).filters]
        assert kinds.count(EscapeControls) == 1, name


def test_a_worker_s_log(redis: redis_py.Redis, tmp_path: Path) -> None:
    evil = STEERING.encode("utf-8", "surrogatepass")
    call = pickle.dumps(("tests.sample_jobs.add", None, (1,), {}))
    for job_id in (b"described", b"id-" + evil):
        fields = {"status": "queued", "data": call, "description": evil, "worker_name": evil}
        redis.hset(b"rq:job:" + job_id, mapping=fields)
        redis.rpush("rq:queue:default", job_id)
    redis.rpush("rq:queue:default", b"gone-" + evil)
    redis.hset("rq:job:odd", mapping={"status": evil, "data": call, "timeout": evil})
    redis.rpush("rq:queue:default", "odd")
    lost = {"status": "started", "data": call, "worker_name": evil, "x_crashes": 3}
    redis.hset("rq:job:lost", mapping=lost)
    redis.zadd("rq:wip:default", {"lost:x": 1})
    redis.set("rq:queue:high", "not a list")
    said = STEERING.replace("\n", "").replace("\ud800", "")
    failing = get_queue().enqueue(sample_jobs.fail_with, said)

    output = run_burst(tmp_path)

    assert failing.is_failed
    assert "described" in output
    assert "gone-" in output
    assert FORGED not in output.split("\n")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200f]", output)
