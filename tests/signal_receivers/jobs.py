"""Workers import this, as they import the module ``jobs`` of each app."""

from __future__ import annotations

import os
from typing import Any

from django.dispatch import receiver

from django_rqlite.signals import job_failed, job_finished, job_started


def note(text: str) -> None:
    with open(os.environ["RQ_TEST_TELL"], "a") as file:
        file.write(f"{text}\n")


@receiver(job_started)
def started(job: Any, **_: Any) -> None:
    note(f"started {job.id}")


@receiver(job_finished)
def finished(job: Any, result: Any, **_: Any) -> None:
    note(f"finished {job.id} {result}")


@receiver(job_failed)
def failed(job: Any, exception: BaseException, **_: Any) -> None:
    note(f"failed {job.id} {type(exception).__name__}")
