"""Static roles of Vault's database engine in memory, over the PostgreSQL of the model, behind hvac's method names.

Source: database engine API (static roles, rotate-role), and OpenBao 2.7 with its PostgreSQL plugin. A password is
changed when its role is declared and with every `rotate-role`, in the database and in the engine at once, and
`last_vault_rotation` is new each time. What it pretends: the engine never breaks off between the two, and never rotates
by its own period. Not here: declaring roles over the API, dynamic roles, the engine's log of what it could not finish.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from hvac.exceptions import InvalidRequest

from rotation.issuers.scram import verifier
from tests.model.postgres_service import PostgresService, Role

MOUNT, ROLE, USER = "database", "reports", "reports_reader"
# `last_vault_rotation` counts nanoseconds; the model's rotations are a second apart.
_NANOSECONDS = 1_000_000_000
# made by the engine, never by Keyturn
_password_numbers = itertools.count(1)


@dataclass
class DatabaseEngine:
    """One static role of one database user, whom the administrator made. `rotations`: how often it was changed."""

    database: PostgresService
    rotations: int = 0
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.database.content.roles[USER] = Role(login=True)
        self._rotate()

    @property
    def id(self) -> str:
        """When the password was changed last."""
        return str(self.rotations * _NANOSECONDS)

    def read(self, path: str) -> dict[str, Any] | None:
        """GET static-creds; nothing for a role that does not exist, as hvac makes of a 404."""
        if path != f"{MOUNT}/static-creds/{ROLE}":
            return None
        return {"data": {"username": USER, "password": self.password, "last_vault_rotation": int(self.id)}}

    def write(self, path: str) -> None:
        """POST rotate-role; 400 for a role that does not exist."""
        if path != f"{MOUNT}/rotate-role/{ROLE}":
            raise InvalidRequest(errors=["no static role found for role name"])
        self._rotate()

    def _rotate(self) -> None:
        self.rotations += 1
        self.password = f"made-by-the-engine-{next(_password_numbers)}"
        self.database.content.roles[USER].verifier = verifier(self.password)
