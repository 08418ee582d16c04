"""PostgreSQL users in alternation: two login roles of one group, of which each rotation renews the one not in use.

Rights and ownership come through the group (both log in as it), so that the two are interchangeable. Passwords go in
as SCRAM verifiers. Every effect is one transaction behind the fence of `postgres_fence`, idempotent, and safe to repeat
after a lost answer.

The fence, thought through for `revoke`: run 1 applies `b`, its retirement (epoch 2) revokes `a`, run 3 applies `a`. If
the revoke of epoch 2 arrives late, `a` carries generation 3: Fenced. In order, `a` carries nothing newer than 2, and
the revoke leaves its own epoch there, so that whatever an older run still sends to `a` is fenced too. A retirement
whose claim is *newer* than the run that made `a` current again cannot be told by an epoch: the witness step tells,
because the old password that it holds is no longer accepted for `a`.

Deliberately not here: who may do what (the group's grants), and dropping roles.
"""

from __future__ import annotations

import secrets
import ssl
import string
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from rotation.calls import Caller, Kind
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError, Refused
from rotation.issuers import postgres_fence as fences
from rotation.issuers import postgres_roles as roles
from rotation.issuers.facts import bad_facts, check_facts, is_loopback, read_fields
from rotation.issuers.scram import verifier
from rotation.value import SecretValue

if TYPE_CHECKING:
    from rotation.issuers.postgres_wire import Address

T = TypeVar("T")

# 190 bits of letters and digits, which no URL, shell or connection string needs to quote.
PASSWORD_CHARS = 32
_ALPHABET = string.ascii_letters + string.digits
_NEEDED = ("host", "port", "database", "users", "group")
_OPTIONAL = ("tls", "ca_file")


