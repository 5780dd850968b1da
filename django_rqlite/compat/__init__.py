"""Support for projects that were written for RQ and django-rq: the names that they use."""
