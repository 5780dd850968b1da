"""For projects that were written for RQ and django-rq: what they name and we lack."""
