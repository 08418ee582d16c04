"""A Redis server in memory behind the driver's connection: users, hashes, sessions, MULTI with WATCH.

Source: the commands' documentation at redis.io and what a real Valkey 9 answers the issuer. What it pretends: the
administrator may do everything, TLS is not offered, saving always works, and its clock stands still between commands
but for a millisecond each. A command that is not here is an error, so that a new one cannot pass unseen. `passing` is
where a test may stand between a command and its answer: each exchange goes through it, by a name.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from rotation.issuers import redis_wire
from rotation.issuers.redis_wire import Address

HOST, PORT = "127.0.0.1", 16379
AUTHORITY, AUTHORITY_PASSWORD = "default", "password-of-the-model"
_TICK_S = 0.001
# where the clock stands at first
_BEGIN_S = 1_000_000.0
_DIGEST_CHARS = 64


class Unknown(AssertionError):
    """The model does not know the command: teach it, after looking up what the server does."""


@dataclass
class User:
    """As `ACL GETUSER` shows it."""

    on: bool = False
    nopass: bool = False
    digests: list[str] = field(default_factory=list)
    keys: str = ""
    commands: str = "-@all"


def straight(name: str, exchange: Callable[[], Any]) -> Any:
    """Nobody stands in between."""
    del name
    return exchange()


class RedisService:
    """One server with an administrator."""

    def __init__(self) -> None:
        self.users = {AUTHORITY: User(on=True, digests=[_digest(AUTHORITY_PASSWORD)])}
        self.hashes: dict[str, dict[str, str]] = {}
        self.sessions: list[RedisConnection] = []
        self.now = _BEGIN_S
        self.log: list[str] = []
        self.passing: Callable[[str, Callable[[], Any]], Any] = straight
        self.ids = itertools.count(1)

    def connect(self, patch: pytest.MonkeyPatch) -> None:
        """From here on the issuer's way to Redis ends here, and anywhere else nobody listens."""
        patch.setattr(redis_wire, "_connection", lambda address: RedisConnection(self, address))


class RedisConnection:
    """A connection as redis-py's is one."""

    def __init__(self, service: RedisService, address: Address) -> None:
        self.service, self.address = service, address
        self.user, self.id, self.born = "", next(service.ids), service.now
        self.watched: dict[str, dict[str, str]] = {}
        self.queue: list[tuple[str, ...]] | None = None
        self._sent: tuple[str, ...] = ()

    def connect(self) -> None:
        """Refused where nobody listens."""
        if (self.address.host, self.address.port) != (HOST, PORT) or self.address.tls:
            raise redis.ConnectionError("nobody listens")
        self.service.sessions.append(self)

    def disconnect(self) -> None:
        """Closed, by whichever side."""
        if self in self.service.sessions:
            self.service.sessions.remove(self)

    def send_command(self, *command: str) -> None:
        """Kept until its answer is asked for: one exchange."""
        self._sent = command

    def read_response(self) -> Any:
        """The answer to the last command."""
        command = self._sent
        return self.service.passing(f"redis.{_label(command)}", lambda: self._answered(command))

    def _answered(self, command: tuple[str, ...]) -> Any:
        if self not in self.service.sessions:
            raise redis.ConnectionError("the connection is closed")
        self.service.now += _TICK_S
        # as the slow log shows a login
        self.service.log.append("AUTH (redacted)" if command[0] == "AUTH" else " ".join(command))
        if self.queue is not None and command[0] != "EXEC":
            self.queue.append(command)
            return "QUEUED"
        if command[0] in ("AUTH", "MULTI", "EXEC", "WATCH"):
            return getattr(self, f"_{command[0].lower()}")(*command[1:])
        if not self.user:
            raise redis.AuthenticationError("Authentication required.", status_code="NOAUTH")
        return _run(self.service, command)

    def _auth(self, user: str, password: str) -> str:
        known = self.service.users.get(user)
        if known is None or not known.on or not (known.nopass or _digest(password) in known.digests):
            raise redis.AuthenticationError("invalid username-password pair", status_code="WRONGPASS")
        self.user = user
        return "OK"

    def _watch(self, key: str) -> str:
        self.watched[key] = dict(self.service.hashes.get(key, {}))
        return "OK"

    def _multi(self) -> str:
        self.queue = []
        return "OK"

    def _exec(self) -> list[Any] | None:
        commands, self.queue = self.queue or [], None
        watched, self.watched = self.watched, {}
        if any(self.service.hashes.get(key, {}) != seen for key, seen in watched.items()):
            return None
        return [_error_or_answer(self.service, command) for command in commands]


