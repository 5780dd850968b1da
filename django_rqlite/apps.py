"""The application: ``INSTALLED_APPS = [..., "django_rqlite"]``."""

from __future__ import annotations

from django.apps import AppConfig


class RQLiteConfig(AppConfig):
    name = "django_rqlite"
    label = "django_rqlite"
    verbose_name = "RQ lite"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # This runs for every command of manage.py, so nothing here may connect to Redis.
        from . import checks
        from .conf import log_escaping

        checks.register()
        log_escaping.escape_logs()
