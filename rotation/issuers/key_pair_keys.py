"""Key pairs of the algorithms that tokens are signed with: making, reading, naming and publishing them, and signing.

A key's name is its thumbprint (RFC 7638, RFC 8037), so that it needs no counter, two keys never share one, and a value
whose name and key do not belong together is refused. Private keys are PEM (PKCS 8). `cryptography` is imported by the
first function that needs it. Not here: tokens (`key_pair_token`), and where public keys are published.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rotation.errors import Refused

# Algorithms of keys by the name that a policy gives them, and how tokens are signed with each (RFC 7518, RFC 8037).
JWS = {"Ed25519": "EdDSA", "EC-P256": "ES256", "RSA-3072": "RS256", "RSA-4096": "RS256"}
# The exponent that everybody uses (FIPS 186-5, B.9).
_EXPONENT = 65_537
# Bytes of a coordinate of P-256, and of each half of its signatures (RFC 7518, section 3.4).
_P256_BYTES = 32


def generate(algorithm: str) -> Any:
    """A new private key of one of the algorithms in `JWS`."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - on first use only

    if algorithm == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "EC-P256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(_EXPONENT, int(algorithm.removeprefix("RSA-")))


def to_pem(key: Any) -> str:
    """A private key as PEM (PKCS 8), without a password: the store is what keeps it."""
    from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415 - on first use only

    content: bytes = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    return content.decode("ascii")


def from_pem(text: str) -> Any:
    """The private key in a PEM; Refused `malformed_value` when there is none."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - on first use only
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        return load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # a parser's error may quote what it could not parse: cut the chain
        raise malformed("holds no private key in PEM") from None


def algorithm_of(key: Any) -> str:
    """The algorithm of a private key; Refused `malformed_value` when it is none in `JWS`."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - on first use only

    name = ""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        name = "Ed25519"
    elif isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        name = "EC-P256"
    elif isinstance(key, rsa.RSAPrivateKey):
        name = f"RSA-{key.key_size}"
    if name in JWS:
        return name
    raise malformed(f"holds a key of another kind than {', '.join(JWS)}")


def public_members(key: Any) -> dict[str, str]:
    """The members of the JSON Web Key that make the public key, and no others (RFC 7638, section 3.2)."""
    from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415 - on first use only

    algorithm, public = algorithm_of(key), key.public_key()
    if algorithm == "Ed25519":
        raw = public.public_bytes(pem.Encoding.Raw, pem.PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": base64url(raw)}
    numbers = public.public_numbers()
    if algorithm == "EC-P256":
        return {"crv": "P-256", "kty": "EC", "x": _fixed(numbers.x), "y": _fixed(numbers.y)}
    return {"e": _shortest(numbers.e), "kty": "RSA", "n": _shortest(numbers.n)}


def thumbprint(members: Mapping[str, str]) -> bytes:
    """SHA-256 of a key's required members in the one way that RFC 7638 writes them: 32 bytes."""
    return hashlib.sha256(json.dumps(dict(members), sort_keys=True, separators=(",", ":")).encode()).digest()


def sign(key: Any, content: bytes) -> bytes:
    """The signature as JWS wants it for this key's algorithm (RFC 7518, section 3; RFC 8037, section 3.1)."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - on first use only
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils  # noqa: PLC0415

    made: bytes
    algorithm = algorithm_of(key)
    if algorithm == "Ed25519":
        made = key.sign(content)
    elif algorithm == "EC-P256":
        halves = utils.decode_dss_signature(key.sign(content, ec.ECDSA(hashes.SHA256())))
        made = b"".join(half.to_bytes(_P256_BYTES, "big") for half in halves)
    else:
        made = key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    return made


def malformed(problem: str) -> Refused:
    """The refusal of a value: `problem` continues the sentence 'the credential ...', without what it holds."""
    return Refused("malformed_value", f"the credential {problem}", "look at how the version was written")


def base64url(content: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _fixed(number: int) -> str:
    return base64url(number.to_bytes(_P256_BYTES, "big"))


def _shortest(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
