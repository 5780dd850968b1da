"""The signer that this project's settings describe."""

from __future__ import annotations

from functools import cache

from django.core.signals import setting_changed

from . import conf
from .protocol.signing import Signer


@cache
def signer() -> Signer:
    """Signs with ``SECRET_KEY``, accepts ``SECRET_KEY_FALLBACKS``; see DESIGN: ``RQ``'s
    ``REQUIRE_SIGNATURE`` decides about what bears no signature."""
    return Signer(conf.signing_keys(), conf.require_signature())


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "RQ"}:
        signer.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_rqlite.trust")
