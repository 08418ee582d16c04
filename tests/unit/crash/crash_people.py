"""A world in which runs wait: for a person who agrees, for consumers who acknowledge, for a channel that is down.

What people, the sweep and the sending of old news do is numbered here too: a death in it costs nobody his execution,
only that call. Whoever asked may ask once more (`asks_again`), or leave it to the sweep. Not here: `CrashWorld`'s rule
that asking again is all that a verb needs still holds for every other verb.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from rotation.control import approvals
from rotation.control.desk import Desk
from rotation.control.replay import tell_again
from rotation.control.table import VERBS
from rotation.ledger.ledger import LOOK_AFTER
from rotation.policy import Approval, Consumer
from tests.model.world import NAME
from tests.unit.crash.crash_trap import Died
from tests.unit.crash.crash_world import CrashWorld

EXPIRES_S, LEASE_S = 3_600, 3_600
# Looks of the sweep until a request has certainly expired, or an answer is delivered.
_LOOKS = 10
APPROVER = "arn:aws:sts::000000000000:assumed-role/lead/bob"
ROLE = "arn:aws:iam::000000000000:role/web"
REPLICA = "arn:aws:sts::000000000000:assumed-role/web/task"


class ModelTokens:
    """What each task token was answered, the first answer being the one that counts."""

    def __init__(self) -> None:
        self.said: dict[str, Mapping[str, Any]] = {}

    def answer(self, token: str, answer: Mapping[str, Any]) -> None:
        self.said.setdefault(token, answer)


class PeopleWorld(CrashWorld):
    """`says`: what the approver answers, "" nothing. replicas: live instances, and the version that each uses."""

    def __init__(self, store: str, credential: str, patch: pytest.MonkeyPatch, **policy: Any) -> None:
        super().__init__(store, credential, patch, **policy)
        self.tokens = ModelTokens()
        self.says, self.asks_again = "approve", True
        self.answered_to: list[str] = []
        self.replicas: dict[str, str] = {}
        # of the overlap that a story is about: Keyturn's id of the old version, and what the target calls its value
        self.old = self.old_named = ""
        self.before: dict[str, Callable[[PeopleWorld], None]] = {}

    @property
    def desk(self) -> Desk:
        return replace(super().desk, tokens=self._behind(self.tokens, "tokens"))

    def outside(self) -> str:
        return f"{super().outside()} {self.tokens.said}"

    def invoke(self, function: str, payload: Mapping[str, Any]) -> Any:
        if payload["phase"] in self.before:
            self.before[payload["phase"]](self)
        self.renew()
        try:
            return super().invoke(function, payload)
        finally:
            self.check_gate()

    def answered(self, token: str) -> Mapping[str, Any]:
        for _ in range(_LOOKS):
            if token not in self.tokens.said:
                self._approver()
            if token not in self.tokens.said:
                self.clock.advance(LOOK_AFTER.total_seconds())
                self._look()
            if token in self.tokens.said:
                return self.tokens.said[token]
        return super().answered(token)

    def _approver(self) -> None:
        """Answers what waits, once, unless the call is lost and he asks again."""
        for one in VERBS["approvals"](self.desk, {}) if self.says else []:
            if self.asks_again or one["run_id"] not in self.answered_to:
                self.answered_to.append(one["run_id"])
                self.person(self.says, run_id=one["run_id"], requested_by=APPROVER)

    def person(self, verb: str, **fields: Any) -> Any:
        """A verb whose every call is a crash point; one that died is asked again, or not."""
        event = {"reason": "looked at it", "requested_by": "somebody", "secret": NAME, **fields}
        try:
            with self.trap.armed(f"verb {verb}"):
                return VERBS[verb](self.desk, event)
        except Died:
            return self.person(verb, **fields) if self.asks_again else None

    def _look(self) -> None:
        """The sweep's part for those who wait; one that dies looks again the next time."""
        for part in (approvals.look_after, tell_again):
            try:
                with self.trap.armed("sweep"):
                    part(self.desk)
            except Died:
                continue

    def sweep(self) -> list[str]:
        self.renew()
        self._look()
        return super().sweep()

    def starts(self, instance: str, version: str) -> None:
        """An instance is there, and says which version it uses for as long as it lives."""
        self.replicas[instance] = version
        self.renew()

    def renew(self) -> None:
        """Every live instance says again what it uses."""
        for instance, version in self.replicas.items():
            said = {"secret": NAME, "consumer": "web", "instance": instance, "version": version, "lease_s": LEASE_S}
            VERBS["acknowledge"](self.desk, {**said, "requested_by": REPLICA})

    def everybody_acknowledges(self) -> None:
        """Whoever lives uses what is current."""
        self.old = ""
        self.replicas = dict.fromkeys(self.replicas, self.head.version)
        self.renew()

    def check_gate(self) -> None:
        """Whoever lives and uses the old credential is not cut off."""
        if self.old and self.old in self.replicas.values():
            assert self.old_named in self.target.accepted(), "a live instance is cut off from what it uses"

    def is_told(self) -> None:
        """The channel is up again, and the sweep looks until nothing is left to be told."""
        self.channel.down = False
        for _ in range(_LOOKS):
            if not self.whole_ledger.outbox.of(NAME):
                return
            self.clock.advance(LOOK_AFTER.total_seconds())
            self._look()


def asking(store: str, credential: str, patch: pytest.MonkeyPatch) -> PeopleWorld:
    """Every rotation needs somebody who agrees."""
    return PeopleWorld(store, credential, patch, approval=Approval(approvers=("lead",), expires_s=EXPIRES_S))


def heard(store: str, credential: str, patch: pytest.MonkeyPatch) -> PeopleWorld:
    """The old credential is not revoked before every live instance of `web` uses the new one."""
    web = Consumer(name="web", kind="client", lead_s=1, role=ROLE)
    return PeopleWorld(store, credential, patch, consumers=(web,), acknowledge_s=EXPIRES_S)
