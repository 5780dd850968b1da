"""Enqueue some jobs and print their ids."""

import json
from datetime import timedelta

import django_rq
from django.core.management.base import BaseCommand
from django_rq.queues import get_queues
from rq import Callback, Retry

from shop import jobs


class Command(BaseCommand):
    def handle(self, *args, **options):
        queue = django_rq.get_queue("default")
        found = {
            "total": django_rq.enqueue(jobs.total, 3, 4, discount=1),
            "send": jobs.send.delay("ann@example.com"),
            "fail": jobs.fail_to.delay("broken"),
            "chain": queue.enqueue(jobs.chain, 5, job_timeout="1m", meta={"a": 1}),
            "retry": queue.enqueue(jobs.fail_to, "again", retry=Retry(max=1)),
            "later": queue.enqueue_in(timedelta(hours=1), jobs.total, 1),
            "now": django_rq.get_queue("now").enqueue(jobs.total, 8),
        }
        found["child"] = queue.enqueue(
            jobs.total, 9, depends_on=found["total"], on_success=Callback(jobs_callback)
        )
        assert [queue.name for queue in get_queues("default", "mail")] == ["default", "mail"]
        self.stdout.write(json.dumps({name: job.id for name, job in found.items()}))


def jobs_callback(job, connection, result):
    job.meta["called_back_with"] = result
    job.save_meta()
