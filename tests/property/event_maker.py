"""Genuine events for tests: signed with keys of their own, and the ring of public keys that a consumer would have."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from keyturn.client.events import SCHEMA, identity
from keyturn.client.verify import canonical

STACK, SECRET = "local", "payments/postgres"
# The two keys of an overlap, and one that nobody trusts.
OLD_KEY, NEW_KEY, STRANGER = "key-old", "key-new", "key-stranger"
# A moment for tests without a clock.
NOW = 1_800_000_000.0


@cache
def private_key(key_id: str) -> ec.EllipticCurvePrivateKey:
    """One for each id, for as long as the process lives."""
    return ec.generate_private_key(ec.SECP256R1())


def pem(key_id: str) -> str:
    """The public key."""
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key(key_id).public_key().public_bytes(serialization.Encoding.PEM, spki).decode()


def trusted() -> dict[str, str]:
    """Both keys of the overlap."""
    return {OLD_KEY: pem(OLD_KEY), NEW_KEY: pem(NEW_KEY)}


def version(number: int) -> str:
    """Keyturn's id of the n-th version."""
    return hashlib.sha256(f"version {number}".encode()).hexdigest()[:32]


def unsigned(number: int = 2, *, at: float = NOW, **changed: Any) -> dict[str, Any]:
    """The fields of the event that the n-th version is current, but for its signature."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "promoted",
        "stack": STACK,
        "secret": SECRET,
        "store": "vault",
        "path": "keyturn/payments/postgres",
        "version": version(number),
        "store_version": str(number),
        "sequence": number,
        "issued_at": datetime.fromtimestamp(at, UTC).isoformat(),
        "key_id": NEW_KEY,
        **changed,
    }
    return {"id": identity(document), **document}


def signed(document: dict[str, Any], *, by: str = "") -> dict[str, Any]:
    """With a signature; `by` a key other than the one that the event names."""
    key = private_key(by or document["key_id"])
    made = key.sign(hashlib.sha256(canonical(document)).digest(), ec.ECDSA(Prehashed(SHA256())))
    return {**document, "signature": base64.urlsafe_b64encode(made).rstrip(b"=").decode()}


def event(number: int = 2, *, at: float = NOW, **changed: Any) -> dict[str, Any]:
    """A genuine event, unless a change makes it another."""
    return signed(unsigned(number, at=at, **changed))
