"""Signatures of the serialized values in Redis.

Without them, anyone who can write to Redis could run code in every worker and web process. A
signature covers the purpose (``data``, ``result``, ``meta``), the job's id and the uncompressed
bytes, so a signed value cannot be moved to another job or another field. The signature of ``data``
also covers the job's terms: its callbacks, retries, repeats and cron entry (see
:mod:`.signed_terms`). The fields ``x_sig``, ``x_sig_result`` and ``x_sig_meta`` hold the
signatures; RQ's own tools ignore them.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from ..exceptions import SignatureError

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

Purpose = Literal["data", "result", "meta"]

#: The bytes that are signed, or an object that yields them in pieces. It is iterated once for each
#: key. It raises ValueError if the bytes are broken, so that they cannot have been signed.
Payload = bytes | Iterable[bytes]

#: The block size of SHA-256 in bytes.
_BLOCK = 64

#: The hash field that holds the signature of each purpose.
FIELDS: dict[Purpose, str] = {"data": "x_sig", "result": "x_sig_result", "meta": "x_sig_meta"}


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the first key, and accepts signatures with any of the keys.

    Attributes:
        keys: the secret keys, the current one first.
        required: whether values without a signature are refused too.
    """

    keys: Sequence[bytes]
    required: bool = False

    def sign(self, purpose: Purpose, job_id: str, payload: Payload, terms: bytes = b"") -> str:
        """The signature, as 32 hexadecimal characters (128 bits).

        Args:
            terms: the terms of a job, which are signed with its ``data``; see
                :mod:`.signed_terms`.
        """
        return _signature(self.keys[0], purpose, job_id, payload, terms)

    def check(
        self,
        purpose: Purpose,
        job_id: str,
        payload: Payload,
        signature: str | None,
        terms: bytes = b"",
    ) -> None:
        """Check a signature. Without one, the payload is not read.

        Raises:
            SignatureError: the signature is wrong, or it is missing although it is required.
        """
        if signature is None:
            if self.required:
                raise SignatureError(
                    f"The {purpose} of job {job_id} is not signed and RQ['REQUIRE_SIGNATURE'] is "
                    "set, so it is not loaded. Enqueue the job through django_rqlite, or unset "
                    "the setting while clients of RQ still take part."
                )
            return
        found = signature.encode("utf-8", "replace")  # compare_digest() takes only ASCII as text
        for key in self.keys:
            try:
                expected = _signature(key, purpose, job_id, payload, terms)
            except ValueError:
                break  # such bytes cannot have been signed
            if hmac.compare_digest(expected.encode(), found):
                return
        with_terms = ", with its callbacks, retries, repeats and cron entry," if terms else ""
        raise SignatureError(
            f"The {purpose} of job {job_id}{with_terms} does not bear this project's signature, so "
            "it is not loaded: it was changed in Redis, or written with another SECRET_KEY. List a "
            "former key in SECRET_KEY_FALLBACKS."
        )


def _signature(key: bytes, purpose: Purpose, job_id: str, payload: Payload, terms: bytes) -> str:
    """HMAC-SHA256, cut to 128 bits."""
    keyed_inner, keyed_outer = _keyed(key)
    inner, outer = keyed_inner.copy(), keyed_outer.copy()
    # NUL separates the parts. Neither a purpose nor an id that RQ accepts has one, and no
    # purpose contains a plus sign. Most jobs have no terms.
    if terms:
        head = f"{purpose}+terms\0{job_id}\0{len(terms)}\0".encode("utf-8", "surrogateescape")
        inner.update(head + terms)
    else:
        inner.update(f"{purpose}\0{job_id}\0".encode("utf-8", "surrogateescape"))
    if isinstance(payload, bytes):
        inner.update(payload)
    else:
        for piece in payload:
            inner.update(piece)
    outer.update(inner.digest())
    return outer.hexdigest()[:32]


@lru_cache(maxsize=16)
def _keyed(key: bytes) -> tuple[Hash, Hash]:
    """The two hashes of HMAC (RFC 2104) after they have taken the key.

    They are cached, because this is more than half of the work for a short value, and ``hmac``
    repeats it for every value.
    """
    padded = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return sha256(bytes(b ^ 0x36 for b in padded)), sha256(bytes(b ^ 0x5C for b in padded))
