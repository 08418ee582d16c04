"""What stops runs, for the model of control: switch, freezes and their audit, as rotation/control/brakes.py answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

WHO = "arn:aws:iam::000000000000:user/on-call"


class SwitchModel:
    """State of the stack; `unreadable` is a row that nobody understands."""

    def __init__(self) -> None:
        self.engaged = False
        self.report_only = False
        self.frozen_until = ""
        self.unreadable = False
        self.last = {"actor": "", "reason": "", "at": ""}
        self.freezes: dict[str, dict[str, str]] = {}
        self.audit: list[dict[str, str]] = []

    def stops(self, secret: str, now: datetime, *, break_glass: bool) -> str:
        """The reason why no new step of `secret` begins at `now`; empty when one does."""
        if self.unreadable:
            return "switch_unreadable"
        if self.engaged:
            return "kill_switch"
        if break_glass:
            return ""
        if self.report_only:
            return "report_only"
        ends = [self.frozen_until, self.freezes.get(secret, {}).get("until", "")]
        return "frozen" if any(end and datetime.fromisoformat(end) > now for end in ends) else ""

    def answer(self) -> dict[str, Any]:
        """As the verb `switch` answers."""
        state = {"engaged": self.engaged, "frozen_until": self.frozen_until, "report_only": self.report_only}
        return {**state, **self.last, "freezes": list(self.freezes.values()), "audit": self.audit[::-1]}

    def note(self, verb: str, reason: str, about: str, now: datetime) -> None:
        """Keep who did what; every change of the stack's own switch is its last one."""
        entry = {"actor": WHO, "reason": reason, "at": now.isoformat()}
        self.audit.append({"verb": verb, "about": about, **entry})
        if about in {"", "on", "off", "the whole stack"}:
            self.last = entry

    def freeze(self, secrets: list[str], until: str, reason: str, now: datetime) -> None:
        """Freeze the named ones, or the stack."""
        if not secrets:
            self.frozen_until = until
            self.note("freeze", reason, "the whole stack", now)
        for secret in secrets:
            entry = {"secret": secret, "until": until, "actor": WHO, "reason": reason, "at": now.isoformat()}
            self.freezes[secret] = entry
            self.note("freeze", reason, secret, now)

    def unfreeze(self, secrets: list[str], reason: str, now: datetime) -> None:
        """Lift the freezes of the named ones, or the stack's own."""
        if not secrets:
            self.frozen_until = ""
        for secret in secrets or ["the whole stack"]:
            self.freezes.pop(secret, None)
            self.note("unfreeze", reason, secret, now)
