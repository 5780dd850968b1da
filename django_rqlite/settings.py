"""The settings under django-rq's names; replaces ``django_rq.settings``.

Each name is looked up in Django's settings when it is used. ``django_rqlite.conf`` has the typed
settings that this package itself uses.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings

from . import conf
from .compat.missing_names import missing_name_error

if TYPE_CHECKING:
    QUEUES: Mapping[str, dict[str, Any]]
    QUEUES_LIST: list[dict[str, Any]]
    QUEUES_MAP: dict[str, int]
    SHOW_ADMIN_LINK: bool
    NAME: str
    BURST: bool
    EXCEPTION_HANDLERS: list[str]


def configured_queues() -> Mapping[str, dict[str, Any]]:
    """Return ``RQ_QUEUES``.

    Raises:
        ConfigurationError: It is missing or invalid.
    """
    conf.queues()
    given: Mapping[str, dict[str, Any]] = settings.RQ_QUEUES
    return given


def get_queues_list() -> list[dict[str, Any]]:
    """Return ``name`` and ``connection_config`` of every queue, sorted by name."""
    configured = configured_queues()
    return [{"name": name, "connection_config": configured[name]} for name in sorted(configured)]


def get_queues_map() -> dict[str, int]:
    """Return the index of each queue in :func:`get_queues_list`, by its name."""
    return {name: index for index, name in enumerate(sorted(configured_queues()))}


def get_api_token() -> str:
    """Return ``RQ_API_TOKEN``. If it is empty, no token is accepted."""
    return conf.api_token()


_GETTERS: Mapping[str, Callable[[], Any]] = {
    "QUEUES": configured_queues,
    "QUEUES_LIST": get_queues_list,
    "QUEUES_MAP": get_queues_map,
    "SHOW_ADMIN_LINK": conf.show_admin_link,
    # These two have no effect, as in django-rq.
    "NAME": lambda: getattr(settings, "RQ_NAME", "default"),
    "BURST": lambda: getattr(settings, "RQ_BURST", False),
    "EXCEPTION_HANDLERS": conf.exception_handlers,
}


def __getattr__(name: str) -> Any:
    getter = _GETTERS.get(name)
    if getter is None:
        raise missing_name_error(__name__, name)
    if name in ("QUEUES_LIST", "QUEUES_MAP"):
        warnings.warn(
            f"{name} is deprecated, as in django-rq; use get_{name.lower()}().",
            DeprecationWarning,
            stacklevel=2,
        )
    return getter()
