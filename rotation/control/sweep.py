"""One look of the sweep: take in the catalogue, start what is due, say how late the latest is.

Twice at once starts nothing twice: a start is a conditional write of the due row (and of its group's turn), then an
execution under a name that follows from the row, then its ARN in the row. A crash between any two is made up for by the
next look. Reads grow with what is due, never with what exists. Not here: retirements and lost runs (`starts`), which a
look does first, and the order of starts (`rotation.planning`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rotation.control import approvals, enrolment, outside, starts
from rotation.control.asked import EMERGENCY, UNACKNOWLEDGED
from rotation.control.desk import Desk
from rotation.control.due_rows import look_at
from rotation.control.launches import begin
from rotation.control.replay import tell_again
from rotation.control.signals import Finding, Gauge
from rotation.control.sweep_facts import gather, groups_of, start_limit, why_blocked
from rotation.ledger.agenda import Group
from rotation.ledger.due import Due
from rotation.phases import Outcome
from rotation.planning.plan import Plan, Start, impatient, plan
from rotation.planning.reckoning import overdue_s, passed_s

# Starts of one look: each is five calls of some 10 ms, and the function has a minute for all that it does.
STARTS_PER_LOOK = 300
# A sweep looks again as long as there are slots to come, up to shortly before the next one begins.
_LOOKS_FOR = timedelta(seconds=240)
# What holds an emergency rotation that was asked for while a run of the same secret is under way.
_EARLIER_RUN = "earlier_run"
_LOG = logging.getLogger("keyturn")


def sweep(desk: Desk, begun_at: str = "") -> dict[str, object]:
    """One look. Answers `{outcome, reason, started}`; `unobserved` asks for another look after a pause.

    begun_at: when the sweep's execution began, ISO 8601; without it there is one look.
    """
    approvals.look_after(desk)
    started = starts.sweep(desk)
    tell_again(desk)
    whole = enrolment.take_in(desk)
    rows = look_at(desk)
    made, groups = _planned(desk, rows)
    chosen = _within_budget(desk, made)
    started += [start.due.secret for start in chosen if _begun(desk, start.due, groups)]
    _say(desk, rows)
    _say_held(desk, made, rows)
    again = (not whole or len(made.starts) > len(chosen)) and _time_left(desk, begun_at)
    if not again:
        outside.look_around(desk)
    outcome = Outcome.UNOBSERVED if again else Outcome.PASSED
    return {"outcome": outcome, "reason": "more_to_start" if again else "", "started": started}


def at_once(desk: Desk, secrets: Sequence[str]) -> list[str]:
    """Start now, within every limit, what was asked for in an emergency; what has to wait is left to the next look.

    An overlap that is in the way is ended now, and the end of that starts the rotation. Returns what was started.
    """
    rows = [due for name in secrets if (due := desk.ledger.agenda.of(name)) and due.urgent and not due.under_way]
    if not rows:
        return []
    made, groups = _planned(desk, rows)
    started = [start.due.secret for start in _within_budget(desk, made) if _begun(desk, start.due, groups)]
    held = [hold.due.secret for hold in made.holds if hold.cause == "overlap_open"]
    return started + [secret for secret in held if starts.alone(desk, _overlap_ended, secret)]


def _overlap_ended(desk: Desk, secret: str) -> bool:
    due = desk.ledger.agenda.of(secret)
    if due is None or not due.urgent or desk.ledger.switchboard.stopped(secret):
        return False
    # the leaked credential does not live on for a consumer that is silent
    who = {"reason": due.reason, "requested_by": due.requested_by, "flags": f"{EMERGENCY} {UNACKNOWLEDGED}"}
    starts.start(desk, "retire", secret, who)
    return True


def _planned(desk: Desk, rows: Sequence[Due]) -> tuple[Plan, Mapping[str, Group]]:
    """The plan, and the groups as they were seen before it; what it would start now is looked at first."""
    groups = groups_of(desk, rows)
    facts, now = gather(desk, rows, groups), desk.ledger.now()
    looked: set[str] = set()
    while True:
        made = plan(rows, facts, now)
        fresh = [one.due for one in _now(made, now) if one.due.secret not in looked]
        blocked = {due.secret: cause for due in fresh if (cause := why_blocked(desk, due))}
        looked |= {due.secret for due in fresh}
        if not blocked:
            return made, groups
        facts = replace(facts, blocked={**facts.blocked, **blocked})


def _now(made: Plan, now: str) -> list[Start]:
    return [start for start in made.starts if start.not_before <= now][:STARTS_PER_LOOK]


def _within_budget(desk: Desk, made: Plan) -> list[Start]:
    """The starts of now for which the stores' budgets give tokens; the others keep their slots."""
    ready = _now(made, desk.ledger.now())
    chosen: list[Start] = []
    for store in sorted({start.due.store for start in ready}):
        wanted = [start for start in ready if start.due.store == store]
        limit = start_limit(store)
        chosen += wanted[: desk.ledger.budgets.draw(limit, len(wanted)) if limit else None]
    return sorted(chosen, key=ready.index)


def _begun(desk: Desk, due: Due, groups: Mapping[str, Group]) -> bool:
    """Whether this sweep started it; one secret that is refused does not stop the others."""
    return starts.alone(desk, lambda desk, _: begin(desk, due, groups.get(due.group)), due.secret)


def _say(desk: Desk, rows: Sequence[Due]) -> None:
    now = desk.ledger.now()
    late = desk.ledger.agenda.late_since(now)
    waited = [passed_s(late, now) if late else 0.0, *(overdue_s(due, now) for due in rows)]
    desk.signals.gauge(Gauge.MAX_OVERDUE, max(waited))
    desk.signals.gauge(Gauge.REHEARSAL_AGE, desk.ledger.rehearsals.age_s(now))


def _say_held(desk: Desk, made: Plan, rows: Sequence[Due]) -> None:
    """What leaked and does not start is told at every look: its alarm names a runbook, and the log what holds it."""
    now = desk.ledger.now()
    held = {hold.due.secret: str(hold.cause) for hold in made.holds if impatient(hold.due, now)}
    # a run that began before may wait for a person for days, and what it makes is no answer to the leak
    held |= {due.secret: _EARLIER_RUN for due in rows if impatient(due, now) and _began_before(due)}
    for secret, cause in held.items():
        about = {"secret": secret, "reason": cause}
        _LOG.error("an emergency rotation does not start", extra={"fields": about})
    if held:
        # once for all of them: each count is a call
        desk.signals.tell(Finding.EMERGENCY_HELD)


def _began_before(due: Due) -> bool:
    """Whether what is under way began before people asked for an emergency."""
    return due.under_way and due.started_at < due.asked_at


def _time_left(desk: Desk, begun_at: str) -> bool:
    if not begun_at:
        return False
    return datetime.fromisoformat(desk.ledger.now()) - datetime.fromisoformat(begun_at) < _LOOKS_FOR
