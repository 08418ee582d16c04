"""How a plan is shown: what would happen, when it comes by itself, whom it meets, and what was seen from inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from keyturn.console import moment, seconds, table
from keyturn.plan_answers import CI, CLIENT, Budget, Check, Consumer, Meets, Preflight, When
from keyturn.planning import Plan, Planned

_BY = {"ledger": "planned by the sweep", "policy": "reckoned here: the sweep has not seen this policy yet"}
_SHOWN = {True: ("ok", "green"), False: ("FAIL", "bold red"), None: ("-", "dim")}


def plan_shown(one: Plan) -> RenderableType:
    """One secret."""
    would = "would be refused" if one.refused else "would make the first value" if one.first_value else "would rotate"
    lines = [Text(f"{one.secret}: {would}; at least {seconds(one.floor_s)}", style="bold")]
    lines += [Text(f"  {found.reason}: {found.message}; {found.remedy}", style="red") for found in one.refused]
    lines += [Text(f"  {note}", style="yellow") for note in one.notes]
    lines += [Text(f"  last rotation: {moment(one.last_rotation)}") if one.last_rotation else Text("  never rotated")]
    seen = [*_told(one.preflight), _checks(one.preflight.checks)] if one.preflight else []
    return Group(*lines, *seen, _phases(one.phases), Text())


def _phases(phases: Sequence[Planned]) -> RenderableType:
    drawn = table("", "  machine", "phase", "at least", "what it does")
    for phase in phases:
        floor = seconds(phase.floor_s) if phase.floor_s else "-"
        drawn.add_row(f"  {phase.machine}", phase.phase, floor, phase.does)
    return drawn


def _checks(checks: Sequence[Check]) -> RenderableType:
    drawn = table("", "  from inside", "", "found", "next")
    for check in checks:
        word, style = _SHOWN[check.ok]
        drawn.add_row(f"  {check.what}", Text(word, style=style), check.says, check.remedy)
    return drawn


def _told(preflight: Preflight) -> Iterator[Text]:
    if preflight.when:
        yield from (Text(f"  {line}") for line in when_lines(preflight.when))
    if preflight.meets:
        yield from (Text(f"  {line}") for line in meets_lines(preflight.meets))


def when_lines(when: When) -> Iterator[str]:
    """The schedule in lines."""
    if when.by == "native":
        yield f"next: by AWS's own schedule, {when.cadence}"
    elif when.under_way:
        yield f"next: the sweep has started it; due since {moment(when.starts_at)}"
    elif when.starts_at is None:
        yield f"next: never, by {when.cadence}; `keyturn policy lint` says why"
    else:
        yield f"next: due {moment(when.due_at)} by {when.cadence}, starts {moment(when.starts_at)} ({_BY[when.by]})"
        yield f"then old and new are both accepted until {moment(when.overlap_until)}"
    if when.window:
        days = ", ".join(when.window.days) or "every day"
        yield f"window: {when.window.opens:02}:00 to {when.window.opens + when.window.hours:02}:00 UTC, {days}"
    yield from (f"frozen: {freeze.first} to {freeze.last}, {freeze.why}" for freeze in when.freezes)
    if when.approval:
        yield f"waits for: {', '.join(when.approval.approvers)}, for at most {seconds(when.approval.expires_s)}"
    if when.failures:
        yield f"failed {when.failures} times in a row, the last for {when.cause}"


def meets_lines(meets: Meets) -> Iterator[str]:
    """Blast radius, relatives and quotas in lines."""
    yield from (f"{'CI' if one.kind == CI else 'reader'} {one.name}: {_learns(one, meets)}" for one in meets.consumers)
    if not meets.consumers:
        yield "readers: the policy names none"
    if meets.group:
        busy = f", {meets.group_busy} is under way: it waits" if meets.group_busy else ", nobody in it is under way"
        yield f"group: {meets.group}{busy}"
    if meets.parent:
        waits = "which is due or under way: it waits" if meets.parent_waits else "which is not due"
        yield f"after: {meets.parent}, {waits}"
    if meets.blocked:
        yield f"the sweep is stopped: {meets.blocked}"
    if meets.budgets:
        yield f"quotas: {'; '.join(map(_budget, meets.budgets))}{_ready(meets)}"


def _learns(one: Consumer, meets: Meets) -> str:
    if one.kind == CLIENT:
        how = " and ".join(meets.invalidate) or "nothing"
        wait = f", waited for up to {seconds(meets.acknowledge_s)}" if meets.acknowledge_s else ""
        return f"told by {how}, acknowledges{wait}"
    if one.kind == CI:
        return f"a running job keeps the old one for up to {seconds(one.lead_s)}"
    return f"looks again within {seconds(one.lead_s)}"


def _budget(budget: Budget) -> str:
    return f"{budget.left} of {budget.holds} writes left in {budget.pool}, {budget.per_s:g} a second"


def _ready(meets: Meets) -> str:
    return "" if meets.starts_ready is None else f"; {meets.starts_ready} starts free now"
