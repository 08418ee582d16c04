"""Key pairs that sign tokens, for verifiers that fetch the public keys as a JSON Web Key set (RFC 7517).

`apply` publishes the new public key beside the old one, so that verifiers have fetched it before a token of it reaches
them: the warm-up is the time they may take to look again. Tokens of the old key outlive its last use: the overlap is at
least a token's life. `revoke` removes it. The set is one document behind compare-and-set (`key_pair_document`).

Here `signing-key` differs: its verifier is handed each key by an API with places and fences of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rotation.contract import Fence, Minted, Probe, Verdict
from rotation.issuers import key_pair_keys as keys
from rotation.issuers import key_pair_token, target_api
from rotation.issuers.facts import bad_facts, read_fields
from rotation.issuers.key_pair_document import KeyDocument
from rotation.issuers.own_id import OwnId
from rotation.value import SecretValue

_PUBLISHED = "/.well-known/jwks.json"


class KeyPair(OwnId):
    """A key pair whose public half is published.

    Facts beside the common ones: `set` (which key set), `algorithm` (one of `key_pair_keys.JWS`), `issuer` and
    `audience` (what a consumer puts into `iss`, `aud`).
    """

    kind: ClassVar[str] = "key-pair"
    needed: ClassVar[tuple[str, ...]] = ("set", "algorithm", "issuer", "audience")

    def __init__(self, facts: Mapping[str, str], *given: Any, **options: Any) -> None:
        super().__init__(facts, *given, **options)
        if facts["algorithm"] not in keys.JWS:
            raise bad_facts(self.kind, f"has an `algorithm` that is none of {', '.join(keys.JWS)}")
        self._set = f"/sets/{target_api.segment(facts['set'])}"
        self._document = KeyDocument(self._api, self._set)

    def mint(self, current: SecretValue | None) -> Minted:
        """A new key pair: private key as PEM (PKCS 8), key id, and how tokens are signed; `current` is not needed."""
        del current
        key = keys.generate(self._facts["algorithm"])
        kid = _kid(key)
        fields = {"kid": kid, "private_key": keys.to_pem(key), "alg": keys.JWS[self._facts["algorithm"]]}
        return Minted(value=SecretValue.of(fields), public={"kid": kid})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Publish the public key. Refused `malformed_value` unless key and id belong together; Conflict."""
        kid, key = _read(value)
        members = {**keys.public_members(key), "alg": keys.JWS[keys.algorithm_of(key)], "use": "sig"}
        self._document.put(kid, members, fence)

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Publish it no more."""
        self._document.remove(read_fields(value, "kid")["kid"], fence)

    def held(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the document has the key."""
        return self._document.holds(public.get("kid", ""), fence)

    def shown(self, value: SecretValue) -> Probe:
        """Have a fresh token verified, and look whether the published set agrees.

        UNPROVEN `set_differs` when the token is accepted and its key is not published, or the other way round.
        """
        kid, key = _read(value)
        token = key_pair_token.token(key, kid, self._facts, self._clock())
        said = key_pair_token.verdict(self._api.show("POST", f"{self._set}/verify", {"token": token}), kid)
        published = self._api.show("GET", f"{self._set}{_PUBLISHED}").body.get("keys")
        names = {key.get("kid") for key in published if isinstance(key, dict)} if isinstance(published, list) else set()
        if said.verdict is Verdict.UNPROVEN or (kid in names) == (said.verdict is Verdict.ACCEPTED):
            return said
        detail = "the verifier's answer and the published key set contradict each other"
        return Probe(verdict=Verdict.UNPROVEN, code="set_differs", detail=detail)


def _kid(key: Any) -> str:
    return keys.base64url(keys.thumbprint(keys.public_members(key)))


def _read(value: SecretValue) -> tuple[str, Any]:
    """Id and private key of a value in which they belong together; Refused `malformed_value` otherwise."""
    fields = read_fields(value, "kid", "private_key")
    key = keys.from_pem(fields["private_key"])
    if _kid(key) != fields["kid"]:
        raise keys.malformed("holds a key id that does not belong to its private key")
    return fields["kid"], key
