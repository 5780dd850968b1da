from pathlib import Path

import django_rq
from django_rq import job
from rq import get_current_job
from rq.job import Job


def total(*prices, discount=0):
    return sum(prices) - discount


@job("mail", timeout=60, result_ttl=100)
def send(address, text="Thank you"):
    current = get_current_job()
    current.meta["sent_to"] = address
    current.save_meta()
    return f"{text}, {address}"


@job
def fail_to(word):
    raise ValueError(word)


def chain(price):
    """Enqueue another job from within one."""
    return django_rq.get_queue("default").enqueue(total, price, 1).id


def note_failure(job: Job, kind, error, traceback):
    with Path("failures").open("a") as file:
        file.write(f"{job.id} {kind.__name__} {error}\n")
