"""Public keys of those that sign events, by key id. Several at once are an overlap of keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyturn.client.errors import ClientError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


class KeyRing:
    """ECDSA P-256 keys; each PEM is read once, here, so that a wrong one is found at the start.

    Raises:
        ClientError: `bad_key`, naming the key id.
    """

    def __init__(self, pems: Mapping[str, str]) -> None:
        self._keys = {key_id: _public_key(key_id, pem) for key_id, pem in pems.items()}

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._keys

    def signed(self, key_id: str, signature: bytes, digest: bytes) -> bool:
        """Whether this is the key's signature (ECDSA, DER) of a SHA-256 digest."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only those who hear events need it
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above

        try:
            self._keys[key_id].verify(signature, digest, ECDSA(Prehashed(SHA256())))
        except InvalidSignature:
            return False
        return True


def _public_key(key_id: str, pem: str) -> EllipticCurvePublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only those who hear events need it
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey  # noqa: PLC0415 - so too
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - as above

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ClientError("bad_key", f"the key {key_id} is not a public key in PEM") from exc
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ClientError("bad_key", f"the key {key_id} is not one of the curve P-256")
    return key
