"""What stops new effects: kill switch, freeze, report-only mode; and who may pass a freeze.

Each is a condition of the very write that opens a step or takes a claim, so that it is in force before the next effect,
with no read that could be stale. A row that is there and cannot be understood counts as engaged. Undoing is never
stopped: its writes carry none of these. Every change says who and why, and leaves a row of the audit partition.
Not here: what happens to a run that was stopped (`control.records`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from rotation.errors import Conflict, Halted, KeyturnError
from rotation.ledger.moments import timestamp
from rotation.ledger.rows import Check, ConditionFailed, Delete, Expect, Key, Put, Row, Rows, Write

# The whole stack's switch; absent means that nothing was ever engaged.
SWITCH = Key("switch", "global")
FREEZE = "freeze"
AUDIT = "audit"
# The end of a freeze whose row does not tell it: `keyturn unfreeze` ends it.
_NEVER = "9999-01-01T00:00:00.000000Z"
# Two people at once: the second one's change is made on what the first one left, this often.
_ATTEMPTS = 3
# What `keyturn kill-switch show` lists: enough for one night.
AUDIT_SHOWN = 20
# Reasons of a run that was stopped.
STOPS = ("kill_switch", "switch_unreadable", "frozen", "report_only")
# What a run that breaks the glass goes on through.
PASSED_BY_BREAK_GLASS = frozenset({"frozen", "report_only"})


@dataclass(frozen=True, kw_only=True)
class Switch:
    """State of the stack. `frozen_until`: a time, "" for no freeze. actor, reason, at: of the last change."""

    engaged: bool = False
    frozen_until: str = ""
    report_only: bool = False
    actor: str = ""
    reason: str = ""
    at: str = ""
    rev: int = 0


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """A freeze of one secret, over by itself when `until` has passed."""

    secret: str
    until: str
    actor: str
    reason: str
    at: str


@dataclass(frozen=True, kw_only=True)
class Who:
    """The verified caller, why, and which verb."""

    actor: str
    reason: str
    verb: str


def freeze_key(secret: str) -> Key:
    """Key of a secret's freeze."""
    return Key(f"secret#{secret}", FREEZE)


def guards(secret: str, now: str, *, break_glass: bool) -> list[Write]:
    """The conditions of a write that leads to an effect on `secret`. Break-glass passes all but the kill switch."""
    if break_glass:
        return [Check(key=SWITCH, expect=Expect(equals={"engaged": False}, or_absent=True))]
    off = Expect(equals={"engaged": False, "report_only": False}, not_after={"frozen_until": now}, or_absent=True)
    thawed = Expect(not_after={"until": now}, or_absent=True)
    return [Check(key=SWITCH, expect=off), Check(key=freeze_key(secret), expect=thawed)]


def is_guard(write: Write) -> bool:
    """Whether a write is one of the conditions above."""
    return isinstance(write, Check) and (write.key == SWITCH or write.key.sk == FREEZE)


def halted(rows: Rows, secret: str, now: str) -> Halted:
    """What the conditions failed on, with who and why; nobody can tell means engaged."""
    try:
        row, freeze = rows.get(SWITCH), rows.get(freeze_key(secret))
    except KeyturnError:
        return _unreadable()
    state = _switch(row) if row else Switch()
    if state is None:
        return _unreadable()
    found = _by_switch(state, now)
    if found is None and freeze is not None:
        until = f"until {freeze.get('until', 'its end')} ({freeze.get('actor')}: {freeze.get('reason')})"
        found = Halted("frozen", f"{secret} is frozen {until}", _THAW)
    # lifted between the write and this look: the next attempt passes
    return found or Halted("kill_switch", "the kill switch was engaged: no new effect is begun", _RELEASE)


def _by_switch(state: Switch, now: str) -> Halted | None:
    if state.engaged:
        return Halted("kill_switch", f"the kill switch is engaged{_by(state)}: no new effect is begun", _RELEASE)
    if state.report_only:
        return Halted("report_only", f"the stack only reports{_by(state)}: nothing is changed", _REPORT_OFF)
    if state.frozen_until > now:
        return Halted("frozen", f"the stack is frozen until {state.frozen_until}{_by(state)}", _THAW)
    return None


_RELEASE = "when it is safe: `keyturn kill-switch release`, then `keyturn resume` or `keyturn rollback`"
_REPORT_OFF = "when results are to count: `keyturn report-only off`"
_THAW = "wait, or lift it with `keyturn unfreeze`; `--break-glass` passes it and is recorded"


def _unreadable() -> Halted:
    return Halted("switch_unreadable", "the kill switch cannot be read, so it counts as engaged", _RELEASE)


def _by(switch: Switch) -> str:
    return f" (by {switch.actor}: {switch.reason})" if switch.actor else ""


