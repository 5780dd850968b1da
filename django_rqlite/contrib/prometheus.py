"""The Prometheus collector, under the name that django-rq has for its module."""

from ..metrics.prometheus import RQCollector

__all__ = ["RQCollector"]
