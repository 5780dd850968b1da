"""An app that starts a thread when Django is set up."""

from __future__ import annotations

import threading

from django.apps import AppConfig


class ReadyConfig(AppConfig):
    name = "tests.preloaded.ready"

    def ready(self) -> None:
        threading.Thread(target=threading.Event().wait, name="of-the-app", daemon=True).start()
