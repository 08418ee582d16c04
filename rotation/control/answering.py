"""What people answer to a run that waits for them: yes, no, or that it is undone instead.

Who may is named by the policy that the run was claimed with, never by the request. Repeated by the same person an
answer is given once, and the machine told again. Not here: how an answer is kept and reaches the machine (`approvals`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rotation.control.approvals import asked_for, deliver, expire, said, still_runs, view
from rotation.control.desk import Desk
from rotation.control.holds import starts_at
from rotation.control.people import role_of, same_person
from rotation.control.starts import SWEEP
from rotation.errors import Refused
from rotation.ledger.approvals import Request, Status, approved
from rotation.ledger.records import UNDO, Run
from rotation.phases import Outcome
from rotation.policy import from_document


def approve(desk: Desk, run_id: str, who: Mapping[str, str]) -> dict[str, Any]:
    """Let a run begin; outside its policy's window and inside its freezes it ends `window_closed` instead.

    An emergency, break-glass and a first value pass that, as they did when the run was asked for.

    Refused `approval_unknown`, `approval_expired`, `not_an_approver`, `requester_cannot_approve`, `policy_changed`,
    `already_answered`; repeated by the same person it is done once.
    """
    request, run = _open(desk, run_id, who, Status.APPROVED)
    if not request.waiting:
        return _answered(desk, request)
    if same_person(who["requested_by"], run.requested_by):
        raise Refused(
            "requester_cannot_approve",
            f"whoever asked for the run {run_id} cannot agree to it",
            "ask another approver",
        )
    if _policy_now(desk, run.secret) != request.digest:
        raise Refused(
            "policy_changed",
            f"the policy of {run.secret} is another one since the run {run_id} was claimed",
            f"`keyturn approvals deny {run_id}`, then rotate again: the new run follows the new policy",
        )
    cause = "" if _in_time(desk, run) else "window_closed"
    outcome = Outcome.FAILED if cause else Outcome.PASSED
    made = said(desk, request, who, Status.APPROVED, outcome, cause)
    written = desk.ledger.approvals.put(request, made, approved(made))
    if written is None:
        raise _taken(run_id)
    return _answered(desk, written)


def deny(desk: Desk, run_id: str, who: Mapping[str, str]) -> dict[str, Any]:
    """End a run before it begins. Refused as `approve`, but for `requester_cannot_approve` and `policy_changed`."""
    request, _ = _open(desk, run_id, who, Status.DENIED)
    if not request.waiting:
        return _answered(desk, request)
    made = said(desk, request, who, Status.DENIED, Outcome.FAILED, "denied")
    written = desk.ledger.approvals.put(request, made)
    if written is None:
        raise _taken(run_id)
    return _answered(desk, written)


def _open(desk: Desk, run_id: str, who: Mapping[str, str], status: Status) -> tuple[Request, Run]:
    """The request as this person may answer it, or has answered it so already."""
    request = desk.ledger.approvals.of(run_id)
    if request is None:
        raise Refused("approval_unknown", f"no run {run_id} waits for approval", "see `keyturn approvals`")
    run, _ = desk.ledger.run(run_id)
    approval, actor = asked_for(run), who["requested_by"]
    if approval is None or role_of(actor) not in approval.approvers:
        raise Refused("not_an_approver", f"{actor} is none of the roles that may answer", _roles(request))
    if not request.waiting:
        if (request.status, request.by) != (status, actor):
            raise _taken(run_id)
        return request, run
    if run.status != "running" or not still_runs(desk, request):
        raise Refused("approval_unknown", f"the run {run_id} has ended", "see `keyturn history`")
    if request.expires_at <= desk.ledger.now():
        expire(desk, request)
        raise Refused("approval_expired", f"the run {run_id} waited until {request.expires_at}", "rotate again")
    return request, run


def _roles(request: Request) -> str:
    return f"ask somebody with one of the roles {', '.join(request.approvers)}"


def _taken(run_id: str) -> Refused:
    return Refused("already_answered", f"the run {run_id} does not wait any more", f"`keyturn history --run {run_id}`")


def _policy_now(desk: Desk, secret: str) -> str:
    try:
        return desk.catalogue.policy(secret).digest()
    except Refused as exc:
        if exc.reason != "unknown_secret":
            raise
        return ""


def _in_time(desk: Desk, run: Run) -> bool:
    """Whether the run may start now by its policy."""
    if run.emergency or run.break_glass or (run.current is None and run.requested_by != SWEEP):
        return True
    now = desk.ledger.now()
    return starts_at(from_document(run.policy), now) == now


def _answered(desk: Desk, request: Request) -> dict[str, Any]:
    return view(deliver(desk, request))


def withdraw(desk: Desk, run: Run, who: Mapping[str, str]) -> bool:
    """Undo a run that waits: nothing was done, so that only the wait has to end. Whether it waited."""
    request = desk.ledger.approvals.of(run.run_id) if run.status == "running" else None
    if request is None or not request.waiting:
        return False
    made = said(desk, request, who, Status.WITHDRAWN, Outcome.FAILED, "undo_asked")
    written = desk.ledger.approvals.put(request, made, *desk.ledger.turned(replace(run, direction=UNDO)))
    if written is None:
        raise _taken(run.run_id)
    deliver(desk, written)
    return True
