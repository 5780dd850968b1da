"""The signer that this project's settings describe."""

from __future__ import annotations

from functools import cache

from django.core.signals import setting_changed

from . import conf
from .protocol.signing import Signer


def signer() -> Signer:
    """Signs with ``SECRET_KEY``, accepts ``SECRET_KEY_FALLBACKS``; see DESIGN: ``RQ``'s
    ``REQUIRE_SIGNATURE`` decides about what bears no signature."""
    return _signer(conf.require_signature())


@cache
def _signer(required: bool) -> Signer:
    return Signer(conf.signing_keys(), required)


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"SECRET_KEY", "SECRET_KEY_FALLBACKS"}:
        _signer.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_rqlite.trust")
