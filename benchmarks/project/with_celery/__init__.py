"""The site with Celery."""
