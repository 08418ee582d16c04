"""A target in memory, and issuers for two of its slots or for one: they keep the contract, and can be told to fail."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import Fenced, KeyturnError
from rotation.value import SecretValue

SLOTS = ("a", "b")


@dataclass
class ModelTarget:
    """Which token each slot accepts, under which generation. `broken` maps an operation to what it raises or says."""

    tokens: dict[str, str] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)
    broken: dict[str, KeyturnError | Verdict] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)

    gave_up: dict[str, Fence] = field(default_factory=dict)

    def set(self, slot: str, token: str | None, fence: Fence, effect: str) -> None:
        if self.generations.get(slot, 0) > fence.epoch or (effect == "apply" and self.gave_up.get(slot) == fence):
            raise Fenced("stale_generation", "a newer run touched this slot, or this one gave it up")
        if token is None:
            self.gave_up[slot] = fence
        self.generations[slot] = fence.epoch
        self.effects.append(f"{effect} {slot}")
        if token is None:
            self.tokens.pop(slot, None)
        else:
            self.tokens[slot] = token


class ModelIssuer:
    """Mints a token for the slot that is not in use."""

    kind: ClassVar[str] = "model"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=True, fenced=True, ends_sessions=False, needs_current=True, rollback_horizon=1
    )

    def __init__(self, target: ModelTarget) -> None:
        self._target = target

    def mint(self, current: SecretValue | None) -> Minted:
        used = current.unsafe_fields()["slot"] if current else SLOTS[1]
        slot = next(s for s in SLOTS if s != used)
        return Minted(value=SecretValue.of({"slot": slot, "token": secrets.token_hex(16)}), public={"slot": slot})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        self._may_fail("apply")
        fields = value.unsafe_fields()
        self._target.set(fields["slot"], fields["token"], fence, "apply")

    def probe(self, value: SecretValue) -> Probe:
        said = self._target.broken.get("probe")
        if isinstance(said, Verdict):
            return Probe(verdict=said, code="model")
        after = self._target.broken.get("revoked")
        if isinstance(after, Verdict) and any(effect.startswith("revoke") for effect in self._target.effects):
            return Probe(verdict=after)
        fields = value.unsafe_fields()
        accepted = self._target.tokens.get(fields["slot"]) == fields["token"]
        return Probe(verdict=Verdict.ACCEPTED, code="200") if accepted else Probe(verdict=Verdict.REFUSED, code="401")

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        said = self._target.broken.get("check")
        if isinstance(said, Verdict):
            return Probe(verdict=said)
        slot = public.get("slot", "")
        held = slot in self._target.tokens and self._target.generations[slot] == fence.epoch
        return Probe(verdict=Verdict.ACCEPTED if held else Verdict.REFUSED)

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        self._may_fail("withdraw")
        self._target.set(value.unsafe_fields()["slot"], None, fence, "withdraw")

    def restore(self, value: SecretValue, fence: Fence) -> None:
        self._may_fail("restore")
        fields = value.unsafe_fields()
        self._target.set(fields["slot"], fields["token"], fence, "restore")

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        self._may_fail("revoke")
        self._target.set(value.unsafe_fields()["slot"], None, fence, "revoke")
        return 0

    def _may_fail(self, operation: str) -> None:
        raised = self._target.broken.get(operation)
        if isinstance(raised, KeyturnError):
            raise raised


class OneSlotIssuer(ModelIssuer):
    """Mints for the one slot there is: `apply` takes the old credential's place, and only `restore` brings it back."""

    kind: ClassVar[str] = "model-one-slot"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=False, fenced=True, ends_sessions=False, needs_current=False, rollback_horizon=1
    )

    def mint(self, current: SecretValue | None) -> Minted:
        del current
        slot = SLOTS[0]
        return Minted(value=SecretValue.of({"slot": slot, "token": secrets.token_hex(16)}), public={"slot": slot})

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Of `value` only: another one in its slot is untouched, as the contract says."""
        if self._holds(value):
            super().withdraw(value, fence)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Of `value` only."""
        return super().revoke(value, fence) if self._holds(value) else 0

    def _holds(self, value: SecretValue) -> bool:
        fields = value.unsafe_fields()
        return self._target.tokens.get(fields["slot"]) == fields["token"]
