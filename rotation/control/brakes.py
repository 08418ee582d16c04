"""The brakes of a stack: kill switch, freeze, report-only mode. Each change says who and why, and is kept.

They are set here and obeyed in the ledger's writes (`ledger.switch`). Engaging is never refused for a state that cannot
be read: the brake has to work when nothing else does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rotation.control.desk import Desk
from rotation.control.followed import followed, left_open
from rotation.errors import KeyturnError, Refused
from rotation.ledger.moments import timestamp
from rotation.ledger.switch import Who


def show(desk: Desk) -> dict[str, Any]:
    """The switch, the freezes in force, and the last changes. Halted `switch_unreadable`."""
    board = desk.ledger.switchboard
    state = {name: value for name, value in asdict(board.state()).items() if name != "rev"}
    freezes = [asdict(freeze) for name in _names(desk) if (freeze := board.freeze_of(name))]
    return {**state, "freezes": freezes, "audit": board.audit()}


def _names(desk: Desk) -> list[str]:
    """The secrets, with those whose policy was removed while something of them was open.

    None while they cannot be read: the brake has been set, and says so all the same.
    """
    try:
        known = desk.catalogue.names()
        return [*known, *left_open(desk, known)]
    except KeyturnError:
        return []


def engage(desk: Desk, who: Mapping[str, str]) -> dict[str, Any]:
    """Stop every new effect; what undoes a run goes on."""
    desk.ledger.switchboard.set(_who(who, "engage"), engaged=True)
    return show(desk)


def release(desk: Desk, who: Mapping[str, str]) -> dict[str, Any]:
    """Allow new effects. Runs that were halted stay halted until each is resumed or rolled back."""
    desk.ledger.switchboard.set(_who(who, "release"), engaged=False)
    return show(desk)


def report_only(desk: Desk, who: Mapping[str, str], *, on: bool) -> dict[str, Any]:
    """Record what would be done, and do nothing."""
    desk.ledger.switchboard.set(_who(who, "report_only"), about="on" if on else "off", report_only=on)
    return show(desk)


def freeze(desk: Desk, who: Mapping[str, str], secrets: Sequence[str], until: str) -> dict[str, Any]:
    """Freeze the named secrets, or without a name the whole stack. Refused `bad_time`, `unknown_secret`."""
    board, ends = desk.ledger.switchboard, _time(until, desk.ledger.now())
    if secrets:
        board.freeze(_who(who, "freeze"), _known(desk, secrets), ends)
    else:
        board.set(_who(who, "freeze"), about="the whole stack", frozen_until=ends)
    return show(desk)


def unfreeze(desk: Desk, who: Mapping[str, str], secrets: Sequence[str]) -> dict[str, Any]:
    """Lift the freezes of the named secrets, or without a name the stack's own."""
    board = desk.ledger.switchboard
    if secrets:
        board.unfreeze(_who(who, "unfreeze"), _known(desk, secrets))
    else:
        board.set(_who(who, "unfreeze"), about="the whole stack", frozen_until="")
    return show(desk)


def _known(desk: Desk, secrets: Sequence[str]) -> list[str]:
    """All of them are looked up before the first is written."""
    return [followed(desk, secret).policy.name for secret in secrets]


def _time(text: str, now: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or timestamp(moment) <= now:
        raise Refused("bad_time", "a freeze needs its end as ISO 8601 with a zone, later than now", "2026-12-24T18:00Z")
    return timestamp(moment)


def _who(who: Mapping[str, str], verb: str) -> Who:
    return Who(actor=who["requested_by"], reason=who["reason"], verb=verb)
