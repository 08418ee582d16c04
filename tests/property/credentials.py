"""The secret and the target of these tests: what every version ever held, and whose hand every effect was.

The store forgets what it destroys, and a target forgets what it no longer accepts; the invariants are about both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from rotation.contract import Fence, Minted, SecretRef, StoreCapabilities, Version
from rotation.value import SecretValue
from tests.model.store import MemorySecret, MemoryStore
from tests.model.target import ModelIssuer, ModelTarget
from tests.property.lagging_rows import MARKER


@dataclass
class RememberedSecret(MemorySecret):
    """`ever`: slot and token by number, also of what was destroyed.

    shown: what the pointer still gives to readers that follow it, where it lags behind `current`.
    """

    ever: dict[int, tuple[str, str]] = field(default_factory=dict)
    shown: int | None = None

    def add(self, value: SecretValue) -> int:
        number = super().add(value)
        fields = value.unsafe_fields()
        self.ever[number] = (fields["slot"], fields["token"])
        return number

    def add_placeholder(self) -> int:
        """A version without a value, as a broken rotation of others leaves it."""
        self.values.append(None)
        return len(self.values)


class KeepingStore(MemoryStore):
    """Gives up nothing, as AWS and Vault: a candidate that was abandoned can still be pointed at by a late call."""

    capabilities: ClassVar[StoreCapabilities] = replace(MemoryStore.capabilities, disposes=False)

    def abandon(self, ref: SecretRef, run_id: str, staged: Version | None) -> None:
        """One write, which takes the pending label off."""

        def drop() -> None:
            secret = self._server.find(ref.path)
            number = int(staged.id) if staged else secret.runs.get(run_id)
            secret.pending = None if secret.pending == number else secret.pending

        self._write(drop)

    def dispose(self, ref: SecretRef, old: Version, live: Version | None = None) -> str:
        """Nothing."""
        del ref, old, live
        return "kept"


class LaggingStore(MemoryStore):
    """Its pointer reaches readers late, as Google's alias; what the store itself says of it is never late."""

    capabilities: ClassVar[StoreCapabilities] = replace(MemoryStore.capabilities, lagging_pointer=True)

    def read_live(self, ref: SecretRef) -> tuple[Version, SecretValue]:
        """One read, of what readers get."""

        def look() -> tuple[Version, SecretValue]:
            secret = self._server.find(ref.path)
            assert isinstance(secret, RememberedSecret)
            number = secret.shown or secret.current or 0
            return Version(id=str(number)), secret.value(number)

        return self._read(look)


@dataclass
class WatchedTarget(ModelTarget):
    """`by`: the runs whose effects it took, by epoch. `outside`: slots and tokens that others have set.

    watched: who wants to know of every effect that it took, and of whose.
    """

    by: dict[int, set[str]] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)
    watched: Callable[[str, str], None] = lambda effect, run_id: None

    def set(self, slot: str, token: str | None, fence: Fence, effect: str) -> None:
        super().set(slot, token, fence, effect)
        self.by.setdefault(fence.epoch, set()).add(fence.run_id)
        self.watched(effect, fence.run_id)

    def accepts(self, credential: tuple[str, str] | None) -> bool:
        """Whether it takes this slot and token."""
        return credential is not None and self.tokens.get(credential[0]) == credential[1]

    def set_outside(self) -> SecretValue:
        """Somebody who knows nothing of Keyturn makes a credential of their own that works."""
        slot = f"outside{len(self.outside)}"
        token = f"{MARKER}{slot}"
        self.outside[slot] = self.tokens[slot] = token
        return SecretValue.of({"slot": slot, "token": token})

    def unset_value(self) -> SecretValue:
        """A value of somebody else that does not work."""
        return SecretValue.of({"slot": "nowhere", "token": f"{MARKER}nowhere"})


class MarkedIssuer(ModelIssuer):
    """Every token it mints can be recognised, wherever it should not be."""

    def mint(self, current: SecretValue | None) -> Minted:
        minted = super().mint(current)
        fields: Mapping[str, str] = minted.value.unsafe_fields()
        return Minted(value=SecretValue.of({**fields, "token": f"{MARKER}{fields['token']}"}), public=minted.public)
