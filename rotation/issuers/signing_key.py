"""Ed25519 key pairs that sign tokens; a verifier accepts them by key id, any number at once.

The target is given the public key only. The key id is the key's own thumbprint, so that a value whose id and key do not
belong together is refused; what that means for late calls, `own_id` says. The proof is a token as a consumer would sign
it: compact JWS (RFC 7515) with EdDSA (RFC 8037), valid for a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rotation.contract import Fence, Minted, Probe
from rotation.issuers import key_pair_keys as keys
from rotation.issuers import key_pair_token, target_api
from rotation.issuers.facts import read_fields
from rotation.issuers.own_id import OwnId
from rotation.value import SecretValue

_ALGORITHM = "Ed25519"
_KEYS = "/keys"


class SigningKey(OwnId):
    """A key pair; facts beside the common ones: `issuer` and `audience` (what a consumer puts into `iss`, `aud`)."""

    kind: ClassVar[str] = "signing-key"
    needed: ClassVar[tuple[str, ...]] = ("issuer", "audience")

    def mint(self, current: SecretValue | None) -> Minted:
        """A new key pair as PEM (PKCS 8, SubjectPublicKeyInfo) with its id; `current` is not needed."""
        del current
        from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415 - imported on first use only

        key = keys.generate(_ALGORITHM)
        public = key.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
        kid, private = thumbprint(key), keys.to_pem(key)
        fields = {"kid": kid, "private_key": private, "public_key": public.decode(), "alg": keys.JWS[_ALGORITHM]}
        return Minted(value=SecretValue.of(fields), public={"kid": kid})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Let the verifier accept tokens of this key. Refused `malformed_value` unless id and keys belong together."""
        _private_key(value)
        fields = read_fields(value, "kid", "public_key")
        self._api.fill(_place(fields["kid"]), {"public_key": fields["public_key"]}, fence)

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Remove the key."""
        self._api.empty(_place(read_fields(value, "kid")["kid"]), fence)

    def held(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the verifier lists the key."""
        return target_api.holds(self._api.place(_KEYS, public.get("kid", "")), fence)

    def shown(self, value: SecretValue) -> Probe:
        """Have a fresh token verified. REFUSED only for 401 `unknown_key`: other refusals speak of the token."""
        key, kid = _private_key(value), read_fields(value, "kid")["kid"]
        token = key_pair_token.token(key, kid, self._facts, self._clock())
        return key_pair_token.verdict(self._api.show("POST", "/verify", {"token": token}), kid)


def thumbprint(key: Any) -> str:
    """The key's thumbprint in hex: it starts with a letter or digit, as a segment of the verifier's paths has to."""
    return keys.thumbprint(keys.public_members(key)).hex()


def _private_key(value: SecretValue) -> Any:
    """The value's private key, to which its id and its public key belong; Refused `malformed_value` otherwise."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - on first use only

    fields = read_fields(value, "kid", "private_key", "public_key")
    key = keys.from_pem(fields["private_key"])
    try:
        public = load_pem_public_key(fields["public_key"].encode())
    except (ValueError, TypeError):
        # a parser's error may quote what it could not parse: cut the chain
        raise keys.malformed("holds no public key in PEM") from None
    if keys.algorithm_of(key) != _ALGORITHM:
        raise keys.malformed(f"holds a key of another kind than {_ALGORITHM}")
    if key.public_key() != public or thumbprint(key) != fields["kid"]:
        raise keys.malformed("holds a key id or public key that does not belong to its private key")
    return key


def _place(kid: str) -> str:
    return f"{_KEYS}/{target_api.segment(kid)}"
