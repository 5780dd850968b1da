"""A small project as one writes it for django-rq 4.2 (its README was at hand)."""

import os
from pathlib import Path

SECRET_KEY = "of the shop"
DEBUG = True
BASE_DIR = Path(__file__).parent.parent
ROOT_URLCONF = "shop.urls"
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django_rq",
    "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_URL = os.environ["RQ_TEST_URL"]
RQ_QUEUES = {
    "default": {"URL": _URL, "DEFAULT_TIMEOUT": 360, "DEFAULT_RESULT_TTL": 800},
    "mail": {"URL": _URL, "SERIALIZER": "rq.serializers.JSONSerializer"},
    "now": {"URL": _URL, "ASYNC": False},
}
RQ = {"COMMIT_MODE": "on_db_commit", "DEFAULT_RESULT_TTL": 5000}
RQ_EXCEPTION_HANDLERS = ["shop.jobs.note_failure"]
RQ_API_TOKEN = "a token that is long"
RQ_SHOW_ADMIN_LINK = True

LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"rq.worker": {"handlers": ["console"], "level": "INFO"}},
}
