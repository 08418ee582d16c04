"""Reminders: a rotation that a person does by hand asks for them, waits, and says when they are late.

The request lies where those for approval do, by the token of the same phase; it is answered with evidence instead of a
yes. It never expires: a credential that should have been changed is overdue for as long as it was not, and that is told
at every look of the sweep. Not here: the evidence (`evidence`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rotation.control.desk import Desk
from rotation.control.signals import Finding
from rotation.control.slack import asked_by, plain
from rotation.handwork import CONSOLE, by_hand, due_days
from rotation.ledger.approvals import REMINDER, Request
from rotation.ledger.moments import timestamp
from rotation.ledger.records import Run
from rotation.policy import Policy, from_document

# What leaked is not left for the days of a calm one: after one somebody is told at every look.
_EMERGENCY = timedelta(days=1)


def is_reminder(run: Run) -> bool:
    """Whether the policy that the run was claimed with is done by hand."""
    return bool(run.policy) and by_hand(from_document(run.policy).credential)


def request(run: Run, token: str, now: str) -> Request:
    """What is asked of a person: `expires_at` is when it is due, in an emergency within a day."""
    days = _EMERGENCY if run.emergency else timedelta(days=due_days(from_document(run.policy).target_facts))
    return Request(
        run_id=run.run_id,
        secret=run.secret,
        digest=run.policy_digest,
        approvers=(),
        requested_by=run.requested_by,
        reason=run.reason,
        requested_at=now,
        expires_at=timestamp(datetime.fromisoformat(now) + days),
        token=token,
        kind=REMINDER,
    )


def remind(desk: Desk, asked: Request) -> bool:
    """Tell people: by the metric that an alarm stands on, and by name where there is a place for messages.

    Returns whether the message was taken. Where it was not, the alarm is all that anybody hears: it rings all the same.
    """
    policy = from_document(desk.ledger.run(asked.run_id)[0].policy)
    desk.signals.tell(Finding.REMINDER_DUE)
    return not desk.notices.channel or desk.notices.say(message(asked, policy, desk.stack))


def message(asked: Request, policy: Policy, stack: str) -> str:
    """Who has to change what, why, where, by when, and the command that ends it. No token, no value."""
    at = "" if stack == "local" else f" --stack {stack}"
    command = f"keyturn reminder done {asked.secret} --version-id VERSION --reason WHY{at}"
    return "\n".join(
        [
            f"*{plain(asked.secret)}* on `{stack}` has to be changed by hand until {asked.expires_at}",
            asked_by(asked),
            f"who: {plain(policy.owner)}; where: {plain(policy.target_facts.get(CONSOLE, ''))}",
            f"put the new one into {plain(policy.ref.path)}, and then: `{command}`",
        ]
    )


def overdue(desk: Desk) -> None:
    """Nobody has done it in time: it is waited for on."""
    desk.signals.tell(Finding.REMINDER_OVERDUE)


def told_of(desk: Desk, asked: Request) -> dict[str, Any]:
    """What a list says of one beside the request itself."""
    policy = from_document(desk.ledger.run(asked.run_id)[0].policy)
    return {
        "owner": policy.owner,
        "path": policy.ref.path,
        "console": policy.target_facts.get(CONSOLE, ""),
        "overdue": asked.expires_at <= desk.ledger.now(),
    }
