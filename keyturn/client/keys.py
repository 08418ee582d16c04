"""Public keys of those that sign events, by key id. Several at once are an overlap of keys.

Where they are given as a function they can change while a service runs: it is asked again when an event names a key
that is not known. What it then gives takes the place of all that was known before.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from keyturn.client.errors import ClientError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


_log = logging.getLogger(__name__)

# Key id to public key in PEM, or who tells them.
Pems = Mapping[str, str] | Callable[[], Mapping[str, str]]

# Whoever may write to a channel can name keys that do not exist: they are asked for no more often than this.
REREAD_S = 60.0


class KeyRing:
    """ECDSA P-256 keys; each PEM is read once, here, so that a wrong one is found at the start.

    Raises:
        ClientError: `bad_key`, naming the key id; `no_keys` of a function that gives none; whatever else it raises.
    """

    def __init__(self, pems: Pems, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._tell = pems if callable(pems) else None
        self._timer, self._lock = timer, threading.Lock()
        self._asked_at: float | None = None
        self._keys = _read(pems) if not callable(pems) else _told(pems)

    def reread(self) -> bool:
        """Ask again, once a minute at most; whether that was done. What cannot be read changes nothing."""
        with self._lock:
            now = self._timer()
            if self._tell is None or (self._asked_at is not None and now - self._asked_at < REREAD_S):
                return False
            self._asked_at = now
        try:
            self._keys = _told(self._tell)
        except Exception as exc:  # noqa: BLE001 - the service's own function, called on a thread that others live on
            _log.warning("the keys that sign events could not be read again (%s)", type(exc).__name__)
            return False
        return True

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._keys

    def signed(self, key_id: str, signature: bytes, digest: bytes) -> bool:
        """Whether this is the key's signature (ECDSA, DER) of a SHA-256 digest."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only those who hear events need it
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above

        key = self._keys.get(key_id)
        if key is None:
            return False
        try:
            key.verify(signature, digest, ECDSA(Prehashed(SHA256())))
        except InvalidSignature:
            return False
        return True


def _told(tell: Callable[[], Mapping[str, str]]) -> dict[str, EllipticCurvePublicKey]:
    if not (pems := tell()):
        raise ClientError("no_keys", "the function that tells the keys gave none")
    return _read(pems)


def _read(pems: Mapping[str, str]) -> dict[str, EllipticCurvePublicKey]:
    return {key_id: _public_key(key_id, pem) for key_id, pem in pems.items()}


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
