"""Reading a compact JWS signed with Ed25519 (RFC 7515, RFC 8037) and checking its claims (RFC 7519).

Only what the verifier needs: one algorithm, one key per key id, no detached payload, no critical extensions. The
signature is checked before any claim is believed, and only `EdDSA` is: what the header asks for is never obeyed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ALGORITHM = "EdDSA"
PARTS = 3


class Malformed(ValueError):
    """Not a compact JWS with a JSON header and JSON claims."""


class Rejected(Exception):
    """A token that is not accepted; `reason` is the answer's error slug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(
    token: str,
    key_of: Callable[[str], bytes | None],
    expected: Mapping[str, str],
    now: float,
) -> dict[str, Any]:
    """The header and claims of a valid token as `{"kid": ..., "claims": {...}}`.

    `key_of` gives the raw 32 bytes of a key id, `expected` the values of `iss` and `aud`, `now` epoch seconds.

    Raises:
        Malformed: it is no token. Rejected: `bad_algorithm`, `unknown_key`, `bad_signature`, `wrong_issuer`,
            `wrong_audience`, `expired`.
    """
    header, claims, signed, signature = _split(token)
    if header.get("alg") != ALGORITHM or "crit" in header:
        raise Rejected("bad_algorithm")
    kid = header.get("kid")
    key = key_of(kid) if isinstance(kid, str) else None
    if key is None:
        raise Rejected("unknown_key")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
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


def _split(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    parts = token.split(".")
    if len(parts) != PARTS or not token.isascii():
        raise Malformed("not three parts")
    header, claims, signature = (_decode(part) for part in parts)
    return _object(header), _object(claims), token.rpartition(".")[0].encode("ascii"), signature


def _decode(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as exc:
        raise Malformed("not base64url") from exc


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(found, dict):
        raise Malformed("not a JSON object")
    return found
