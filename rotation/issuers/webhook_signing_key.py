"""Keys that webhooks are signed with (Standard Webhooks), in both directions; the other side keeps a list of keys.

Both sides need the same key, so which one changes first decides whether events are lost. The list makes one order right
for both directions, and it is that of every run: `apply` before promotion, `revoke` after the overlap.

`send`: we sign, the partner verifies with every key of its list. The new key is in the list before our senders get it
at promotion; the old one leaves it when they have all stopped signing with it alone. Promoted first, events signed with
the new key would be refused; revoked first, those signed with the old one.

`receive`: the partner signs with every key of its list, our receivers verify with current and previous. From `apply` on
events carry both signatures, so that a receiver that has not heard of the promotion yet takes them by the old key; an
event that is still on its way after `revoke` is taken by the new one. A sender that signs with one key only (GitHub's
hooks) has no such list: it would sign with a key that no receiver has yet, and cannot be rotated by this type.

The key itself travels at `apply`, unlike all other types' here: who verifies an HMAC needs it. Its id is a digest.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from rotation.contract import Fence, Minted, Probe, Verdict
from rotation.errors import Refused
from rotation.issuers import target_api
from rotation.issuers import webhook_signature as webhooks
from rotation.issuers.facts import bad_facts, read_fields
from rotation.issuers.http import Answer
from rotation.issuers.own_id import OwnId
from rotation.value import SecretValue

SEND, RECEIVE = "send", "receive"
# 256 bits, as strong as the hash that signs.
KEY_BYTES = 32
# 128 bits of a digest: enough to never meet another, of no use to guess the key.
ID_CHARACTERS = 32
# The only refusal that means: this key is not in the list.
NO_MATCH = "no_matching_signature"
# Partners verify events of this type and do nothing else with them.
PROBE_TYPE = "keyturn.probe"
_CHALLENGE_BYTES = 16


class WebhookSigningKey(OwnId):
    """A key of one endpoint.

    Facts beside the common ones: `endpoint` (whose list), `direction` (`send` or `receive`), and `bytes` of a new key
    (24 to 64, default 32).
    """

    kind: ClassVar[str] = "webhook-signing-key"
    needed: ClassVar[tuple[str, ...]] = ("endpoint", "direction")
    optional: ClassVar[tuple[str, ...]] = ("bytes",)

    def __init__(self, facts: Mapping[str, str], *given: Any, **options: Any) -> None:
        super().__init__(facts, *given, **options)
        if facts["direction"] not in (SEND, RECEIVE):
            raise bad_facts(self.kind, f"has a `direction` that is neither `{SEND}` nor `{RECEIVE}`")
        self._bytes = _key_bytes(self.kind, facts.get("bytes", str(KEY_BYTES)))
        self._sends = facts["direction"] == SEND
        self._endpoint = f"/endpoints/{target_api.segment(facts['endpoint'])}"

    def mint(self, current: SecretValue | None) -> Minted:
        """A new key in the field `key`, as `whsec_` and base64; `current` is not needed."""
        del current
        value = SecretValue.of({"key": webhooks.encode_key(secrets.token_bytes(self._bytes))})
        return Minted(value=value, public={"key_id": key_id(value)})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Put the key into the partner's list. Conflict `target_rotation_open` while two others are in it."""
        _read(value)
        self._api.fill(self._place(value), {"key": read_fields(value, "key")["key"]}, fence)

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Take the key out of the list."""
        self._api.empty(self._place(value), fence)

    def held(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the list has the key."""
        return target_api.holds(self._api.place(f"{self._endpoint}/keys", public.get("key_id", "")), fence)

    def shown(self, value: SecretValue) -> Probe:
        """`send`: deliver a signed probe. `receive`: have the partner sign one, and verify it. REFUSED for no match."""
        key = _read(value)
        return self._deliver(key) if self._sends else self._ask_for_one(key)

    def _deliver(self, key: bytes) -> Probe:
        """200 with the very id, or 401 for the signature; anything else says nothing of the key."""
        body = json.dumps({"type": PROBE_TYPE}).encode()
        # an id of its own each time: a receiver takes the same one only once
        probe = webhooks.Webhook(id=f"probe_{_challenge()}", timestamp=int(self._clock()), body=body)
        answer = self._api.show("POST", f"{self._endpoint}/deliver", body, headers=webhooks.sign([key], probe))
        if answer.status == HTTPStatus.OK and answer.body.get("id") == probe.id:
            return Probe(verdict=Verdict.ACCEPTED)
        if answer.status == HTTPStatus.UNAUTHORIZED and answer.error == NO_MATCH:
            return Probe(verdict=Verdict.REFUSED, code=NO_MATCH)
        detail = "the partner refused the probe for another reason than its signature"
        return Probe(verdict=Verdict.UNPROVEN, code=str(int(answer.status)), detail=detail)

    def _ask_for_one(self, key: bytes) -> Probe:
        """The challenge keeps an older answer from passing for this one."""
        challenge = _challenge()
        answer = self._api.show("POST", f"{self._endpoint}/test", {"challenge": challenge})
        body = str(answer.body.get("body", ""))
        if answer.status != HTTPStatus.OK or challenge not in body:
            detail = "the partner did not sign what it was asked to"
            return Probe(verdict=Verdict.UNPROVEN, code=str(int(answer.status)), detail=detail)
        try:
            webhooks.verify([key], _headers(answer), body.encode(), self._clock())
        except webhooks.Unverified as exc:
            verdict = Verdict.REFUSED if exc.reason == NO_MATCH else Verdict.UNPROVEN
            return Probe(verdict=verdict, code=exc.reason)
        return Probe(verdict=Verdict.ACCEPTED)

    def _place(self, value: SecretValue) -> str:
        return f"{self._endpoint}/keys/{key_id(value)}"


def key_id(value: SecretValue) -> str:
    """What a key is called: the start of its SHA-256, in hex. Refused `malformed_value` when there is none."""
    return hashlib.sha256(read_fields(value, "key")["key"].encode()).hexdigest()[:ID_CHARACTERS]


def _read(value: SecretValue) -> bytes:
    try:
        return webhooks.decode_key(read_fields(value, "key")["key"])
    except ValueError:
        raise Refused(
            "malformed_value", "the credential's `key` is no webhook key", "look at how the version was written"
        ) from None


def _headers(answer: Answer) -> dict[str, str]:
    given = answer.body.get("headers")
    return {str(name).lower(): str(text) for name, text in given.items()} if isinstance(given, dict) else {}


def _challenge() -> str:
    return secrets.token_hex(_CHALLENGE_BYTES)


def _key_bytes(kind: str, text: str) -> int:
    allowed = range(webhooks.LEAST_KEY_BYTES, webhooks.MOST_KEY_BYTES + 1)
    if text not in map(str, allowed):
        raise bad_facts(kind, f"has `bytes` that are no number from {allowed.start} to {allowed.stop - 1}")
    return int(text)
