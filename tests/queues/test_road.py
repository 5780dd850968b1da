"""How many files of the package an ``enqueue`` passes on its way to the socket."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

import redis as redis_py

import django_rqlite
from django_rqlite import get_queue

from ..sample_jobs import add

PACKAGE = Path(django_rqlite.__file__).parent

#: A reader who follows an enqueue should not have to open more files.
MOST_FILES = 10


def test_an_enqueue_passes_few_files(redis: redis_py.Redis) -> None:
    queue = get_queue()
    queue.enqueue(add, 1, 2)  # what is computed once has been computed
    files: dict[str, list[str]] = {}
    sent = False

    def note(frame: FrameType, event: str, arg: object) -> None:
        nonlocal sent
        code = frame.f_code
        sent = sent or code.co_name == "send_packed_command"
        path = Path(code.co_filename)
        if event == "call" and not sent and path.is_relative_to(PACKAGE):
            files.setdefault(str(path.relative_to(PACKAGE)), []).append(code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        queue.enqueue(add, 1, 2)
    finally:
        sys.setprofile(before)
    assert sent
    shown = "\n".join(f"{name}: {', '.join(called)}" for name, called in files.items())
    assert len(files) <= MOST_FILES, f"{len(files)} files:\n{shown}"
    assert queue.count == 2
