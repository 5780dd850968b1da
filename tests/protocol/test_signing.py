"""Signatures bind a value to its purpose, its job and this project."""

from __future__ import annotations

import hmac
from typing import Any, Literal

import pytest

from django_rqlite.conf.signer import signer
from django_rqlite.exceptions import SignatureError
from django_rqlite.protocol.signing import Signer

OURS = Signer([b"key"])
PAYLOAD = b"\x80\x05]."


def sealed(by: Signer = OURS) -> dict[str, Any]:
    signature = by.sign("data", "a", PAYLOAD)
    return {"purpose": "data", "job_id": "a", "payload": PAYLOAD, "signature": signature}


def test_what_was_signed_passes() -> None:
    OURS.check(**sealed())


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "result"},
        {"purpose": "meta"},
        {"job_id": "b"},
        {"job_id": ""},
        {"payload": PAYLOAD + b"."},
        {"payload": b""},
        {"signature": ""},
        {"signature": "é"},
        {"signature": "\ud800"},
        {"signature": sealed()["signature"][:-1]},
        {"signature": sealed()["signature"].upper()},
        {"signature": Signer([b"another key"]).sign("data", "a", PAYLOAD)},
    ],
    ids=str,
)
def test_any_change_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SignatureError, match=r"job .* SECRET_KEY_FALLBACKS"):
        OURS.check(**sealed() | change)


@pytest.mark.parametrize("key", [b"key", b"k" * 64, b"k" * 65])
@pytest.mark.parametrize("payload", [b"", PAYLOAD, b"x" * 5000])
def test_it_is_hmac_with_sha_256(key: bytes, payload: bytes) -> None:
    expected = hmac.digest(key, b"data\0a\0" + payload, "sha256").hex()[:32]
    assert Signer([key]).sign("data", "a", payload) == expected


def test_terms_are_part_of_what_is_signed() -> None:
    signature = OURS.sign("data", "a", b"c", b"terms")
    OURS.check("data", "a", b"c", signature, b"terms")
    for payload, terms in ((b"c", b""), (b"c", b"term"), (b"sc", b"term"), (b"termsc", b"")):
        with pytest.raises(SignatureError):
            OURS.check("data", "a", payload, signature, terms)
    with pytest.raises(SignatureError, match="callbacks"):
        OURS.check(**sealed(), terms=b"terms")


def test_pieces_are_signed_as_the_whole() -> None:
    signature = OURS.sign("data", "a", PAYLOAD)
    Signer([b"new key", b"key"]).check("data", "a", [PAYLOAD[:1], PAYLOAD[1:]], signature)


def test_nothing_is_read_where_there_is_no_signature() -> None:
    class Unread:
        def __iter__(self) -> Any:
            raise AssertionError("it was read")

    with pytest.raises(SignatureError):
        Signer([b"key"], required=True).check("data", "a", Unread(), None)


def test_no_part_flows_into_another() -> None:
    signature = OURS.sign("data", "ab", b"c")
    with pytest.raises(SignatureError):
        OURS.check("data", "a", b"bc", signature)


def test_former_keys_are_accepted_and_not_used() -> None:
    rotated = Signer([b"new key", b"key"])
    rotated.check(**sealed())
    with pytest.raises(SignatureError):
        OURS.check(**sealed(by=rotated))


@pytest.mark.parametrize("purpose", ["data", "result", "meta"])
def test_a_missing_signature_is_a_matter_of_settings(
    purpose: Literal["data", "result", "meta"],
) -> None:
    OURS.check(purpose, "a", PAYLOAD, None)
    with pytest.raises(SignatureError, match=rf"{purpose} of job a .*REQUIRE_SIGNATURE"):
        Signer([b"key"], required=True).check(purpose, "a", PAYLOAD, None)


def test_the_project_s_signer_follows_its_settings(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "old", []
    sealed_before = sealed(by=signer())

    settings.SECRET_KEY = "new"
    with pytest.raises(SignatureError):
        signer().check(**sealed_before)
    settings.SECRET_KEY_FALLBACKS = ["old"]
    signer().check(**sealed_before)

    signer().check("data", "a", PAYLOAD, None)
    settings.RQ = {"REQUIRE_SIGNATURE": True}
    with pytest.raises(SignatureError):
        signer().check("data", "a", PAYLOAD, None)
