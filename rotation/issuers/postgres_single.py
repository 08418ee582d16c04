"""One PostgreSQL user whose password is changed in place, for applications that cannot change users.

There is no overlap: the old password is refused from the change on, before promotion, so that readers of the store are
cut off from new logins until they are given the new one. What can be undone is undone with the value before, as it is
staged in the store: `restore` puts it back, never a new one. So the first rotation of a role that has a password must
find it in the store: what nobody stored, nobody can put back.

Every effect is one transaction behind the fence of `postgres_fence`, with what the role has now in `postgres_password`.
`withdraw` and `revoke` close the role only if it has the very password that they are about. Otherwise that password was
replaced, and `revoke` only ends the sessions that were opened with it: those that began before the change was certainly
committed, which is ten seconds after it at most.

Deliberately not here: making roles. What the one user may do is the administrator's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from rotation.calls import Caller
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError
from rotation.issuers import postgres_fence as fences
from rotation.issuers import postgres_password as passwords
from rotation.issuers import postgres_roles as roles
from rotation.issuers.postgres_database import Database, translate, unproven
from rotation.issuers.scram import verifier
from rotation.value import SecretValue


class PostgresSingle:
    """One user. An instance serves one invocation: the authority's credential is read once.

    facts: those of `postgres_database.Database` and `user`.
    """

    kind: ClassVar[str] = "postgres-single"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=False, fenced=True, ends_sessions=True, needs_current=True, rollback_horizon=1
    )
    translate = staticmethod(translate)

    def __init__(self, facts: Mapping[str, str], authority: Callable[[], SecretValue], caller: Caller) -> None:
        self._database = Database(self.kind, facts, authority, caller, needed=("user",))
        self._user = facts["user"]
        self._database.users = (self._user,)

    def mint(self, current: SecretValue | None) -> Minted:
        """A random password.

        Refused `foreign_user`, `target_mismatch` or `password_alphabet`, before anything is changed, for a current one
        that could not be put back.
        """
        if current is not None:
            self._database.user_of(current)
            verifier(self._database.password_of(current))
        return Minted(value=self._database.mint_for(self._user), public={"username": self._user})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Replace the password; sessions stay as they are. Refused `unknown_role` where there is no such role.

        Fenced `stale_generation` also for a run that took it back before: its apply comes too late.
        """
        self._put(value, fence, fences.APPLIED, gave_up=(fences.RESTORED, fences.WITHDRAWN, fences.REVOKED))

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """Put an older value's password back in the place of the one there is."""
        self._put(value, fence, fences.RESTORED, gave_up=())

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Refuse this password if the role has it; otherwise only leave the epoch, so that a late apply is fenced."""
        self._take(value, fence, fences.WITHDRAWN)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Refuse this password if the role still has it, and end the sessions that were opened with it."""
        before = self._take(value, fence, fences.REVOKED)

        def effect(session: Any) -> int:
            # the lock is free between the two: whoever changed the role meanwhile keeps its sessions
            fences.enter(session, self._user, fence)
            return roles.end_sessions(session, self._user, before=before)

        return self._database.as_authority(effect)

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the role's password is this run's and it may log in. REFUSED `not_held` when not."""
        del public

        def question(session: Any) -> bool:
            fences.begin(session)
            has = passwords.look(session, self._user)
            mine = has is not None and (has.run_id, has.effect) == (fence.run_id, fences.APPLIED)
            return mine and roles.can_log_in(session, self._user)

        try:
            if self._database.as_authority(question):
                return Probe(verdict=Verdict.ACCEPTED)
        except KeyturnError as exc:
            return unproven(exc)
        detail = f"the role {self._user} does not have what this run applied"
        return Probe(verdict=Verdict.REFUSED, code="not_held", detail=detail)

    def probe(self, value: SecretValue) -> Probe:
        """Log in as the user, as a consumer would."""
        return self._database.probe(value)

    def _put(self, value: SecretValue, fence: Fence, effect_name: str, gave_up: tuple[str, ...]) -> None:
        self._database.user_of(value)
        kept = verifier(self._database.password_of(value))

        def effect(session: Any) -> None:
            held = fences.enter(session, self._user, fence)
            if held and held.run_id == fence.run_id and held.effect in gave_up:
                raise fences.stale(self._user)
            roles.set_password(session, self._user, kept)
            fences.stamp(session, self._user, fence, effect_name)
            passwords.note(session, self._user, kept, fence, effect_name)
            session.run("COMMIT")

        self._database.as_authority(effect)

    def _take(self, value: SecretValue, fence: Fence, effect_name: str) -> str:
        """Close the role if it has this password. Until when a session was opened with it; "" for until now."""
        self._database.user_of(value)
        password = self._database.password_of(value)

        def effect(session: Any) -> str:
            fences.enter(session, self._user, fence)
            has = passwords.look(session, self._user)
            fences.stamp(session, self._user, fence, effect_name)
            if has is not None and has.is_of(password):
                roles.close(session, self._user)
                passwords.forget(session, self._user)
                has = None
            session.run("COMMIT")
            return has.since if has else ""

        return self._database.as_authority(effect)
