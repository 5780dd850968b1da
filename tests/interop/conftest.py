"""What the tests beside RQ share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis as redis_py

if TYPE_CHECKING:
    from tests.conftest import Server


@pytest.fixture
def rq_link(server: Server, redis: redis_py.Redis) -> Iterator[redis_py.Redis]:
    """A client as users of RQ make it, of the emptied server."""
    with redis_py.Redis.from_url(server.url) as client:
        yield client


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe that jobs wait on."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path
