"""A Django site with django-rq's admin, as a process that is asked for pages line by line.

``python -m tests.interop.django_rq_site`` with the server's URL in ``RQ_TEST_URL``: reads a path,
writes ``{"status": …, "text": …}``, and so on until its input ends.
"""

from __future__ import annotations

import json
import os
import sys

import django
from django.conf import settings


def configure() -> None:
    settings.configure(
        SECRET_KEY="only for the tests",
        ALLOWED_HOSTS=["testserver"],
        USE_TZ=True,
        ROOT_URLCONF="tests.urls",
        STATIC_URL="static/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django_rq",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
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
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        RQ_QUEUES={name: {"URL": os.environ["RQ_TEST_URL"]} for name in ("default", "high", "low")},
    )
    django.setup()


def main() -> None:
    configure()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("admin"))
    print("ready", flush=True)
    for line in sys.stdin:
        method, path = line.split()
        response = client.generic(method, path)
        answer = {"status": response.status_code, "text": response.content.decode()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
