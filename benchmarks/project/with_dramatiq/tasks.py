"""The jobs as dramatiq's actors, which keep their results for its default of ten minutes."""

from __future__ import annotations

import django
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

# dramatiq's command imports this module without setting up Django.
django.setup()

from noop import jobs  # noqa: E402
from shared_settings import URL  # noqa: E402

broker = RedisBroker(url=URL)
broker.add_middleware(Results(backend=RedisBackend(url=URL)))
dramatiq.set_broker(broker)

noop = dramatiq.actor(jobs.noop, store_results=True)
report_latency = dramatiq.actor(jobs.report_latency, store_results=True)
