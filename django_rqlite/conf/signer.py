"""The signer that the settings describe, and whether it accepts a job."""

from __future__ import annotations

import hmac
from functools import cache

from django.conf import settings
from django.core.signals import setting_changed

from ..exceptions import SignatureError
from ..protocol import codec
from ..protocol.records import JobRecord
from ..protocol.signing import Payload, Purpose, Signer
from .settings import require_signature


def signer() -> Signer:
    """Return the signer of this project.

    It signs with ``SECRET_KEY`` and accepts signatures made with ``SECRET_KEY_FALLBACKS``.
    ``RQ["REQUIRE_SIGNATURE"]`` decides whether it accepts unsigned bytes.
    """
    return _signer(require_signature())


@cache
def own_signer() -> Signer:
    """Return the signer with which this process signs. It is made once."""
    return _signer(False)


def sign(purpose: Purpose, job_id: str, payload: Payload, terms: bytes = b"") -> str:
    """Return the signature of bytes that this process made."""
    return own_signer().sign(purpose, job_id, payload, terms)


def signature_problem(record: JobRecord, terms: bytes | None = None) -> str:
    """Return why the functions that a job names may not be called; ``''`` if they may.

    Args:
        terms: The signed terms of the record, if the caller has them already.
    """
    payload = b"" if record.packed is None else codec.pieces(record.packed)
    terms = record.terms if terms is None else terms
    try:
        signer().check("data", record.id, payload, record.signature, terms)
    except SignatureError as exc:
        return str(exc)
    return ""


def signing_keys() -> tuple[bytes, ...]:
    """Return the 32-byte keys derived from ``SECRET_KEY``, which signs, and from the fallbacks.

    The keys are derived so that a signature made here is never valid for Django, or vice versa.
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return tuple(
        hmac.digest(
            secret if isinstance(secret, bytes) else str(secret).encode(),
            b"django_rqlite signing key 1",
            "sha256",
        )
        for secret in secrets
    )


@cache
def _signer(required: bool) -> Signer:
    return Signer(signing_keys(), required)


def _forget_keys(*, setting: str, **_: object) -> None:
    if setting in {"SECRET_KEY", "SECRET_KEY_FALLBACKS"}:
        _signer.cache_clear()
        own_signer.cache_clear()


setting_changed.connect(_forget_keys, dispatch_uid="django_rqlite.conf.signer")
