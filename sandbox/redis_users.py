"""Users of the sandbox's Redis, each with the few rights of one program of a stack."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import redis

from sandbox.facts import Credentials


@dataclass(frozen=True, kw_only=True)
class Rights:
    """Of one user, as ACL SETUSER writes them: `+command`, and patterns of keys and channels."""

    commands: Sequence[str]
    keys: Sequence[str]
    channels: Sequence[str]


def password_of(user: str, credentials: Credentials) -> str:
    """Follows from the administrator's, so that a second deployment changes nothing."""
    return hashlib.sha256(f"{user} {credentials.redis_admin_password}".encode()).hexdigest()


def allow(administrator: redis.Redis, user: str, password: str, rights: Rights) -> None:
    """The user's rules, whatever they were before; the server gets a hash of the password."""
    administrator.acl_setuser(
        user,
        enabled=True,
        reset=True,
        hashed_passwords=[f"+{hashlib.sha256(password.encode()).hexdigest()}"],
        commands=list(rights.commands),
        keys=list(rights.keys),
        channels=list(rights.channels),
    )
