"""A Redis server for tests: the sandbox's own part, alone. `with started_redis(folder) as (port, password): ...`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from issuer_bench import MARKER, Made, caller_of

from rotation.calls import Meter
from rotation.issuers.redis_acl import RedisAcl
from rotation.issuers.redis_wire import Address, Session
from rotation.value import SecretValue
from sandbox.parts.redis import (
    ADMINISTRATOR,
    Lone,
    redis_home,
    redis_log,
    start_redis,
    started_redis,
    stop_redis,
)
from sandbox.ports import LOOPBACK

__all__ = ["Lone", "RedisBench", "Server", "redis_home", "redis_log", "start_redis", "started_redis", "stop_redis"]


@dataclass
class Server:
    """A running server: where it is, its files, and the authority's login."""

    folder: Path
    port: int
    password: str
    user: str = ADMINISTRATOR

    @contextmanager
    def session(self, user: str = "", password: str = "") -> Iterator[Any]:
        """A session as the authority, or as somebody else."""
        address = Address(host=LOOPBACK, port=self.port, tls=False)
        with closing(Session(address, user or self.user, password or self.password)) as session:
            yield session

    def log(self) -> str:
        """What it wrote, its slow log of every command, its log of refusals, and its files."""
        with self.session() as session:
            told = [repr(session.ask(*command)) for command in (("SLOWLOG", "GET", "-1"), ("ACL", "LOG", "-1"))]
        files = [path for path in redis_home(self.folder).rglob("*") if path.is_file()]
        return "\n".join([*told, *(p.read_text(errors="replace") for p in (redis_log(self.folder), *files))])


@dataclass
class RedisBench:
    """A user of its own on the shared server, made by the administrator."""

    server: Any
    user: str
    refusal: str = "WRONGPASS"

    def __post_init__(self) -> None:
        self.ask("ACL", "SETUSER", self.user, "reset", "~app:*", "+@all", "-@dangerous")

    def make(self, **facts: str) -> Made:
        meter = Meter()
        given = {"host": LOOPBACK, "port": str(self.server.port), "user": self.user, "tls": "off", **facts}
        authority = SecretValue.of({"username": self.server.user, "password": self.server.password})
        return Made(RedisAcl(given, lambda: authority, caller_of(RedisAcl, meter)), meter)

    def nowhere(self) -> Made:
        # port 1 is privileged and unassigned here: nobody listens
        return self.make(port="1")

    def secrets_of(self, value: SecretValue) -> list[str]:
        return [value.unsafe_fields()["password"]]

    def marked(self, value: SecretValue) -> SecretValue:
        return SecretValue.of({**value.unsafe_fields(), "password": f"'{MARKER}\"\n"})

    def log(self) -> str:
        found: str = self.server.log()
        return found

    @property
    def authority_text(self) -> str:
        found: str = self.server.password
        return found

    def ask(self, *command: str) -> Any:
        """An answer to the authority."""
        with self.server.session() as session:
            return session.ask(*command)

    def shown(self, name: str = "") -> dict[str, Any]:
        """A user as the server shows it."""
        answer = self.ask("ACL", "GETUSER", name or self.user)
        return dict(zip(answer[::2], answer[1::2], strict=True))
