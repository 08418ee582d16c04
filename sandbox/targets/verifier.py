"""A service that accepts Ed25519-signed tokens by key id: several keys at once, each with a fence.

    PUT    /keys/{kid}   {"public_key": PEM or base64 of 32 bytes, "generation": n}   authority
    DELETE /keys/{kid}?generation=n                                                   authority
    GET    /keys         kid -> {fingerprint, generation}                             authority
    GET    /.well-known/jwks.json                                                     everybody
    POST   /verify       {"token": ...}: 200 {"kid"}, 401 {"error"}, 400 malformed    everybody

It is given public keys and keeps public keys. Issuer and audience are fixed: `iss` is `analytics`, `aud` is
`analytics-api`; `exp` is required and has no leeway, the clock being the same machine's.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from sandbox.targets.command import run
from sandbox.targets.fenced import EMPTY, FencedPlaces
from sandbox.targets.signed_token import Malformed, Rejected, verify
from sandbox.targets.web import Call, Refusal, Route

EXPECTED = {"iss": "analytics", "aud": "analytics-api"}
# one owner for all keys
KEYS = "keys"
# far above what rotates in a sandbox, so that a loop that only adds is noticed
MOST_KEYS = 10_000
FINGERPRINT_CHARACTERS = 16
PEM_START = "-----BEGIN"


class Verifier:
    """The keys and what may be done with them."""

    def __init__(self, snapshot: Path) -> None:
        self._keys = FencedPlaces(snapshot, MOST_KEYS)

    def put(self, call: Call) -> dict[str, Any]:
        """Accept tokens signed with this key."""
        raw, generation = _raw_key(call.body.get("public_key")), call.generation(call.body)
        self._keys.put(KEYS, call.names["kid"], raw.hex(), generation)
        return {"kid": call.names["kid"], "generation": generation}

    def delete(self, call: Call) -> dict[str, Any]:
        """Accept tokens of this key no more."""
        generation = call.generation(dict(call.query))
        removed = self._keys.empty(KEYS, call.names["kid"], generation)
        return {"kid": call.names["kid"], "generation": generation, "removed": removed}

    def show(self, call: Call) -> dict[str, Any]:
        """The key ids; a removed one has an empty fingerprint."""
        del call
        return {
            kid: {"fingerprint": _fingerprint(place.content), "generation": place.generation}
            for kid, place in self._keys.of(KEYS).items()
        }

    def jwks(self, call: Call) -> dict[str, Any]:
        """The accepted keys as a JSON Web Key set (RFC 8037)."""
        del call
        shape = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig"}
        present = {kid: place.content for kid, place in self._keys.of(KEYS).items() if place.content != EMPTY}
        return {"keys": [{**shape, "kid": kid, "x": _base64url(bytes.fromhex(key))} for kid, key in present.items()]}

    def verify(self, call: Call) -> dict[str, Any]:
        """Say whether a token is accepted, and by which key."""
        token = call.body.get("token")
        if not isinstance(token, str):
            raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_token")
        try:
            return {"kid": verify(token, self._key, EXPECTED, time.time())["kid"]}
        except Malformed:
            raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_token") from None
        except Rejected as exc:
            raise Refusal(HTTPStatus.UNAUTHORIZED, exc.reason) from None

    def _key(self, kid: str) -> bytes | None:
        place = self._keys.of(KEYS).get(kid)
        return bytes.fromhex(place.content) if place and place.content != EMPTY else None


def routes(snapshot: Path) -> Sequence[Route]:
    """What the service answers; its state is kept in `snapshot`."""
    service = Verifier(snapshot)
    return (
        Route("PUT", "/keys/{kid}", service.put),
        Route("DELETE", "/keys/{kid}", service.delete),
        Route("GET", "/keys", service.show),
        Route("GET", "/.well-known/jwks.json", service.jwks, authority=False),
        Route("POST", "/verify", service.verify, authority=False),
    )


def _raw_key(given: object) -> bytes:
    """The 32 bytes of an Ed25519 public key in PEM, base64 or base64url."""
    refusal = Refusal(HTTPStatus.BAD_REQUEST, "malformed_public_key")
    if not isinstance(given, str):
        raise refusal
    try:
        if not given.startswith(PEM_START):
            text = given.strip().replace("-", "+").replace("_", "/").rstrip("=")
            raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            return Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.Raw, PublicFormat.Raw)
        key = load_pem_public_key(given.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise refusal from None
    if not isinstance(key, Ed25519PublicKey):
        raise refusal
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _fingerprint(content: str) -> str:
    return hashlib.sha256(bytes.fromhex(content)).hexdigest()[:FINGERPRINT_CHARACTERS] if content else EMPTY


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


if __name__ == "__main__":
    raise SystemExit(run("verifier", routes))
