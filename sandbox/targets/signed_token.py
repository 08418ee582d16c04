"""Reading a compact JWS (RFC 7515) and checking its claims (RFC 7519).

Only what the verifiers need: one key per key id and one algorithm per key, no detached payload, no critical extensions.
The signature is checked before any claim is believed, by the key's own algorithm: what the header asks for is never
obeyed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EDDSA = "EdDSA"
ALGORITHMS = frozenset({EDDSA, "ES256", "RS256"})
PARTS = 3


class Malformed(ValueError):
    """Not a compact JWS with a JSON header and JSON claims."""


class Rejected(Exception):
    """A token that is not accepted; `reason` is the answer's error slug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class PublicKey:
    """A key with its one algorithm. `check(signature, signed)` raises InvalidSignature."""

    algorithm: str
    check: Callable[[bytes, bytes], None]


def verify(
    token: str,
    key_of: Callable[[str], bytes | None],
    expected: Mapping[str, str],
    now: float,
) -> dict[str, Any]:
    """As `verify_by`, where all keys are Ed25519: `key_of` gives the raw 32 bytes of a key id."""

    def ed25519(kid: str) -> PublicKey | None:
        raw = key_of(kid)
        return None if raw is None else PublicKey(EDDSA, Ed25519PublicKey.from_public_bytes(raw).verify)

    return verify_by(token, ed25519, expected, now)


def verify_by(
    token: str,
    key_of: Callable[[str], PublicKey | None],
    expected: Mapping[str, str],
    now: float,
) -> dict[str, Any]:
    """The header and claims of a valid token as `{"kid": ..., "claims": {...}}`.

    `key_of` gives the key of a key id, `expected` the values of `iss` and `aud`, `now` epoch seconds.

    Raises:
        Malformed: it is no token. Rejected: `bad_algorithm`, `unknown_key`, `bad_signature`, `wrong_issuer`,
            `wrong_audience`, `expired`.
    """
    header, claims, signed, signature = _split(token)
    if header.get("alg") not in ALGORITHMS or "crit" in header:
        raise Rejected("bad_algorithm")
    kid = header.get("kid")
    key = key_of(kid) if isinstance(kid, str) else None
    if key is None:
        raise Rejected("unknown_key")
    if header["alg"] != key.algorithm:
        raise Rejected("bad_algorithm")
    try:
        key.check(signature, signed)
    except InvalidSignature:
        raise Rejected("bad_signature") from None
    _check_claims(claims, expected, now)
    return {"kid": kid, "claims": claims}


def _check_claims(claims: Mapping[str, Any], expected: Mapping[str, str], now: float) -> None:
    if claims.get("iss") != expected["iss"]:
        raise Rejected("wrong_issuer")
    audience = claims.get("aud")
    if expected["aud"] not in (audience if isinstance(audience, list) else [audience]):
        raise Rejected("wrong_audience")
    expiry = claims.get("exp")
    if not isinstance(expiry, int | float) or isinstance(expiry, bool) or expiry <= now:
        raise Rejected("expired")


def decoded(part: str) -> bytes:
    """Base64url without padding; Malformed."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as exc:
        raise Malformed("not base64url") from exc


def _split(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    parts = token.split(".")
    if len(parts) != PARTS or not token.isascii():
        raise Malformed("not three parts")
    header, claims, signature = (decoded(part) for part in parts)
    return _object(header), _object(claims), token.rpartition(".")[0].encode("ascii"), signature


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(found, dict):
        raise Malformed("not a JSON object")
    return found
