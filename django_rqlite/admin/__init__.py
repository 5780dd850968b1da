"""The pages in Django's admin: queues, their jobs, schedules, and workers.

:mod:`.site` has the address and the permission of each page. :mod:`.pages` only read, through the
read model, and unpickle nothing. :mod:`.actions` change something, through the engine and by POST,
and each writes an entry to Django's admin log.
"""

from __future__ import annotations

from django.apps import apps

# In a project without the admin, the template filters still import the module that formats text.
if apps.is_installed("django.contrib.admin"):
    from .site import register

    register()
