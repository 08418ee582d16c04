"""PostgreSQL users in alternation: two login roles of one group, of which each rotation renews the one not in use.

Rights and ownership come through the group. A session of either user acts as the group from its first statement on
(`ALTER ROLE a SET role TO group`), so what it makes belongs to the group, and a grant counts for both if it was made to
the group. A grant made to one user by mistake has no effect even for that one: it shows at once, not when a rotation
comes. `check` reports such rights and objects as `own_rights` and moves nothing: that would take the rights of whoever
granted them, and what was meant is for a person to say. Not an event trigger, which needs a superuser and would act on
everybody's objects.

Passwords go in as SCRAM verifiers. Every effect is one transaction behind the fence of `postgres_fence`, idempotent,
and safe to repeat after a lost answer.

The fence, thought through for `revoke`: run 1 applies `b`, its retirement (epoch 2) revokes `a`, run 3 applies `a`. If
the revoke of epoch 2 arrives late, `a` carries generation 3: Fenced. In order, `a` carries nothing newer than 2, and
the revoke leaves its own epoch there, so that whatever an older run still sends to `a` is fenced too. A retirement
whose claim is *newer* than the run that made `a` current again cannot be told by an epoch: the witness step tells,
because the old password that it holds is no longer accepted for `a`.

Deliberately not here: who may do what (the group's grants), and dropping roles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from rotation.calls import Caller
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError
from rotation.issuers import postgres_fence as fences
from rotation.issuers import postgres_roles as roles
from rotation.issuers.facts import bad_facts
from rotation.issuers.postgres_database import Database, translate, unproven
from rotation.issuers.scram import verifier
from rotation.value import SecretValue


class PostgresAlternating:
    """Two users `a b` of one group. An instance serves one invocation: the authority's credential is read once.

    facts: those of `postgres_database.Database`, `users` (two role names) and `group`.
    """

    kind: ClassVar[str] = "postgres-alternating"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=True, fenced=True, ends_sessions=True, needs_current=True, rollback_horizon=1
    )
    translate = staticmethod(translate)

    def __init__(self, facts: Mapping[str, str], authority: Callable[[], SecretValue], caller: Caller) -> None:
        self._database = Database(self.kind, facts, authority, caller, needed=("users", "group"))
        self._users, self._group = tuple(facts["users"].split()), facts["group"]
        if len(set(self._users)) != 2 or len(self._users) != 2:  # noqa: PLR2004 - alternation is between two
            raise bad_facts(self.kind, "needs two different names in `users`")
        self._database.users = self._users

    def mint(self, current: SecretValue | None) -> Minted:
        """A random password for the user that is not current (at first: the first). Refused `foreign_user`."""
        in_use = self._database.user_of(current) if current else self._users[1]
        user = next(name for name in self._users if name != in_use)
        return Minted(value=self._database.mint_for(user), public={"username": user})

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
        user = self._database.user_of(value)

        def effect(session: Any) -> None:
            held = fences.enter(session, user, fence)
            if held and held.run_id == fence.run_id:
                roles.close(session, user)
            fences.stamp(session, user, fence, fences.WITHDRAWN)
            session.run("COMMIT")

        self._database.as_authority(effect)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Refuse the user and end its sessions, in this order: a session that began between would outlive it."""
        user = self._database.user_of(value)

        def effect(session: Any) -> int:
            fences.enter(session, user, fence)
            roles.close(session, user)
            fences.stamp(session, user, fence, fences.REVOKED)
            session.run("COMMIT")
            # the lock is free between the two: whoever applied the role meanwhile keeps its sessions
            fences.enter(session, user, fence)
            return roles.end_sessions(session, user)

        return self._database.as_authority(effect)

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the role's last effect is this run's apply and it may log in. REFUSED `not_held` when not.

        ACCEPTED `own_rights` where something belongs to the role that should be the group's.
        """
        user = public.get("username", "")

        def question(session: Any) -> tuple[bool, int]:
            fences.begin(session)
            held = fences.look(session, user)
            applied = held is not None and held.effect == fences.APPLIED and held.run_id == fence.run_id
            if not (applied and roles.can_log_in(session, user)):
                return False, 0
            return True, roles.own_rights(session, user)

        try:
            holds, own = self._database.as_authority(question)
        except KeyturnError as exc:
            return unproven(exc)
        if not holds:
            detail = f"the role {user} is not what this run applied"
            return Probe(verdict=Verdict.REFUSED, code="not_held", detail=detail)
        if own:
            detail = f"{own} rights or objects are of the role {user} alone: make them the group's ({self._group})"
            return Probe(verdict=Verdict.ACCEPTED, code="own_rights", detail=detail)
        return Probe(verdict=Verdict.ACCEPTED)

    def probe(self, value: SecretValue) -> Probe:
        """Log in as the user, as a consumer would."""
        return self._database.probe(value)

    def _accept(self, value: SecretValue, fence: Fence, gave_up: tuple[str, ...]) -> None:
        user = self._database.user_of(value)
        kept = verifier(self._database.password_of(value))

        def effect(session: Any) -> None:
            held = fences.enter(session, user, fence)
            if held and held.run_id == fence.run_id and held.effect in gave_up:
                raise fences.stale(user)
            roles.open_up(session, user, self._group, kept)
            fences.stamp(session, user, fence, fences.APPLIED)
            session.run("COMMIT")

        self._database.as_authority(effect)
