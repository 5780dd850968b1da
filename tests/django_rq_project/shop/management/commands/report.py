"""Print what has become of jobs."""

import json
import sys

import django_rq
from django.core.management.base import BaseCommand
from django_rq.settings import QUEUES, get_queues_map
from django_rq.utils import get_statistics
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry


class Command(BaseCommand):
    def handle(self, *args, **options):
        report = {}
        for name, job_id in json.load(sys.stdin).items():
            queue = django_rq.get_queue("mail" if name == "send" else "default")
            try:
                job = Job.fetch(
                    job_id, connection=django_rq.get_connection(), serializer=queue.serializer
                )
            except NoSuchJobError:
                report[name] = "gone"
                continue
            assert job.is_failed == (job.get_status() == JobStatus.FAILED)
            report[name] = [
                job.get_status(),
                job.return_value(),
                job.meta,
                job.timeout,
                job.result_ttl,
                len(job.results()),
            ]
        report["failed"] = len(FailedJobRegistry("default", connection=django_rq.get_connection()))
        report["queues"] = [get_queues_map(), sorted(QUEUES)]
        report["counted"] = [
            (queue["name"], queue["jobs"], queue["finished_jobs"], queue["scheduled_jobs"])
            for queue in get_statistics()["queues"]
        ]
        self.stdout.write(json.dumps(report))
