"""Static roles of Vault's database engine as a store: the engine changes the password in the database and keeps it.

Source: database engine API (static roles, rotate-role), and OpenBao 2.7 with its PostgreSQL plugin: `rotate-role`
answers when both are changed, and `last_vault_rotation` (nanoseconds) is new with every change, so that it serves as
the version's id. There is one value, the current one: nothing is staged, nothing before it can be read or led back to.

`rotate-role` is not idempotent. A promotion compares with the rotation that the run saw when it began: if there was
one since, the password is newer than the run's begin, whoever asked for it, and nothing is done any more. So a run
changes it once at most. The engine rotates by its own period too; that is no stranger's version. Not here: the KV
store, and making roles: the program declares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rotation.calls import Kind
from rotation.contract import Observation, Remembered, SecretRef, StoreCapabilities, Survey, Version
from rotation.errors import NotFound, Refused, Unavailable
from rotation.stores.vault_auth import VaultSession
from rotation.value import SecretValue

# The engine makes its passwords itself; nothing of ours is written.
MAX_VALUE_BYTES = 0


class StaticRoleStore:
    """One static role: `mount` of the database engine and the role's name; what `ref.path` says is a name only."""

    name: ClassVar[str] = "vault"
    capabilities: ClassVar[StoreCapabilities] = StoreCapabilities(
        hidden_pending=False,
        fenced_promotion=False,
        idempotent_stage=True,
        disposes=False,
        lagging_pointer=False,
        rollback_horizon=0,
        max_value_bytes=MAX_VALUE_BYTES,
    )

    def __init__(self, session: VaultSession, mount: str, role: str) -> None:
        self._session, self._mount, self._role = session, mount, role

    def observe(self, ref: SecretRef, remembered: Remembered) -> Observation:
        """One read. `current` stays None, since there is nothing that a run could go back to; `token` is its id."""
        del remembered
        live, value = self.read_live(ref)
        return Observation(current=None, token=live.id, value=value)

    def read(self, ref: SecretRef, version: Version) -> SecretValue:
        """The value, if `version` is the current one still. NotFound `version_replaced`."""
        live, value = self.read_live(ref)
        if live.id != version.id:
            raise NotFound("version_replaced", f"the password of {ref.path} was replaced, and Vault keeps none before")
        return value

    def read_live(self, ref: SecretRef) -> tuple[Version, SecretValue]:
        """GET static-creds: user and password, and when Vault changed it last."""
        answer = self._session.call(Kind.READ, lambda client: client.read(f"{self._mount}/static-creds/{self._role}"))
        if answer is None:
            raise NotFound("vault_not_found", f"the database engine has no static role for {ref.path}")
        data: Mapping[str, Any] = answer["data"]
        value = SecretValue.of({"username": data["username"], "password": data["password"]})
        return Version(id=str(data["last_vault_rotation"])), value

    def pointed(self, ref: SecretRef) -> Version | None:
        """One read, which shows the password too: the engine tells nothing without it."""
        return self.read_live(ref)[0]

    def survey(self, ref: SecretRef, known: Version | None) -> Survey:
        """One read; nothing is ever pending."""
        del known
        return Survey(current=self.read_live(ref)[0])

    def stage(self, ref: SecretRef, run_id: str, value: SecretValue, seen: Observation) -> Version:
        """Nothing is written: what is staged is the wish to replace the version that was seen."""
        del ref, run_id, value
        return Version(id=seen.token)

    def find_staged(self, ref: SecretRef, run_id: str, hint: Mapping[str, str]) -> Version | None:
        """None: nothing was written."""
        del ref, run_id, hint
        return None

    def promote(self, ref: SecretRef, run_id: str, staged: Version, expected: Version | None) -> Version:
        """POST rotate-role if there was no rotation since `staged`; two reads and one write, which is tried once.

        Unavailable where the answer is lost, or the change is not seen yet: asked again, it is found done or not.
        """
        del run_id, expected
        live, _ = self.read_live(ref)
        if live.id != staged.id:
            return live
        self._session.call(
            Kind.WRITE, lambda client: client.write(f"{self._mount}/rotate-role/{self._role}"), idempotent=False
        )
        live, _ = self.read_live(ref)
        if live.id == staged.id:
            raise Unavailable("rotation_unseen", "Vault does not show the new password yet", "wait")
        return live

    def demote(self, ref: SecretRef, run_id: str, live: Version, back_to: Version) -> Version:
        """Refused `beyond_horizon`: Vault keeps no password but the current one."""
        del run_id, live, back_to
        raise Refused("beyond_horizon", f"Vault keeps no password of {ref.path} before the current one", "rotate again")

    def abandon(self, ref: SecretRef, run_id: str, staged: Version | None) -> None:
        """Nothing was staged."""

    def dispose(self, ref: SecretRef, old: Version, live: Version | None = None) -> str:
        """Vault has replaced it."""
        del ref, old, live
        return "destroyed"
