"""The numbers of all configured queues as Prometheus metrics, with the names of django-rq.

Needs ``pip install 'django-rqlite[prometheus]'``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import redis
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from .. import conf
from ..broker.servers import Server, servers_of
from ..exceptions import RQLiteError
from ..queries.queries import Queries
from ..queries.snapshots import ServerStatistics, Workers

_Family = type[GaugeMetricFamily] | type[CounterMetricFamily]

#: The type of each metric, its description and its labels.
_METRICS: Mapping[str, tuple[_Family, str, Sequence[str]]] = {
    "rq_up": (GaugeMetricFamily, "Whether the Redis server answered", ["server"]),
    "rq_workers": (GaugeMetricFamily, "RQ workers", ["name", "state", "queues"]),
    "rq_workers_omitted": (
        GaugeMetricFamily,
        "Workers beyond the number that one scrape reads",
        ["server"],
    ),
    "rq_job_successful_total": (
        CounterMetricFamily,
        "Jobs that a worker finished",
        ["name", "queues"],
    ),
    "rq_job_failed_total": (
        CounterMetricFamily,
        "Jobs that failed in a worker",
        ["name", "queues"],
    ),
    "rq_working_seconds_total": (
        CounterMetricFamily,
        "Seconds that a worker spent in jobs",
        ["name", "queues"],
    ),
    "rq_jobs": (GaugeMetricFamily, "RQ jobs by status", ["queue", "status"]),
    "rq_queue_oldest_job_age_seconds": (
        GaugeMetricFamily,
        "Seconds since the next job was enqueued; 0 if no job waits",
        ["queue"],
    ),
    "rq_queue_paused": (
        GaugeMetricFamily,
        "Whether the queue is paused",
        ["queue"],
    ),
}

#: Characters of a name that are exported. Other programs may have written names of any length.
_MAX_LABEL_LENGTH = 200

_Samples = dict[str, dict[tuple[str, ...], float]]


class RQCollector(Collector):
    """Collects the metrics of all queues of ``RQ_QUEUES``. Writes nothing.

    Needs four round trips for each server. To use your own registry:
    ``registry.register(RQCollector())``.
    """

    def describe(self) -> Iterator[Metric]:
        """The metrics without values, so that registering connects to no server."""
        return _families({})

    def collect(self) -> Iterator[Metric]:
        """The metrics. A server that does not answer has ``rq_up`` 0 and no other metric.

        Raises:
            ConfigurationError: ``RQ_QUEUES`` cannot be used.
        """
        samples: _Samples = defaultdict(dict)
        for server in servers_of(conf.queues().values()):
            _read_server(server, samples)
        return _families(samples)


def exposition(accept: str, names: Sequence[str] = ()) -> tuple[bytes, str]:
    """The response to a scrape, and its content type.

    Args:
        accept: The ``Accept`` header, which chooses between the text formats.
        names: The names of the samples to return; empty: all.
    """
    # A registry for each scrape, so that a restriction to names does not affect the next one.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(RQCollector())
    encode: Callable[[Collector], bytes]
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # the header names a version that is not a number
        encode, content_type = choose_encoder("")
    return encode(registry.restricted_registry(names) if names else registry), content_type


def _families(samples: Mapping[str, Mapping[tuple[str, ...], float]]) -> Iterator[Metric]:
    for name, (family, documentation, labels) in _METRICS.items():
        metric = family(name, documentation, labels=labels)
        for values, number in samples.get(name, {}).items():
            metric.add_metric(values, number)
        yield metric


def _read_server(server: Server, samples: _Samples) -> None:
    address = f"of queue {server.name}"
    try:
        broker = server.broker
        address = broker.address
        with broker.translate_errors():
            queries = Queries(broker)
            figures, workers = queries.statistics(server.queue_names), queries.workers()
    except (RQLiteError, redis.RedisError):
        samples["rq_up"][(address,)] = 0
        return
    # Queues with different prefixes may share an address.
    samples["rq_up"].setdefault((address,), 1)
    omitted = samples["rq_workers_omitted"]
    omitted[(address,)] = omitted.get((address,), 0) + workers.more
    _add_queues(figures, samples)
    _add_workers(workers, samples)


def _add_queues(figures: ServerStatistics, samples: _Samples) -> None:
    now = datetime.now(UTC)
    for queue in figures.queues:
        name = _label(queue.counts.name)
        for place, count in queue.counts.places.items():
            samples["rq_jobs"][name, place.value] = count
        age = (now - queue.oldest).total_seconds() if queue.oldest else 0
        samples["rq_queue_oldest_job_age_seconds"][(name,)] = max(0, age)
        samples["rq_queue_paused"][(name,)] = int(queue.counts.paused)


def _add_workers(workers: Workers, samples: _Samples) -> None:
    for worker in workers.found:
        name, queues = _label(worker.name), _label(",".join(worker.queues))
        samples["rq_workers"][name, _label(worker.state), queues] = 1
        for metric, number in (
            ("rq_job_successful_total", worker.successful_jobs),
            ("rq_job_failed_total", worker.failed_jobs),
            ("rq_working_seconds_total", worker.total_working_time),
        ):
            # Workers on two servers may have the same name, but a sample must be unique.
            known = samples[metric].get((name, queues), 0)
            samples[metric][name, queues] = known + _number(number)


def _label(text: str) -> str:
    """A label value in valid UTF-8, for any bytes from Redis."""
    return text[:_MAX_LABEL_LENGTH].encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _number(stored: float) -> float:
    try:
        return float(stored)
    except OverflowError:
        return float("inf")  # an integer of more than 300 digits, written by another program