class PostgresAlternating:
    """Two users `a b` of one group. An instance serves one invocation: the authority's credential is read once.

    facts: `host`, `port`, `database`, `users` (two role names), `group`; `tls` is `off` on this machine only,
    `ca_file` names the certificates to trust where the system's do not do.
    authority: reads the authority's credential (fields `username`, `password`) from the store.
    """

    kind: ClassVar[str] = "postgres-alternating"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=True, fenced=True, ends_sessions=True, needs_current=True, rollback_horizon=1
    )

    def __init__(self, facts: Mapping[str, str], authority: Callable[[], SecretValue], caller: Caller) -> None:
        check_facts(self.kind, facts, needed=_NEEDED, optional=_OPTIONAL)
        if not facts["port"].isdecimal():
            raise bad_facts(self.kind, "has a port that is not a number")
        if facts.get("tls") == "off" and not is_loopback(facts["host"]):
            raise bad_facts(self.kind, "has TLS off for another machine")
        self._users = tuple(facts["users"].split())
        if len(set(self._users)) != 2 or len(self._users) != 2:  # noqa: PLR2004 - alternation is between two
            raise bad_facts(self.kind, "needs two different names in `users`")
        self._facts = facts
        self._authority = authority
        self._caller = caller

    @staticmethod
    def translate(exc: Exception) -> KeyturnError | None:
        """The translation table for this issuer's Caller."""
        from rotation.issuers import postgres_wire  # noqa: PLC0415 - the driver is imported on first use only

        return postgres_wire.translate(exc)

    def mint(self, current: SecretValue | None) -> Minted:
        """A random password for the user that is not current (at first: the first). Refused `foreign_user`."""
        in_use = self._user(current) if current else self._users[1]
        user = next(name for name in self._users if name != in_use)
        fields = {
            "username": user,
            "password": "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_CHARS)),
            "host": self._facts["host"],
            "port": self._facts["port"],
            "dbname": self._facts["database"],
            "engine": "postgres",
        }
        return Minted(value=SecretValue.of(fields), public={"username": user})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Let the user log in with this password; its sessions and the other user stay as they are.

        Fenced `stale_generation` also for a run that withdrew or revoked the role before: its apply comes too late.
        """
        self._accept(value, fence, gave_up=(fences.WITHDRAWN, fences.REVOKED))

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """Put an older value's password back, also after this very run revoked it."""
        self._accept(value, fence, gave_up=())

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Refuse the user, if this run applied it; otherwise only leave the epoch, so that a late apply is fenced.

        Sessions are left alone: before promotion nobody but the probe has one.
        """
        user = self._user(value)

        def effect(session: Any) -> None:
            held = fences.enter(session, user, fence)
            if held and held.run_id == fence.run_id:
                roles.close(session, user)
            fences.stamp(session, user, fence, fences.WITHDRAWN)
            session.run("COMMIT")

        self._as_authority(effect)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Refuse the user and end its sessions, in this order: a session that began between would outlive it."""
        user = self._user(value)

        def effect(session: Any) -> int:
            fences.enter(session, user, fence)
            roles.close(session, user)
            fences.stamp(session, user, fence, fences.REVOKED)
            session.run("COMMIT")
            # the lock is free between the two: whoever applied the role meanwhile keeps its sessions
            fences.enter(session, user, fence)
            return roles.end_sessions(session, user)

        return self._as_authority(effect)

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the role's last effect is this run's apply and it may log in. REFUSED `not_held` when not."""
        user = public.get("username", "")

        def question(session: Any) -> bool:
            fences.begin(session)
            held = fences.look(session, user)
            applied = held is not None and held.effect == fences.APPLIED and held.run_id == fence.run_id
            return applied and roles.can_log_in(session, user)

        try:
            if self._as_authority(question):
                return Probe(verdict=Verdict.ACCEPTED)
        except KeyturnError as exc:
            return _unproven(exc)
        return Probe(verdict=Verdict.REFUSED, code="not_held", detail=f"the role {user} is not what this run applied")

    def probe(self, value: SecretValue) -> Probe:
        """Log in as the user, as a consumer would, and `SELECT 1`; `postgres_probe` says what proves what."""
        from rotation.issuers import postgres_probe  # noqa: PLC0415 - the driver is imported on first use only

        try:
            user, password = self._user(value), self._password(value)
            return postgres_probe.prove(self._caller, self._address, user, password)
        except KeyturnError as exc:
            return _unproven(exc)

    def _accept(self, value: SecretValue, fence: Fence, gave_up: tuple[str, ...]) -> None:
        user = self._user(value)
        kept = verifier(self._password(value))

        def effect(session: Any) -> None:
            held = fences.enter(session, user, fence)
            if held and held.run_id == fence.run_id and held.effect in gave_up:
                raise fences.stale(user)
            roles.open_up(session, user, self._facts["group"], kept)
            fences.stamp(session, user, fence, fences.APPLIED)
            session.run("COMMIT")

        self._as_authority(effect)

    def _as_authority(self, effect: Callable[[Any], T]) -> T:
        from rotation.issuers import postgres_wire  # noqa: PLC0415 - the driver is imported on first use only

        login = self._authority_login

        def attempt() -> T:
            with closing(postgres_wire.open_session(self._address, login["username"], login["password"])) as session:
                return effect(session)

        return self._caller.call(Kind.AUTHORITY, attempt)

    def _user(self, value: SecretValue) -> str:
        user = read_fields(value, "username")["username"]
        if user in self._users:
            return user
        raise Refused(
            "foreign_user",
            "the credential's user is not one of the two that the policy names",
            "correct `users` in the policy, or the credential",
        )

    def _password(self, value: SecretValue) -> str:
        """The password of a value that still names this target; a changed host could send it elsewhere."""
        fields = read_fields(value, "password", "host", "port", "dbname")
        if [fields["host"], fields["port"], fields["dbname"]] != [self._facts[n] for n in ("host", "port", "database")]:
            raise Refused(
                "target_mismatch",
                "the credential names another host, port or database than the policy",
                "correct the policy's target, or the credential",
            )
        return fields["password"]

    @cached_property
    def _authority_login(self) -> dict[str, str]:
        login = read_fields(self._authority(), "username", "password")
        if login["username"] in self._users:
            raise bad_facts(self.kind, "names the authority among `users`")
        return login

    @cached_property
    def _address(self) -> Address:
        from rotation.issuers import postgres_wire  # noqa: PLC0415 - the driver is imported on first use only

        facts = self._facts
        tls = None if facts.get("tls") == "off" else ssl.create_default_context(cafile=facts.get("ca_file"))
        return postgres_wire.Address(host=facts["host"], port=int(facts["port"]), database=facts["database"], tls=tls)


def _unproven(exc: KeyturnError) -> Probe:
    return Probe(verdict=Verdict.UNPROVEN, code=exc.reason, detail=exc.message)
