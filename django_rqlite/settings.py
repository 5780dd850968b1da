"""The settings by django-rq's names; stands in for ``django_rq.settings``.

Every name is looked up in Django's settings when it is asked for. ``django_rqlite.conf`` is the
typed view of the same.
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
    """``RQ_QUEUES`` as it stands.

    Raises:
        ConfigurationError: it is missing, or can't be used.
    """
    conf.queues()
    given: Mapping[str, dict[str, Any]] = settings.RQ_QUEUES
    return given


def get_queues_list() -> list[dict[str, Any]]:
    """``name`` and ``connection_config`` of every queue, in the order of their names."""
    configured = configured_queues()
    return [{"name": name, "connection_config": configured[name]} for name in sorted(configured)]


def get_queues_map() -> dict[str, int]:
    """The place of each queue in :func:`get_queues_list`."""
    return {name: place for place, name in enumerate(sorted(configured_queues()))}


def get_api_token() -> str:
    """``RQ_API_TOKEN``; empty where no token is accepted."""
    return conf.api_token()


_FOUND: Mapping[str, Callable[[], Any]] = {
    "QUEUES": configured_queues,
    "QUEUES_LIST": get_queues_list,
    "QUEUES_MAP": get_queues_map,
    "SHOW_ADMIN_LINK": conf.show_admin_link,
    # Nothing in django-rq heeds these two, nor here.
    "NAME": lambda: getattr(settings, "RQ_NAME", "default"),
    "BURST": lambda: getattr(settings, "RQ_BURST", False),
    "EXCEPTION_HANDLERS": conf.exception_handlers,
}


def __getattr__(name: str) -> Any:
    find = _FOUND.get(name)
    if find is None:
        raise missing_name_error(__name__, name)
    if name in ("QUEUES_LIST", "QUEUES_MAP"):
        warnings.warn(
            f"{name} is deprecated, as in django-rq; use get_{name.lower()}().",
            DeprecationWarning,
            stacklevel=2,
        )
    return find()
