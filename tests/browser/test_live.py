"""Pages that keep themselves up to date, in a real browser with a real worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.admin_world import JOBS, QUEUES, WORKERS, World, job_page, queue_page
from tests.conftest import wait_until
from tests.sample_jobs import nothing
from tests.worker_process import run_burst

from django_rqlite import enqueue  # isort: skip

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)


def shows(browser: Any, text: str) -> bool:
    script = "return document.getElementById('content-main').textContent.includes(arguments[0])"
    return bool(browser.execute_script(script, text))
