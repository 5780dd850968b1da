"""The signer that this project's settings describe, and what it says of a job."""

from __future__ import annotations

from functools import cache

from django.core.signals import setting_changed

from .. import conf
from ..exceptions import SignatureError
from ..protocol import codec
from ..protocol.records import JobRecord
from ..protocol.signing import Payload, Purpose, Signer


def signer() -> Signer:
    """Signs with ``SECRET_KEY``, accepts ``SECRET_KEY_FALLBACKS``; see DESIGN: ``RQ``'s
    ``REQUIRE_SIGNATURE`` decides about what bears no signature."""
    return _signer(conf.require_signature())


def sign(purpose: Purpose, job_id: str, payload: Payload, terms: bytes = b"") -> str:
    """The signature of what was made here, which no setting but the keys decides about."""
    return _signer(False).sign(purpose, job_id, payload, terms)


@cache
def _signer(required: bool) -> Signer:
    return Signer(conf.signing_keys(), required)


def signature_problem(record: JobRecord, terms: bytes | None = None) -> str:
    """Why nothing that a job names may be imported or called; '' where it may.

    Args:
        terms: the record's, where they were made already.
    """
    payload = b"" if record.packed is None else codec.pieces(record.packed)
    terms = record.terms if terms is None else terms
    try:
        signer().check("data", record.id, payload, record.signature, terms)
    except SignatureError as exc:
        return str(exc)
    return ""


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"SECRET_KEY", "SECRET_KEY_FALLBACKS"}:
        _signer.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_rqlite.conf.signer")
