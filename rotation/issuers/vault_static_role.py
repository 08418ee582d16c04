"""Passwords of a PostgreSQL user that Vault's database engine rotates by itself, as a static role.

The engine makes the password and sets it in the database in one (`stores.vault_static`); what is left here is to show
it to the database as a consumer would. There is no second slot: the old password is refused at once, so the overlap is
zero, and a rollback is another rotation. Choose `postgres-alternating` where readers cannot change over in an instant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from rotation.calls import Caller
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError, Refused
from rotation.issuers import postgres_database
from rotation.issuers.facts import read_fields
from rotation.issuers.postgres_database import Database
from rotation.value import SecretValue


class VaultStaticRole:
    """A static role's user at its database.

    facts: `role` and `mount` of the engine (the store's part), `host`, `port`, `database`, `username`; `tls` (`verify`,
    `off` on this machine only), `ca_file`. authority: not asked, because the engine has its own login.
    """

    kind: ClassVar[str] = "vault-static-role"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=False,
        fenced=False,
        ends_sessions=False,
        needs_current=False,
        rollback_horizon=0,
        own_identity=True,
        replaced_by_store=True,
    )
    translate = staticmethod(postgres_database.translate)

    def __init__(self, facts: Mapping[str, str], authority: Callable[[], SecretValue], caller: Caller) -> None:
        self._database = Database(self.kind, facts, authority, caller, needed=("mount", "role", "username"))
        self._database.users = (facts["username"],)
        self._facts = facts

    def mint(self, current: SecretValue | None) -> Minted:
        """The wish for a new password, which only the engine makes: a value that nothing accepts or keeps."""
        del current
        return Minted(value=SecretValue.of({"role": self._facts["role"]}), public={"role": self._facts["role"]})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Nothing to do: the promotion applies it."""
        del value, fence

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Nothing to do: nothing was applied."""
        del value, fence

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """Refused `beyond_horizon`: Vault keeps no password but the current one."""
        del value, fence
        raise Refused("beyond_horizon", "Vault keeps no password before the current one", "rotate again")

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Refused: the engine has replaced the old one already, and would replace the current one."""
        del value, fence
        raise Refused("replaced_by_store", "the old password was replaced with the promotion")

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """UNPROVEN: only the value tells; the steps show it instead."""
        del public, fence
        return Probe(verdict=Verdict.UNPROVEN, code="by_value_only", detail="the steps show what readers get")

    def probe(self, value: SecretValue) -> Probe:
        """Log in. REFUSED for 28P01 alone."""
        try:
            fields = read_fields(value, "username", "password")
        except KeyturnError as exc:
            return postgres_database.unproven(exc)
        # the engine keeps user and password alone; the way there is the policy's
        there = {"host": self._facts["host"], "port": self._facts["port"], "dbname": self._facts["database"]}
        return self._database.probe(SecretValue.of({**fields, **there}))
