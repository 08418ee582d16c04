"""Credentials that no program may change: a login at a console, a key on a card, a password that a partner sends.

A run reminds a person, waits, and keeps the evidence of the version that they made (`control.evidence`). None of its
store phases is entered, so that nothing here is ever called on; the type says what it is for, and refuses the rest.
What the target thinks of the old credential nobody asks: there is no proof of death, and none is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from rotation.calls import Caller
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError, Refused
from rotation.handwork import CONSOLE, DUE_DAYS, REMINDER
from rotation.issuers.facts import check_facts
from rotation.value import SecretValue


class Reminder:
    """A reminder.

    facts: `console` (where the person changes it), `due_days` (how long they have). authority and caller are those of
    every issuer; nothing is asked of them.
    """

    kind: ClassVar[str] = REMINDER
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=False, fenced=True, ends_sessions=False, needs_current=False, rollback_horizon=0, has_target=False
    )

    def __init__(self, facts: Mapping[str, str], authority: Callable[[], SecretValue], caller: Caller) -> None:
        del authority, caller
        check_facts(self.kind, facts, needed=(CONSOLE, DUE_DAYS), optional=())

    @staticmethod
    def translate(exc: Exception) -> KeyturnError | None:
        """The translation table: nobody is called, so nothing is translated."""
        del exc
        return None

    def mint(self, current: SecretValue | None) -> Minted:
        """Refused `made_by_hand`."""
        del current
        raise _by_hand()

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Refused `made_by_hand`."""
        del value, fence
        raise _by_hand()

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Refused `made_by_hand`."""
        self.apply(value, fence)

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """Refused `made_by_hand`."""
        self.apply(value, fence)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Refused `made_by_hand`."""
        self.apply(value, fence)
        return 0

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """UNPROVEN `made_by_hand`: nobody is asked."""
        del public, fence
        return Probe(verdict=Verdict.UNPROVEN, code="made_by_hand", detail="no program asks the target")

    def probe(self, value: SecretValue) -> Probe:
        """UNPROVEN `made_by_hand`: the value is shown to nobody."""
        del value
        return self.check({}, Fence(run_id="", epoch=0))


def _by_hand() -> Refused:
    return Refused(
        "made_by_hand", "a person makes this credential", "`keyturn reminder done` once they did; no run does it"
    )
