"""Approval: a run whose policy asks for it waits until a person agrees who did not ask for the run.

An answer is bound to one run and to the policy which that run was claimed with. The answer is written first, by one
conditional write that of two people one wins, and then told to the machine that waits; whoever breaks off in between,
the sweep tells it again. Nothing passes it: neither an emergency nor break-glass. What is agreed to is to begin:
kill switch and freezes are conditions of every step that follows. Not here: who may answer (`answering`), the rows.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rotation.control import reminders
from rotation.control.desk import Desk
from rotation.control.policy_changes import changes
from rotation.control.records import EVIDENCE
from rotation.control.slack import message
from rotation.errors import KeyturnError, NotFound, Refused, Throttled, Unavailable
from rotation.invocation import Answer
from rotation.ledger.approvals import APPROVAL, REMINDER, Request, Status
from rotation.ledger.moments import timestamp
from rotation.ledger.records import Run, StepRecord, passed
from rotation.phases import Outcome
from rotation.policy import Approval, from_document

# Somebody else writes the same row: it is looked at again this often.
_ATTEMPTS = 3
_LOG = logging.getLogger("keyturn")


def needed(desk: Desk, run: Run, steps: Mapping[str, StepRecord]) -> bool:
    """Whether a rotation that was claimed has to wait first. One that has begun was agreed to, or asked nobody."""
    if run.machine != "rotate" or run.undoing:
        return False
    if reminders.is_reminder(run):
        return not passed(steps.get(EVIDENCE))
    if steps or asked_for(run) is None:
        return False
    found = desk.ledger.approvals.of(run.run_id)
    return found is None or found.outcome != Outcome.PASSED


def ask(desk: Desk, execution: str, run_id: str, token: str) -> Answer:
    """The phase: keep the token by which the run's execution waits, and tell people.

    It is answered at once where the answer is there already, or where the execution does not have the run any more.
    """
    run, _ = desk.ledger.run(run_id)
    if run.status != "running" or run.execution != execution:
        desk.tokens.answer(token, _failed("claim_lost"))
        return _failed("claim_lost")
    for _ in range(_ATTEMPTS):
        seen = desk.ledger.approvals.of(run_id)
        made = (seen or _request(desk, run, token)).asked_by(execution, token)
        written = desk.ledger.approvals.put(seen, made)
        if written is not None:
            return _asked(desk, written)
    raise Unavailable("approval_changed", f"somebody else keeps writing the approval of {run_id}", "it is asked again")


def _asked(desk: Desk, request: Request) -> Answer:
    if request.waiting and request.expires_at <= desk.ledger.now():
        _late(desk, request)
    elif not request.waiting:
        deliver(desk, request)
    elif not request.told and (desk.notices.channel or request.kind == REMINDER):
        _tell(desk, request)
    return Answer(outcome=Outcome.UNOBSERVED, reason="approval")


def _tell(desk: Desk, request: Request) -> None:
    if _said_to_people(desk, request):
        # answered meanwhile: then there is nothing to note
        desk.ledger.approvals.put(request, replace(request, told=True))


def _said_to_people(desk: Desk, request: Request) -> bool:
    if request.kind == REMINDER:
        return reminders.remind(desk, request)
    last = desk.ledger.approvals.last(request.secret)
    document = desk.ledger.run(request.run_id)[0].policy
    changed = changes(_document(desk, last.run_id), document) if last else []
    return desk.notices.say(message(request, last, desk.stack, changed))


def _late(desk: Desk, request: Request) -> None:
    if request.kind == REMINDER:
        reminders.overdue(desk)
    else:
        expire(desk, request)


def asked_for(run: Run) -> Approval | None:
    """Who has to agree by the policy that the run was claimed with; None for nobody."""
    return from_document(run.policy).approval


def _request(desk: Desk, run: Run, token: str) -> Request:
    approval, now = asked_for(run), desk.ledger.now()
    if reminders.is_reminder(run):
        return reminders.request(run, token, now)
    if approval is None:
        raise Refused("bad_event", f"the policy of the run {run.run_id} asks nobody", "deploy again")
    return Request(
        run_id=run.run_id,
        secret=run.secret,
        digest=run.policy_digest,
        approvers=approval.approvers,
        requested_by=run.requested_by,
        reason=run.reason,
        requested_at=now,
        expires_at=timestamp(datetime.fromisoformat(now) + timedelta(seconds=approval.expires_s)),
        token=token,
    )


def listed(desk: Desk) -> list[dict[str, Any]]:
    """The runs that wait, the first to expire first, with the policy's document and the one agreed to last."""
    found = (desk.ledger.approvals.of(one.run_id) for one in desk.ledger.approvals.waiting())
    open_now = [one for one in found if one and one.waiting and still_runs(desk, one)]
    return [_with_policies(desk, one) for one in open_now if one.kind == APPROVAL]


