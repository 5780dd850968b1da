"""The numbers of all queues for other programs: ``stats.json`` and Prometheus metrics."""
