"""A user of Redis or Valkey with two passwords, both accepted during the overlap.

Each rotation adds a random password to the one user and each retirement removes one, as hashes. Every effect is one
MULTI behind the fence of `redis_fence`, idempotent, and safe to repeat after a lost answer. The user and its rights are
the administrator's: Keyturn creates no user and changes no right, except that the user is on and has no `nopass`, which
giving it a password ends.

Sessions. Redis does not tell by which password a session was opened, and does not end one when its password goes.
`revoke` ends the sessions that began before the other password was accepted: they can only have come by the old one. A
session opened with the old password *during* the overlap is not told from one of the new password and lives on; the
fact `sessions: all` ends them all, also those of the new password, whose owners have to connect again. So
`ends_sessions` is False.

A restart forgets users that were not saved, or brings back a revoked password. The fact `persist` says how they are
saved, in the same transaction: `aclfile` (the default, `ACL SAVE`), `config` (`CONFIG REWRITE`), or `none`, which is
for servers whose administrator provides for it. A server that refuses to save is reported as `users_not_saved`.

Deliberately not here: replicas and nodes of a cluster, each of which has users of its own; services that keep users
themselves and refuse `ACL SETUSER`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from rotation.calls import Caller, Kind
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError, Refused, Throttled
from rotation.issuers import redis_fence as fences
from rotation.issuers import redis_users as users
from rotation.issuers.facts import bad_facts, check_facts, is_loopback, read_fields
from rotation.issuers.passwords import random_password
from rotation.value import SecretValue

if TYPE_CHECKING:
    from rotation.issuers.redis_wire import Address

T = TypeVar("T")

_NEEDED = ("host", "port", "user")
_CHOICES = {"tls": ("verify", "off"), "persist": tuple(users.SAVING), "sessions": ("old", "all")}


class RedisAcl:
    """One user, two passwords. An instance serves one invocation: the authority's credential is read once.

    facts: `host`, `port`, `user`; `tls` is `verify`, or `off` on this machine only; `ca_file` names the certificates
    to trust where the system's do not do; `persist` and `sessions` as above.
    authority: reads the authority's credential (fields `username`, `password`) from the store.
    """

    kind: ClassVar[str] = "redis-acl"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=True, fenced=True, ends_sessions=False, needs_current=True, rollback_horizon=1
    )

    def __init__(self, facts: Mapping[str, str], authority: Callable[[], SecretValue], caller: Caller) -> None:
        check_facts(self.kind, facts, needed=_NEEDED, optional=("ca_file", *_CHOICES))
        if not facts["port"].isdecimal():
            raise bad_facts(self.kind, "has a port that is not a number")
        for name, choices in _CHOICES.items():
            if facts.get(name, choices[0]) not in choices:
                raise bad_facts(self.kind, f"has another `{name}` than {' or '.join(choices)}")
        if facts.get("tls") == "off" and not is_loopback(facts["host"]):
            raise bad_facts(self.kind, "has TLS off for another machine")
        self._facts, self._name = facts, facts["user"]
        self._saving = users.SAVING[facts.get("persist", "aclfile")]
        self._authority = authority
        self._caller = caller

    @staticmethod
    def translate(exc: Exception) -> KeyturnError | None:
        """The translation table for this issuer's Caller."""
        from rotation.issuers import redis_wire  # noqa: PLC0415 - the driver is imported on first use only

        return redis_wire.translate(exc)

    def mint(self, current: SecretValue | None) -> Minted:
        """A random password for the user. Refused `foreign_user` where the current one is another user's."""
        if current is not None:
            self._check_user(current)
        fields = {
            "username": self._name,
            "password": random_password(),
            "host": self._facts["host"],
            "port": self._facts["port"],
            "engine": "redis",
        }
        return Minted(value=SecretValue.of(fields), public={"username": self._name})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Let the user log in with this password too.

        Fenced `stale_generation` also for a run that withdrew or revoked it before: its apply comes too late.
        """
        self._accept(value, fence, again=False)

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """Put an older password back, also after this very run revoked it."""
        self._accept(value, fence, again=True)

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Refuse this password; one that was never applied leaves the epoch, so that a late apply is fenced."""
        self._refuse(value, fence, fences.WITHDRAWN)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Refuse this password, then end the sessions that can only have been opened with it."""
        return self._refuse(value, fence, fences.REVOKED)

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the user still has the password that this run applied. REFUSED `not_held` when not."""
        del public

        def question(session: Any) -> bool:
            known, user = fences.look(session, self._name), users.read_user(session, self._name)
            mine = {d for d, held in known.items() if (held.run_id, held.effect) == (fence.run_id, fences.APPLIED)}
            return user.active and bool(mine & user.digests)

        try:
            if self._as_authority(question):
                return Probe(verdict=Verdict.ACCEPTED)
        except KeyturnError as exc:
            return _unproven(exc)
        detail = f"the user {self._name} does not have what this run applied"
        return Probe(verdict=Verdict.REFUSED, code="not_held", detail=detail)

    def probe(self, value: SecretValue) -> Probe:
        """Log in as the user on a connection of its own. REFUSED for WRONGPASS only.

        Nothing is asked after the login: a user may lack the right to any command, and AUTH needs none.
        """
        try:
            password = self._password(value)
            return self._caller.call(Kind.TARGET, lambda: self._show(password))
        except KeyturnError as exc:
            return _unproven(exc)

    def _show(self, password: str) -> Probe:
        from redis import AuthenticationError  # noqa: PLC0415 - the driver is imported on first use only

        from rotation.issuers import redis_wire  # noqa: PLC0415 - the driver is imported on first use only

        try:
            redis_wire.Session(self._address, self._name, password).close()
        except AuthenticationError as exc:
            code = redis_wire.error_code(exc)
            verdict = Verdict.REFUSED if code == redis_wire.WRONG_PASSWORD else Verdict.UNPROVEN
            return Probe(verdict=verdict, code=code)
        return Probe(verdict=Verdict.ACCEPTED)

    def _accept(self, value: SecretValue, fence: Fence, *, again: bool) -> None:
        digest = users.digest_of(self._password(value))

        def effect(session: Any) -> None:
            known = fences.enter(session, self._name, digest, fence)
            if not again and fences.gave_up(known, digest, fence):
                raise fences.stale(self._name)
            user, at = users.read_user(session, self._name), users.now(session)
            if digest in user.digests:
                # accepted since then, or since before Keyturn knew of it
                at = known[digest].at if digest in known else 0.0
            now = fences.Held.by(fence, fences.APPLIED, at)
            stamps = fences.stamp(self._name, digest, now, known)
            self._change(session, [*stamps, ("ACL", "SETUSER", self._name, "on", f"#{digest}")])

        self._as_authority(effect)

    def _refuse(self, value: SecretValue, fence: Fence, effect_name: str) -> int:
        digest = users.digest_of(self._password(value))

        def effect(session: Any) -> int:
            known = fences.enter(session, self._name, digest, fence)
            user, at = users.read_user(session, self._name), users.now(session)
            change = [("ACL", "SETUSER", self._name, f"!{digest}")] if digest in user.digests else []
            now = fences.Held.by(fence, effect_name, at)
            self._change(session, [*fences.stamp(self._name, digest, now, known), *change])
            if effect_name == fences.WITHDRAWN:
                # before promotion nobody but the probe had a session
                return 0
            before = math.inf if self._ends_all else users.began_before_others(known, user, digest)
            return users.end_sessions(session, self._name, began_before=before)

        return self._as_authority(effect)

    @property
    def _ends_all(self) -> bool:
        return self._facts.get("sessions") == "all"

    def _change(self, session: Any, commands: list[tuple[str, ...]]) -> None:
        """Do all and save the users. An error of one command does not undo the others: every effect may be repeated.

        Refused `users_not_saved` where the server has nothing to save users to.
        """
        answers = session.together([*commands, *([self._saving] if self._saving else [])])
        for command, answer in zip(commands, answers, strict=False):
            if isinstance(answer, Exception):
                raise _outrun(command) from answer
        if len(answers) > len(commands) and isinstance(answers[-1], Exception):
            raise Refused(
                "users_not_saved",
                "Redis changed the user but cannot save its users: a restart would undo it",
                "give the server an `aclfile`, or say in the policy's `persist` how its users are kept",
            )

    def _as_authority(self, effect: Callable[[Any], T]) -> T:
        from rotation.issuers import redis_wire  # noqa: PLC0415 - the driver is imported on first use only

        login = self._authority_login

        def attempt() -> T:
            with closing(redis_wire.Session(self._address, login["username"], login["password"])) as session:
                return effect(session)

        return self._caller.call(Kind.AUTHORITY, attempt)

    def _check_user(self, value: SecretValue) -> None:
        if read_fields(value, "username")["username"] != self._name:
            raise Refused(
                "foreign_user",
                "the credential's user is not the one that the policy names",
                "correct `user` in the policy, or the credential",
            )

    def _password(self, value: SecretValue) -> str:
        """The password of a value that still names this target; a changed host could send it elsewhere."""
        self._check_user(value)
        fields = read_fields(value, "password", "host", "port")
        if [fields["host"], fields["port"]] != [self._facts["host"], self._facts["port"]]:
            raise Refused(
                "target_mismatch",
                "the credential names another host or port than the policy",
                "correct the policy's target, or the credential",
            )
        return fields["password"]

    @cached_property
    def _authority_login(self) -> dict[str, str]:
        login = read_fields(self._authority(), "username", "password")
        if login["username"] == self._name:
            raise bad_facts(self.kind, "names the authority as `user`")
        return login

    @cached_property
    def _address(self) -> Address:
        from rotation.issuers import redis_wire  # noqa: PLC0415 - the driver is imported on first use only

        facts, off = self._facts, self._facts.get("tls") == "off"
        return redis_wire.Address(
            host=facts["host"], port=int(facts["port"]), tls=not off, ca_file=facts.get("ca_file", "")
        )


def _outrun(command: tuple[str, ...]) -> Throttled:
    """Somebody else changed the user between the look at it and the change: look again."""
    return Throttled("target_busy", f"Redis refused {command[0]} of what it had shown just before")


def _unproven(exc: KeyturnError) -> Probe:
    return Probe(verdict=Verdict.UNPROVEN, code=exc.reason, detail=exc.message)
