"""Ed25519 key pairs that sign tokens; a verifier accepts them by key id, any number at once.

The target is given the public key only. The key id is the key's own thumbprint, so that it needs no counter, two keys
never share one, and a value whose id and key do not belong together is refused. The proof is a token as a consumer
would sign it: compact JWS (RFC 7515) with EdDSA (RFC 8037), valid for a minute.

A late revoke finds the key id of a key that is retired: a newer run has another key, hence another id. The epochs
matter after a rollback, which restores an old key under a newer epoch; then the late revoke is Fenced.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from rotation.calls import Caller
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError, Refused
from rotation.issuers import target_api
from rotation.issuers.facts import check_facts, read_fields
from rotation.issuers.http import JsonClient
from rotation.value import SecretValue

# Long enough for a slow verifier and a clock that differs by seconds; the token proves one thing, once.
TOKEN_SECONDS = 60
_KEYS = "/keys"
# The only refusal that means: the verifier does not accept this key.
_UNKNOWN_KEY = "unknown_key"


class SigningKey:
    """A key pair. An instance serves one invocation: the authority's credential is read once.

    facts: `url` (base address), `issuer` and `audience` (what a consumer puts into `iss` and `aud`), `ca_file`.
    authority: reads the authority's credential (field `token`) from the store. clock: epoch seconds.
    """

    kind: ClassVar[str] = "signing-key"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=True, fenced=True, ends_sessions=False, needs_current=False, rollback_horizon=1
    )
    translate = staticmethod(target_api.translate)

    def __init__(
        self,
        facts: Mapping[str, str],
        authority: Callable[[], SecretValue],
        caller: Caller,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_facts(self.kind, facts, needed=("url", "issuer", "audience"), optional=("ca_file",))
        self._facts = facts
        self._clock = clock
        self._api = target_api.TargetApi(JsonClient(self.kind, facts["url"], facts.get("ca_file")), authority, caller)

    def mint(self, current: SecretValue | None) -> Minted:
        """A new key pair as PEM (PKCS 8, SubjectPublicKeyInfo) with its id; `current` is not needed."""
        del current
        from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415 - imported on first use only
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
        public = key.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
        kid = thumbprint(key.public_key())
        fields = {"kid": kid, "private_key": private.decode(), "public_key": public.decode(), "alg": "EdDSA"}
        return Minted(value=SecretValue.of(fields), public={"kid": kid})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Let the verifier accept tokens of this key. Refused `malformed_value` unless id and keys belong together."""
        _private_key(value)
        fields = read_fields(value, "kid", "public_key")
        self._api.fill(_place(fields["kid"]), {"public_key": fields["public_key"]}, fence)

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """The same as `apply`, for an older value; Fenced when this very run revoked it."""
        self.apply(value, fence)

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Remove the key; what is removed is this key or nothing, because the id is the key's."""
        self._api.empty(_place(read_fields(value, "kid")["kid"]), fence)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Remove the key; 0, because the verifier knows no sessions."""
        self._api.empty(_place(read_fields(value, "kid")["kid"]), fence)
        return 0

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the verifier holds the key, put there by this epoch."""
        try:
            return target_api.holds(self._api.place(_KEYS, public.get("kid", "")), fence)
        except KeyturnError as exc:
            return target_api.unproven(exc)

    def probe(self, value: SecretValue) -> Probe:
        """Have a fresh token verified. REFUSED only for 401 `unknown_key`: other refusals speak of the token."""
        try:
            token, kid = self._token(value), read_fields(value, "kid")["kid"]
            answer = self._api.show("POST", "/verify", {"token": token})
        except KeyturnError as exc:
            return target_api.unproven(exc)
        if answer.status == HTTPStatus.OK and answer.body.get("kid") == kid:
            return Probe(verdict=Verdict.ACCEPTED)
        if answer.status == HTTPStatus.UNAUTHORIZED and answer.error == _UNKNOWN_KEY:
            return Probe(verdict=Verdict.REFUSED, code=_UNKNOWN_KEY)
        detail = "the verifier refused the token for another reason than its key, or accepted another key"
        return Probe(verdict=Verdict.UNPROVEN, code=str(int(answer.status)), detail=detail)

    def _token(self, value: SecretValue) -> str:
        key = _private_key(value)
        now = int(self._clock())
        header = {"alg": "EdDSA", "kid": read_fields(value, "kid")["kid"], "typ": "JWT"}
        claims = {
            "iss": self._facts["issuer"],
            "aud": self._facts["audience"],
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        signed = f"{_part(header)}.{_part(claims)}"
        return f"{signed}.{_base64url(key.sign(signed.encode()))}"


def thumbprint(public_key: Any) -> str:
    """SHA-256 of the key as RFC 7638 writes it (RFC 8037, appendix A.3), in hex: it starts with a letter or digit."""
    from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415 - imported on first use only

    raw = public_key.public_bytes(pem.Encoding.Raw, pem.PublicFormat.Raw)
    canonical = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _private_key(value: SecretValue) -> Any:
    """The value's private key, to which its id and its public key belong; Refused `malformed_value` otherwise."""
    from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415 - imported on first use only
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    fields = read_fields(value, "kid", "private_key", "public_key")
    try:
        key = pem.load_pem_private_key(fields["private_key"].encode(), password=None)
        public = pem.load_pem_public_key(fields["public_key"].encode())
    except (ValueError, TypeError):
        # a parser's error may quote what it could not parse: cut the chain
        raise _malformed("holds no private and public key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _malformed("holds a key of another kind than Ed25519")
    if key.public_key() != public or thumbprint(key.public_key()) != fields["kid"]:
        raise _malformed("holds a key id or public key that does not belong to its private key")
    return key


def _malformed(problem: str) -> Refused:
    return Refused("malformed_value", f"the credential {problem}", "look at how the version was written")


def _place(kid: str) -> str:
    return f"{_KEYS}/{target_api.segment(kid)}"


def _part(content: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(content, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
