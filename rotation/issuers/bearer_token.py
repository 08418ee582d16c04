"""Bearer tokens of a partner's API whose accounts have two slots, both accepted while both are set.

The partner is given the token's SHA-256, so that the token itself travels only when it is used. Each rotation fills the
slot that is not in use. Generations are the claim's epochs; `target_api` says what they fence.

A retirement revokes the slot that the old token is in. If that revoke comes late, after the next run filled the same
slot with a newer epoch, the partner answers 409: Fenced, and the newer token lives.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import ClassVar

from rotation.calls import Caller
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError, Refused
from rotation.issuers import target_api
from rotation.issuers.facts import bad_facts, check_facts, read_fields
from rotation.issuers.http import JsonClient
from rotation.value import SecretValue

# 256 bits: as strong as the hash that the partner keeps.
TOKEN_BYTES = 32
DEFAULT_SLOTS = "a b"


class BearerToken:
    """A token in one of two slots. An instance serves one invocation: the authority's credential is read once.

    facts: `url` (base address), `account`; `slots` (two names, `a b`), `ca_file` where needed.
    authority: reads the authority's credential (field `token`) from the store.
    """

    kind: ClassVar[str] = "bearer-token"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=True, fenced=True, ends_sessions=False, needs_current=True, rollback_horizon=1
    )
    translate = staticmethod(target_api.translate)

    def __init__(self, facts: Mapping[str, str], authority: Callable[[], SecretValue], caller: Caller) -> None:
        check_facts(self.kind, facts, needed=("url", "account"), optional=("slots", "ca_file"))
        self._slots = tuple(facts.get("slots", DEFAULT_SLOTS).split())
        if len(set(self._slots)) != 2 or len(self._slots) != 2:  # noqa: PLR2004 - the partner has two
            raise bad_facts(self.kind, "needs two different names in `slots`")
        self._url, self._account = facts["url"], facts["account"]
        self._list = f"/accounts/{target_api.segment(self._account)}/slots"
        self._api = target_api.TargetApi(JsonClient(self.kind, self._url, facts.get("ca_file")), authority, caller)

    def mint(self, current: SecretValue | None) -> Minted:
        """A random token for the slot that is not current (at first: the first). Refused `foreign_slot`."""
        in_use = self._slot(current) if current else self._slots[1]
        slot = next(name for name in self._slots if name != in_use)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        fields = {"token": token, "slot": slot, "url": self._url, "account": self._account}
        return Minted(value=SecretValue.of(fields), public={"slot": slot})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Let the partner accept the token in its slot. Refused `target_mismatch` for another partner's value."""
        digest = hashlib.sha256(self._token(value).encode()).hexdigest()
        self._api.fill(self._place(self._slot(value)), {"sha256": digest}, fence)

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """The same as `apply`, for an older value; Fenced when this very run revoked it."""
        self.apply(value, fence)

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Empty the slot if it holds this token or nothing; a token that an older run left there is spared."""
        slot, token = self._slot(value), self._token(value)
        place = self._api.place(self._list, slot)
        if int(place.get("generation", fence.epoch)) > fence.epoch:
            raise target_api.stale()
        shown = str(place.get("fingerprint", ""))
        if hashlib.sha256(token.encode()).hexdigest().startswith(shown):
            self._api.empty(self._place(slot), fence)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Empty the slot; 0, because the partner knows no sessions."""
        read_fields(value, "token")
        self._api.empty(self._place(self._slot(value)), fence)
        return 0

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the slot was filled last, and by this epoch."""
        try:
            return target_api.holds(self._api.place(self._list, public.get("slot", "")), fence)
        except KeyturnError as exc:
            return target_api.unproven(exc)

    def probe(self, value: SecretValue) -> Probe:
        """Ask the partner who the bearer is. REFUSED for 401; ACCEPTED only when it names the token's own slot."""
        try:
            slot, token = self._slot(value), self._token(value)
            answer = self._api.show("GET", f"/accounts/{target_api.segment(self._account)}/whoami", bearer=token)
        except KeyturnError as exc:
            return target_api.unproven(exc)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return Probe(verdict=Verdict.REFUSED, code=str(int(answer.status)))
        if answer.body.get("slot") == slot:
            return Probe(verdict=Verdict.ACCEPTED)
        return Probe(verdict=Verdict.UNPROVEN, code="other_slot", detail="the answer does not name the token's slot")

    def _place(self, slot: str) -> str:
        return f"{self._list}/{target_api.segment(slot)}"

    def _slot(self, value: SecretValue) -> str:
        slot = read_fields(value, "slot")["slot"]
        if slot in self._slots:
            return slot
        raise Refused(
            "foreign_slot",
            "the credential's slot is not one of the two that the policy names",
            "correct `slots` in the policy, or the credential",
        )

    def _token(self, value: SecretValue) -> str:
        """The token of a value that still names this partner; the address itself is always the policy's."""
        fields = read_fields(value, "token", "url", "account")
        if (fields["url"], fields["account"]) == (self._url, self._account):
            return fields["token"]
        raise Refused(
            "target_mismatch",
            "the credential names another partner or account than the policy",
            "correct the policy's target, or the credential",
        )