def _switch(row: Row) -> Switch | None:
    """The state in a row; None when it is not one."""
    kept = {name: row[name] for name in asdict(Switch()) if name in row}
    flags = (kept.get("engaged"), kept.get("report_only"))
    if not all(isinstance(flag, bool) for flag in flags) or not isinstance(kept.get("frozen_until"), str):
        return None
    return Switch(**kept)


def _end_of(freeze: Row, now: str) -> str:
    """When a freeze is over, "" where it is; judged as the guard does, which compares texts."""
    until = freeze.get("until")
    if isinstance(until, str) and until <= now:
        return ""
    try:
        datetime.fromisoformat(str(until))
    except ValueError:
        return _NEVER
    return str(until)


class Switchboard:
    """Reads and sets what stops runs."""

    def __init__(self, rows: Rows, clock: Callable[[], datetime]) -> None:
        self._rows = rows
        self._clock = clock

    def now(self) -> str:
        """The clock's time as the ledger writes it."""
        return timestamp(self._clock())

    def state(self) -> Switch:
        """The stack's switch. Halted `switch_unreadable` when its row is not one."""
        row = self._rows.get(SWITCH)
        if row is None:
            return Switch()
        found = _switch(row)
        if found is None:
            raise _unreadable()
        return found

    def set(self, who: Who, *, about: str = "", **changes: bool | str) -> Switch:
        """Change the stack's switch. Conflict `switch_changed` when others keep changing it at the same time.

        A row that cannot be read is replaced: by whoever engages the switch as by whoever releases it.
        """
        for _ in range(_ATTEMPTS):
            row = self._rows.get(SWITCH)
            known = (_switch(row) if row else None) or Switch(rev=int((row or {}).get("rev", 0)))
            said = replace(known, actor=who.actor, reason=who.reason, at=self.now(), rev=known.rev + 1)
            made = replace(said, **changes)  # type: ignore[arg-type]  # names are this module's callers' literals
            expect = Expect(equals={"rev": row["rev"]}) if row and "rev" in row else None
            expect = expect if row else Expect(or_absent=True)
            try:
                self._rows.write([Put(key=SWITCH, row=asdict(made), expect=expect), self.noted(who, about)])
            except ConditionFailed:
                continue
            return made
        raise Conflict("switch_changed", "somebody else keeps changing the switch", "look at it and say it again")

    def freeze(self, who: Who, secrets: Sequence[str], until: str) -> None:
        """Freeze the named secrets until a time; a later freeze replaces an earlier one."""
        for secret in secrets:
            row = asdict(Freeze(secret=secret, until=until, actor=who.actor, reason=who.reason, at=self.now()))
            self._rows.write([Put(key=freeze_key(secret), row=row), self.noted(who, secret)])

    def unfreeze(self, who: Who, secrets: Sequence[str]) -> None:
        """Lift the freezes of the named secrets; one that has none is left as it is."""
        for secret in secrets:
            self._rows.write([Delete(key=freeze_key(secret)), self.noted(who, secret)])

    def freeze_of(self, secret: str) -> Freeze | None:
        """The freeze that is in force; None when there is none or it is over.

        A row that nobody understands is a freeze without an end, as it is for the writes that it stops.
        """
        row = self._rows.get(freeze_key(secret))
        if row is None:
            return None
        until = _end_of(row, self.now())
        if not until:
            return None
        known = {name: str(row.get(name, "")) for name in ("actor", "reason", "at")}
        return Freeze(secret=secret, until=until, **known)

    def audit(self) -> list[Row]:
        """The newest entries, newest first: verb, actor, reason, about, at. Older ones are not read."""
        entries = self._rows.partition(AUDIT, newest=AUDIT_SHOWN)
        return [{name: row[name] for name in ("verb", "actor", "reason", "about", "at")} for row in reversed(entries)]

    def stopped(self, secret: str) -> str:
        """What would stop a run of the secret now, as a slug; "" for nothing. A look: the ledger's writes decide."""
        try:
            state = self.state()
        except Halted as exc:
            return exc.reason
        if (found := _by_switch(state, self.now())) is not None:
            return found.reason
        return "frozen" if self.freeze_of(secret) else ""

    def check(self, secret: str, *, break_glass: bool) -> None:
        """Halted, with who and why, where something would stop a run of the secret now."""
        stop = self.stopped(secret)
        if stop and not (break_glass and stop in PASSED_BY_BREAK_GLASS):
            raise self.stop_of(secret)

    def stop_of(self, secret: str) -> Halted:
        """The same as a run would meet it, with who and why. Only where something stops it."""
        return halted(self._rows, secret, self.now())

    def noted(self, who: Who, about: str) -> Put:
        """The audit's row of who did what and why, to go into the write of the deed itself."""
        at = self.now()
        row = {"verb": who.verb, "actor": who.actor, "reason": who.reason, "about": about, "at": at}
        return Put(key=Key(AUDIT, f"{at}#{who.verb}#{about}"), row=row)
