"""Users of PostgreSQL on the model of its server: two in alternation, one alone, and one whom Vault's engine keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest

from rotation.value import SecretValue
from tests.model import database_engine, postgres_service
from tests.model.database_engine import DatabaseEngine
from tests.model.postgres_service import PostgresService, Role

USERS = ("app_a", "app_b")


class PostgresRig:
    """A database with two users in alternation."""

    kind = "postgres-alternating"
    facts: Mapping[str, str] = {
        "host": postgres_service.HOST,
        "port": str(postgres_service.PORT),
        "database": postgres_service.DATABASE,
        "users": " ".join(USERS),
        "group": postgres_service.GROUP,
        "tls": "off",
    }
    authority = SecretValue.of(
        {"username": postgres_service.AUTHORITY, "password": postgres_service.AUTHORITY_PASSWORD}
    )
    secret_fields: tuple[str, ...] = ("password",)
    users: tuple[str, ...] = USERS

    def __init__(self) -> None:
        self.service = PostgresService()

    def connect(self, patch: pytest.MonkeyPatch, passing: Callable[[str, Callable[[], Any]], Any]) -> None:
        self.service.passing = passing
        self.service.connect(patch)

    def tell_time(self, clock: Callable[[], datetime]) -> None:
        """It dates nothing."""

    def shown(self) -> str:
        return repr(self.service.content)

    def hang_up(self) -> None:
        for session in [*self.service.sessions]:
            session.close()

    def accepted(self) -> set[str]:
        assert self.service.sessions == [], "a connection is left open"
        roles = self.service.content.roles
        return {f"{name} {roles[name].verifier}" for name in self.users if name in roles and roles[name].login}

    def named(self, value: SecretValue) -> str:
        fields = value.unsafe_fields()
        role = self.service.content.roles.get(fields["username"])
        fits = role and role.verifier and postgres_service.proves(role.verifier, fields["password"])
        return f"{fields['username']} {role.verifier if role and fits else 'another password'}"


class SingleRig(PostgresRig):
    """A database with one user, whom the administrator made."""

    kind = "postgres-single"
    facts: Mapping[str, str] = {
        "host": postgres_service.HOST,
        "port": str(postgres_service.PORT),
        "database": postgres_service.DATABASE,
        "user": USERS[0],
        "tls": "off",
    }

    def __init__(self) -> None:
        super().__init__()
        self.service.content.roles[USERS[0]] = Role()


class StaticRoleRig(PostgresRig):
    """A database with one user, whose password Vault's engine makes, sets and keeps: nobody else is an authority."""

    kind = "vault-static-role"
    facts: Mapping[str, str] = {
        "host": postgres_service.HOST,
        "port": str(postgres_service.PORT),
        "database": postgres_service.DATABASE,
        "username": database_engine.USER,
        "mount": database_engine.MOUNT,
        "role": database_engine.ROLE,
        "tls": "off",
    }
    users = (database_engine.USER,)

    def __init__(self) -> None:
        super().__init__()
        self.engine = DatabaseEngine(self.service)
