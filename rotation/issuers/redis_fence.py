"""The fence inside Redis: which run changed a password last, kept in the transaction of the change itself.

A hash per user, `keyturn:generation:<user>`, has a field per password, named by its SHA-256: epoch, run and effect.
The key is watched, read, and written in the MULTI that changes the user: Redis refuses the whole when somebody wrote
the key in between, and ACL commands are allowed in a MULTI (in scripts they are not). A password is a place of its own,
so a late revoke of a dead run meets only what was done to that very password.

What it cannot do: the key is data. A server that loses its data, evicts this key (`maxmemory-policy allkeys-*`) or is
restored from an older copy forgets who was here, and then an older run is not refused. Whoever may write all keys
(`~*`) may write this one: an application's user should be given its own keys only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotation.contract import Fence
from rotation.errors import Fenced

APPLIED = "applied"
WITHDRAWN = "withdrawn"
REVOKED = "revoked"

# Passwords remembered per user. A late call comes minutes after its run at most, in which one or two others were made.
KEPT = 16


@dataclass(frozen=True, kw_only=True)
class Held:
    """The last effect on a password. `at`: the server's clock before it, in seconds."""

    generation: int
    run_id: str
    effect: str
    at: float

    @classmethod
    def by(cls, fence: Fence, effect: str, at: float) -> Held:
        """What a run does now."""
        return cls(generation=fence.epoch, run_id=fence.run_id, effect=effect, at=at)


def key_of(user: str) -> str:
    """Where the generations of a user's passwords are."""
    return f"keyturn:generation:{user}"


def look(session: Any, user: str) -> dict[str, Held]:
    """Who was here last, by password."""
    answer = session.ask("HGETALL", key_of(user))
    return {digest: _read(text) for digest, text in zip(answer[::2], answer[1::2], strict=True)}


def enter(session: Any, user: str, digest: str, fence: Fence) -> dict[str, Held]:
    """Watch the generations and read them; a transaction that follows is refused if they changed meanwhile.

    Fenced `stale_generation` when a newer epoch was at this password, or another run under this epoch.
    """
    session.ask("WATCH", key_of(user))
    known = look(session, user)
    held = known.get(digest)
    if held and (held.generation > fence.epoch or (held.generation == fence.epoch and held.run_id != fence.run_id)):
        raise stale(user)
    return known


def gave_up(known: Mapping[str, Held], digest: str, fence: Fence) -> bool:
    """Whether this very run withdrew or revoked the password before."""
    held = known.get(digest)
    return held is not None and held.run_id == fence.run_id and held.effect in (WITHDRAWN, REVOKED)


def stamp(user: str, digest: str, now: Held, known: Mapping[str, Held]) -> list[tuple[str, ...]]:
    """The commands that note an effect and forget the oldest passwords; they go into the effect's transaction."""
    note = ("HSET", key_of(user), digest, f"{now.generation} {now.effect} {now.at:.6f} {now.run_id}")
    others = sorted((d for d in known if d != digest), key=lambda d: known[d].generation, reverse=True)
    forgotten = others[KEPT - 1 :]
    return [note, ("HDEL", key_of(user), *forgotten)] if forgotten else [note]


def stale(user: str) -> Fenced:
    """A newer run owns the password, or this run gave it up before."""
    return Fenced(
        "stale_generation",
        f"a newer run than this one has changed the user {user}",
        "nothing to do: this run is over; `keyturn status` shows the newer one",
    )


def _read(text: str) -> Held:
    generation, effect, at, run_id = text.split(" ", 3)
    return Held(generation=int(generation), run_id=run_id, effect=effect, at=float(at))
