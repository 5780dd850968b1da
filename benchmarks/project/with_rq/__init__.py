"""The site with RQ and django-rq."""
