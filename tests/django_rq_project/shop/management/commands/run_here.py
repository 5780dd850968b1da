"""Run a job in this process, as tests do, and look at workers as monitoring does."""

import os

from django.core.management.base import BaseCommand
from django_rq.queues import get_connection, get_queue
from rq import SimpleWorker, Worker, cancel_job, requeue_job
from rq.defaults import DEFAULT_RESULT_TTL
from rq.exceptions import InvalidJobOperationError, TimeoutFormatError
from rq.registry import FailedJobRegistry, clean_registries
from rq.serializers import JSONSerializer

from shop import jobs


class Command(BaseCommand):
    def handle(self, *args, **options):
        connection = get_connection("default")
        queue = get_queue("default")
        mail = get_queue("mail", serializer=JSONSerializer)
        job = queue.enqueue(os.getpid, failure_ttl=0, job_timeout=20.5)
        failing = queue.enqueue(jobs.fail_to, "here")
        SimpleWorker([queue], connection=connection).work(burst=True, logging_level="ERROR")
        assert job.return_value() == os.getpid()
        assert failing.id in FailedJobRegistry(queue=queue)
        requeue_job(failing.id, connection=connection)
        cancel_job(failing.id, connection=connection)
        assert failing.is_canceled
        failing.delete(remove_from_queue=True)
        clean_registries(queue)
        assert not issubclass(TimeoutFormatError, InvalidJobOperationError)
        assert DEFAULT_RESULT_TTL == 500
        assert queue == get_queue("default") != mail
        assert sorted([mail, queue])[0] == queue
        found = [Worker.count(connection=connection), Worker.all(queue=mail)]
        self.stdout.write(f"{found}")
