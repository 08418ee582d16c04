"""A user of Redis on the model of its server: every command is a crash point."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest

from rotation.value import SecretValue
from tests.model import redis_service
from tests.model.redis_service import RedisService, User

NAME = "app"


class RedisRig:
    """A server with one user, whom the administrator made."""

    kind = "redis-acl"
    facts: Mapping[str, str] = {
        "host": redis_service.HOST,
        "port": str(redis_service.PORT),
        "user": NAME,
        "tls": "off",
    }
    authority = SecretValue.of({"username": redis_service.AUTHORITY, "password": redis_service.AUTHORITY_PASSWORD})
    secret_fields: tuple[str, ...] = ("password",)

    def __init__(self) -> None:
        self.service = RedisService()
        self.service.users[NAME] = User()

    def connect(self, patch: pytest.MonkeyPatch, passing: Callable[[str, Callable[[], Any]], Any]) -> None:
        self.service.passing = passing
        self.service.connect(patch)

    def tell_time(self, clock: Callable[[], datetime]) -> None:
        """It has a clock of its own."""

    def shown(self) -> str:
        return repr((self.service.users, self.service.hashes))

    def hang_up(self) -> None:
        for session in [*self.service.sessions]:
            session.disconnect()

    def accepted(self) -> set[str]:
        assert self.service.sessions == [], "a connection is left open"
        user = self.service.users[NAME]
        assert not user.nopass
        return set(user.digests) if user.on else set()

    def named(self, value: SecretValue) -> str:
        return hashlib.sha256(value.unsafe_fields()["password"].encode()).hexdigest()
