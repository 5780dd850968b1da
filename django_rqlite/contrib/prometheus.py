"""The Prometheus collector, under django-rq's name of its module."""

from ..metrics.prometheus import RQCollector

__all__ = ["RQCollector"]
