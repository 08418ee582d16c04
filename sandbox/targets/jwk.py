"""Reading a JSON Web Key (RFC 7517, RFC 7518, RFC 8037) as a public key that verifies with one algorithm.

Three kinds, with the one algorithm that each is published for here. A key with private members is refused, whatever
else it holds: a published private key is the worst that a key set can have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from sandbox.targets.signed_token import Malformed, PublicKey, decoded

# RFC 7518, section 6: what only a private key has
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
P256_BYTES = 32
# NIST SP 800-131A: less is no longer allowed for signing
SHORTEST_MODULUS_BITS = 2_048


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """The key. Malformed: it is none, of another kind, private, or published for another algorithm."""
    if PRIVATE & jwk.keys():
        raise Malformed("private members")
    kind = (jwk.get("kty"), jwk.get("crv"))
    if kind not in _READERS:
        raise Malformed("unknown kind")
    try:
        key = _READERS[kind](jwk)
    except Malformed:
        raise
    except ValueError as exc:
        raise Malformed("no such key") from exc
    if jwk.get("alg", key.algorithm) != key.algorithm:
        raise Malformed("another algorithm")
    return key


def _member(jwk: Mapping[str, Any], name: str) -> bytes:
    found = jwk.get(name)
    if not isinstance(found, str):
        raise Malformed(f"no {name}")
    return decoded(found)


def _okp(jwk: Mapping[str, Any]) -> PublicKey:
    return PublicKey("EdDSA", ed25519.Ed25519PublicKey.from_public_bytes(_member(jwk, "x")).verify)


def _ec(jwk: Mapping[str, Any]) -> PublicKey:
    x, y = (int.from_bytes(_member(jwk, name), "big") for name in ("x", "y"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()

    def check(signature: bytes, signed: bytes) -> None:
        if len(signature) != 2 * P256_BYTES:
            raise InvalidSignature
        halves = (signature[:P256_BYTES], signature[P256_BYTES:])
        numbers = utils.encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
        key.verify(numbers, signed, ec.ECDSA(hashes.SHA256()))

    return PublicKey("ES256", check)


def _rsa(jwk: Mapping[str, Any]) -> PublicKey:
    e, n = (int.from_bytes(_member(jwk, name), "big") for name in ("e", "n"))
    if n.bit_length() < SHORTEST_MODULUS_BITS:
        raise Malformed("too short")
    key = rsa.RSAPublicNumbers(e, n).public_key()
    return PublicKey(
        "RS256", lambda signature, signed: key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    )


_READERS: dict[tuple[Any, Any], Callable[[Mapping[str, Any]], PublicKey]] = {
    ("OKP", "Ed25519"): _okp,
    ("EC", "P-256"): _ec,
    ("RSA", None): _rsa,
}