def _error_or_answer(service: RedisService, command: tuple[str, ...]) -> Any:
    try:
        return _run(service, command)
    except redis.ResponseError as exc:
        return exc


def _run(service: RedisService, command: tuple[str, ...]) -> Any:
    act = _COMMANDS.get(_label(command))
    if act is None:
        raise Unknown(_label(command))
    return act(service, *command[len(_label(command).split()) :])


def _label(command: tuple[str, ...]) -> str:
    """A command with its subcommand, which names no user and holds no hash."""
    return " ".join(command[:2] if command[0] in ("ACL", "CLIENT", "CONFIG") else command[:1])


def _set_user(service: RedisService, name: str, *rules: str) -> str:
    user = service.users.setdefault(name, User())
    for rule in rules:
        _apply_rule(user, rule)
    return "OK"


def _apply_rule(user: User, rule: str) -> None:
    sign, digest = rule[0], rule[1:]
    if rule == "on":
        user.on = True
    elif rule == "nopass":
        user.nopass, user.digests = True, []
    elif rule == "reset":
        user.__init__()  # type: ignore[misc]
    elif sign == "~":
        user.keys = rule
    elif sign in "+-":
        user.commands = rule if rule.endswith("@all") else f"{user.commands} {rule}"
    elif sign in "#!" and len(digest) == _DIGEST_CHARS:
        _change_digest(user, sign, digest)
    else:
        raise Unknown(f"ACL SETUSER {sign}")


def _change_digest(user: User, sign: str, digest: str) -> None:
    if sign == "#":
        user.nopass = False
        user.digests += [] if digest in user.digests else [digest]
    elif digest in user.digests:
        user.digests.remove(digest)
    else:
        raise redis.ResponseError("Error in ACL SETUSER modifier: no such password")


def _get_user(service: RedisService, name: str) -> list[Any] | None:
    user = service.users.get(name)
    if user is None:
        return None
    flags = ["on" if user.on else "off", *(["nopass"] if user.nopass else [])]
    told = {"flags": flags, "passwords": list(user.digests), "commands": user.commands, "keys": user.keys}
    return [item for pair in told.items() for item in pair]


def _time(service: RedisService) -> list[str]:
    return [str(int(service.now)), str(int(service.now % 1 * 1_000_000))]


def _blpop(service: RedisService, key: str, seconds: str) -> None:
    del key
    service.now += float(seconds)


def _hset(service: RedisService, key: str, name: str, text: str) -> int:
    service.hashes.setdefault(key, {})[name] = text
    return 1


def _hdel(service: RedisService, key: str, *names: str) -> int:
    return sum(service.hashes[key].pop(name, None) is not None for name in names)


def _sessions(service: RedisService) -> str:
    ages = ((s, int(service.now) - int(s.born)) for s in service.sessions if s.user)
    return "\n".join(f"id={s.id} addr=127.0.0.1:1 name= age={age} user={s.user} resp=2" for s, age in ages)


def _kill(service: RedisService, _by: str, number: str) -> int:
    found = [session for session in service.sessions if str(session.id) == number]
    for session in found:
        session.disconnect()
    return len(found)


_COMMANDS: dict[str, Callable[..., Any]] = {
    "ACL SETUSER": _set_user,
    "ACL GETUSER": _get_user,
    "ACL SAVE": lambda service: "OK",
    "TIME": _time,
    "PING": lambda service: "PONG",
    "BLPOP": _blpop,
    "HGETALL": lambda service, key: [item for pair in service.hashes.get(key, {}).items() for item in pair],
    "HLEN": lambda service, key: len(service.hashes.get(key, {})),
    "HEXISTS": lambda service, key, name: int(name in service.hashes.get(key, {})),
    "HSET": _hset,
    "HDEL": _hdel,
    "CLIENT LIST": _sessions,
    "CLIENT KILL": _kill,
}


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
