"""What control answers about kill switch, freezes and report-only mode: state, and who set it and why.

The ledger keeps who changed the whole switch last; who set each part of it is in the audit, which comes along.
Not here: how it is shown (`switch_view`).
"""

from __future__ import annotations

from datetime import datetime

from keyturn.answers import Answer, Freeze, MaybeTime

# What the audit calls the stack's own freeze.
WHOLE_STACK = "the whole stack"


class Entry(Answer):
    """One change: which verb, by whom, why; `about`: a secret, `the whole stack`, `on`, `off`, or nothing."""

    verb: str
    actor: str
    reason: str
    about: str = ""
    at: datetime


class Switch(Answer):
    """The stack's switch. actor, reason, at: of the last change of any part. audit: in any order."""

    engaged: bool = False
    frozen_until: MaybeTime = None
    report_only: bool = False
    actor: str = ""
    reason: str = ""
    at: MaybeTime = None
    freezes: tuple[Freeze, ...] = ()
    audit: tuple[Entry, ...] = ()

    def frozen(self, now: datetime) -> bool:
        """Whether the whole stack is frozen at `now`."""
        return self.frozen_until is not None and self.frozen_until > now

    def set_by(self, verb: str, about: str) -> tuple[str, str, datetime | None]:
        """Actor, reason and time of the last `verb` about that; of the last change where none is known."""
        known = [entry for entry in self.audit if (entry.verb, entry.about) == (verb, about)]
        if not known:
            return self.actor, self.reason, self.at
        last = max(known, key=lambda entry: entry.at)
        return last.actor, last.reason, last.at
