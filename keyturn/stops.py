"""What stops runs now: kill switch, report-only mode, freezes; who set each of them, why, until when, what to do.

A switch that cannot be read counts as engaged, here as in the ledger. Not here: setting them, and halted runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keyturn.console import moment
from keyturn.control import Control
from keyturn.remedies import About, filled
from keyturn.switch_state import WHOLE_STACK, Switch
from rotation.errors import KeyturnError

UNREADABLE = "switch_unreadable"

_GLASS = "`--break-glass` passes it"
_NEXT = {
    "kill_switch": "when it is safe: `keyturn kill-switch release --reason WHY{at}`",
    UNREADABLE: "see docs/runbooks/kill-switch.md; `keyturn kill-switch release --reason WHY{at}` writes it anew",
    "report_only": "`keyturn report-only off --reason WHY{at}` ends it; " + _GLASS,
    "stack": "`keyturn unfreeze --all --reason WHY{at}` lifts it; " + _GLASS,
    "secret": "`keyturn unfreeze {name} --reason WHY{at}` lifts it; " + _GLASS,
}


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One thing that stops runs: of the stack, or of `secret`. break_glass: a run with break-glass passes it."""

    reason: str
    message: str
    remedy: str
    secret: str = ""
    break_glass: bool = True

    def concerns(self, secret: str) -> bool:
        """Whether it stops runs of `secret`."""
        return self.secret in {"", secret}


def known_stops(control: Control, now: datetime, stack: str) -> list[Stop]:
    """What control says stops runs; an unreadable switch is one, other errors are raised."""
    try:
        switch = control.switch()
    except KeyturnError as exc:
        if exc.reason != UNREADABLE:
            raise
        return [_stop(UNREADABLE, "the switch cannot be read, so it counts as engaged: no new step begins", stack)]
    return stops_of(switch, now, stack)


def stops_of(switch: Switch, now: datetime, stack: str) -> list[Stop]:
    """Everything in force at `now`, the strongest first."""
    found = []
    if switch.engaged:
        said = f"the kill switch is engaged{_by(*switch.set_by('engage', ''))}: no new step begins"
        found.append(_stop("kill_switch", said, stack))
    if switch.report_only:
        said = f"the stack only reports{_by(*switch.set_by('report_only', 'on'))}: runs change nothing"
        found.append(_stop("report_only", said, stack))
    if switch.frozen(now):
        who = _by(*switch.set_by("freeze", WHOLE_STACK))
        found.append(_stop("frozen", f"the stack is frozen until {moment(switch.frozen_until)}{who}", stack, "stack"))
    for freeze in switch.freezes:
        if freeze.until > now:
            said = (
                f"{freeze.secret} is frozen until {moment(freeze.until)}{_by(freeze.actor, freeze.reason, freeze.at)}"
            )
            found.append(_stop("frozen", said, stack, "secret", freeze.secret))
    return found


def _stop(reason: str, message: str, stack: str, words: str = "", secret: str = "") -> Stop:
    remedy = filled(_NEXT[words or reason], About(secret=secret or "NAME", stack=stack))
    passes = reason in {"frozen", "report_only"}
    return Stop(reason=reason, message=message, remedy=remedy, secret=secret, break_glass=passes)


def _by(actor: str, reason: str, at: datetime | None) -> str:
    when = f"since {moment(at)} " if at else ""
    return f" ({when}by {actor or 'nobody known'}: {reason or 'no reason given'})"
