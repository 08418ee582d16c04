"""What is done to a user of Redis: its passwords as hashes, its sessions by age, and how it survives a restart.

A password is added as `#<sha256>` and removed as `!<sha256>`: the clear one is never part of a command that changes
anything (https://redis.io/docs/latest/commands/acl-setuser/). Rights are the administrator's and stay as they are.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotation.errors import Refused
from rotation.issuers.redis_fence import APPLIED, Held

# How users survive a restart, by the fact `persist`: an ACL file, the configuration file, or nothing that is in reach.
SAVING: Mapping[str, tuple[str, ...]] = {"aclfile": ("ACL", "SAVE"), "config": ("CONFIG", "REWRITE"), "none": ()}
_FIELDS = re.compile(r"(\w[\w-]*)=(\S*)")
_MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class User:
    """A user as `ACL GETUSER` shows it."""

    active: bool
    digests: frozenset[str]


def digest_of(password: str) -> str:
    """What Redis keeps of a password, unsalted: only for passwords with entropy of their own, as minted ones have."""
    return hashlib.sha256(password.encode()).hexdigest()


def read_user(session: Any, name: str) -> User:
    """The user; Refused `unknown_user` when there is none: who may do what is not for Keyturn to decide."""
    answer = session.ask("ACL", "GETUSER", name)
    if answer is None:
        raise Refused(
            "unknown_user",
            f"Redis has no user {name}",
            "create the user with its rights (`ACL SETUSER name on ...`), or correct `user` in the policy",
        )
    told = dict(zip(answer[::2], answer[1::2], strict=True))
    return User(active="on" in told["flags"], digests=frozenset(told["passwords"]))


def now(session: Any) -> float:
    """The server's clock, in seconds."""
    seconds, microseconds = session.ask("TIME")
    return int(seconds) + int(microseconds) / _MILLION


def began_before_others(known: Mapping[str, Held], user: User, digest: str) -> float:
    """Until when a session of the user can only have been opened with this password, as far as the notes tell.

    The moment at which the first other accepted password was applied; always, when no other is accepted.
    """
    others = map(known.get, user.digests - {digest})
    return min((held.at if held and held.effect == APPLIED else 0.0 for held in others), default=math.inf)


def end_sessions(session: Any, name: str, *, began_before: float) -> int:
    """End the user's sessions that began before a moment of the server's clock; how many there were.

    `age` is the difference of two clocks in whole seconds: a session is ended only if it is older for certain.
    """
    # the clock is asked after the list, so that it is not behind the one that the ages were told by
    listed, ended = session.ask("CLIENT", "LIST").splitlines(), 0
    second = math.floor(now(session))
    for line in listed:
        told = dict(_FIELDS.findall(line))
        if told.get("user") == name and second - int(told["age"]) + 1 <= began_before:
            ended += int(session.ask("CLIENT", "KILL", "ID", told["id"]))
    return ended