def reminded(desk: Desk) -> list[dict[str, Any]]:
    """What people have to do by hand, the first to be due first."""
    found = (desk.ledger.approvals.of(one.run_id) for one in desk.ledger.approvals.waiting() if one.kind == REMINDER)
    open_now = [one for one in found if one and one.waiting and still_runs(desk, one)]
    return [{**view(one), **reminders.told_of(desk, one)} for one in open_now]


def still_runs(desk: Desk, request: Request) -> bool:
    """Whether the run still has its secret: no newer one took its place."""
    return desk.ledger.head(request.secret).run_id == request.run_id


def _with_policies(desk: Desk, request: Request) -> dict[str, Any]:
    last = desk.ledger.approvals.last(request.secret)
    return {
        **view(request),
        "channel": desk.notices.channel,
        "document": desk.ledger.run(request.run_id)[0].policy,
        "last": {"digest": last.digest, "by": last.by, "at": last.at, "run_id": last.run_id} if last else None,
        "last_document": _document(desk, last.run_id) if last else "",
    }


def _document(desk: Desk, run_id: str) -> str:
    try:
        return desk.ledger.run(run_id)[0].policy
    except NotFound:
        return ""


# What anybody may see of a request.
_SHOWN = (
    *("run_id", "secret", "digest", "requested_by", "reason", "requested_at", "expires_at"),
    *("status", "by", "why", "answered_at", "outcome", "cause", "delivered", "told", "kind", "version"),
)


def view(request: Request) -> dict[str, Any]:
    """The request without its token."""
    return {name: getattr(request, name) for name in _SHOWN} | {"approvers": list(request.approvers)}


def view_of(desk: Desk, run: Run) -> dict[str, Any] | None:
    """The request of a rotation; None where its policy asks nobody.

    A run from a list is without its policy: of those the ledger is asked about one that is under way.
    """
    asked = (asked_for(run) is not None or reminders.is_reminder(run)) if run.policy else run.status == "running"
    if run.machine != "rotate" or not asked:
        return None
    found = desk.ledger.approvals.of(run.run_id)
    return view(found) if found else None


def said(  # noqa: PLR0913, PLR0917  # the parts of an answer
    desk: Desk, request: Request, who: Mapping[str, str], status: Status, outcome: Outcome, cause: str
) -> Request:
    """The request with an answer."""
    answered = replace(request, status=status, outcome=outcome, cause=cause, answered_at=desk.ledger.now())
    return replace(answered, by=who["requested_by"], why=who["reason"])


def deliver(desk: Desk, request: Request) -> Request:
    """Tell the machine. What stands in the way is the sweep's to try again: the answer is in the ledger.

    Each attempt of the execution is told: an invocation that came late may have kept the token of one that is over.
    """
    if request.delivered:
        return request
    try:
        for token in (request.token, *request.others):
            desk.tokens.answer(token, Answer(outcome=request.outcome, reason=request.cause))
    except KeyturnError as exc:
        _LOG.error("a run was not told of its answer", extra={"fields": {"run": request.run_id, "reason": exc.reason}})
        return request
    return desk.ledger.approvals.put(request, replace(request, delivered=True)) or request


def _failed(reason: str) -> Answer:
    return Answer(outcome=Outcome.FAILED, reason=reason)


def expire(desk: Desk, request: Request) -> None:
    """Nobody has answered in time."""
    who = {"requested_by": "", "reason": ""}
    made = said(desk, request, who, Status.EXPIRED, Outcome.FAILED, "approval_expired")
    written = desk.ledger.approvals.put(request, made)
    if written is not None:
        deliver(desk, written)


def look_after(desk: Desk) -> None:
    """The sweep's part: end what has expired, and tell machines that have not heard."""
    now = desk.ledger.now()
    for due in desk.ledger.approvals.due(now):
        request = desk.ledger.approvals.of(due.run_id)
        if request is None:
            continue
        try:
            if request.waiting and request.expires_at <= now:
                _late(desk, request)
            elif not request.waiting:
                deliver(desk, request)
        except (Throttled, Unavailable):
            raise
        except KeyturnError as exc:
            _LOG.error("the sweep passes a request over", extra={"fields": {"run": due.run_id, "reason": exc.reason}})
