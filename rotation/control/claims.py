"""The first phase of each machine: `claim` for a rotation, `gate` for the end of an overlap.

A claim's owner is an execution, and it is free when that execution does not run any more: no clock decides.
Both are idempotent per execution: a repeated call answers what the first one did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from rotation.control.desk import Desk, run_id_of
from rotation.control.records import leftover_of
from rotation.errors import KeyturnError, NotFound, Refused, Throttled, Unavailable
from rotation.ledger.records import Head, Run
from rotation.phases import Outcome
from rotation.policy import Policy, from_document


class Claimed(TypedDict):
    """What the machine keeps of a claim: references only."""

    outcome: str
    reason: str
    run_id: str
    epoch: int
    function: str
    warm_up_s: int


class Request(TypedDict):
    """Who wants what, as the machine passes it on."""

    secret: str
    execution: str
    reason: str
    requested_by: str


def claim(desk: Desk, request: Request) -> Claimed:
    """Claim a secret for a rotation; outcome `failed` with a reason when it cannot be had."""
    return _answered(desk, request, "rotate")


def gate(desk: Desk, request: Request) -> Claimed:
    """Claim a secret to end its overlap, once that is over."""
    return _answered(desk, request, "retire")


def _answered(desk: Desk, request: Request, machine: str) -> Claimed:
    try:
        run = _known_run(desk, request) or _new_run(desk, request, machine)
    except (Throttled, Unavailable):
        raise
    except KeyturnError as exc:
        return Claimed(outcome=Outcome.FAILED, reason=exc.reason, run_id="", epoch=0, function="", warm_up_s=0)
    return Claimed(
        outcome=Outcome.PASSED,
        reason="",
        run_id=run.run_id,
        epoch=run.epoch,
        function=run.function,
        # the policy that was claimed, also when the catalogue has a newer one by now
        warm_up_s=from_document(run.policy).warm_up_s,
    )


def _known_run(desk: Desk, request: Request) -> Run | None:
    try:
        return desk.ledger.run(run_id_of(request["execution"]))[0]
    except NotFound:
        return None


def _new_run(desk: Desk, request: Request, machine: str) -> Run:
    desk.ledger.check_switch()
    policy = desk.catalogue.policy(request["secret"])
    head = desk.ledger.head(policy.name)
    _check_free(desk, head)
    _check_overlap(head, machine, desk.ledger.now())
    run = _run(request, policy, head, machine)
    function = desk.functions.pin(policy.store, run.run_id)
    leftover = _left_behind(desk, head)
    run = replace(run, function=function, started_at=desk.ledger.now(), leftover=leftover)
    return desk.ledger.claim(replace(head, leftover=leftover), run)


def _left_behind(desk: Desk, head: Head) -> str:
    """The run whose candidate may still be about: a failed one, or one whose execution ended without a record."""
    if not head.run_id:
        return head.leftover
    dead, steps = desk.ledger.run(head.run_id)
    return leftover_of(head, dead, steps)


def _run(request: Request, policy: Policy, head: Head, machine: str) -> Run:
    return Run(
        run_id=run_id_of(request["execution"]),
        secret=policy.name,
        machine=machine,
        epoch=head.epoch,
        execution=request["execution"],
        function="",
        policy=policy.document(),
        policy_digest=policy.digest(),
        reason=request["reason"],
        requested_by=request["requested_by"],
        started_at="",
        current=head.current,
        pending_token=head.pending_token,
        overlap=head.overlap if machine == "retire" else None,
    )


def _check_free(desk: Desk, head: Head) -> None:
    if head.run_id and desk.machines.running(head.execution):
        raise Refused(
            "claim_held",
            f"another run of {head.secret} is under way",
            "wait for it, or look at it with `keyturn history`",
        )


def _check_overlap(head: Head, machine: str, now: str) -> None:
    if machine == "rotate" and head.overlap:
        raise Refused(
            "overlap_open",
            f"the overlap of {head.secret} is open until {head.overlap.retire_at}",
            "wait until the old credential is retired",
        )
    if machine == "retire" and not head.overlap:
        raise Refused("no_open_overlap", f"{head.secret} has no open overlap to end", "see `keyturn status`")
    if machine == "retire" and head.overlap and now < head.overlap.retire_at:
        raise Refused(
            "overlap_not_over", f"the overlap of {head.secret} ends at {head.overlap.retire_at}", "wait until then"
        )
