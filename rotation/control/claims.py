"""The first phase of each machine: who may work on a secret now, and under which epoch.

A claim's owner is an execution, and it is free when that execution does not run any more: no clock decides.
All are idempotent per execution: a repeated call answers what the first one did. A run whose execution is gone is
continued under `resume` by another one (`takeover`): same run, same version in the store, new epoch.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from rotation.control import approvals, takeover
from rotation.control.agreed import check_claim
from rotation.control.asked import Asked
from rotation.control.desk import Desk
from rotation.control.followed import followed
from rotation.control.records import EVIDENCE, leftover_of
from rotation.control.signals import Finding
from rotation.control.undoable import way_back
from rotation.errors import Halted, KeyturnError, NotFound, Refused, Throttled, Unavailable
from rotation.ledger.records import BACK, UNDO, Head, Overlap, Run, StepRecord, passed
from rotation.phases import Outcome
from rotation.policy import Policy, from_document

_WHY_BACK = {UNDO: "undo_asked", BACK: "undo_begun"}


class Claimed(TypedDict):
    """What the machine keeps of a claim: references only."""

    outcome: str
    reason: str
    run_id: str
    epoch: int
    function: str
    warm_up_s: int


def claim(desk: Desk, asked: Asked) -> Claimed:
    """Claim a secret for a rotation; outcome `failed` with a reason when it cannot be had."""
    return _answered(desk, asked, "rotate")


def gate(desk: Desk, asked: Asked) -> Claimed:
    """Claim a secret to end its overlap, once that is over."""
    return _answered(desk, asked, "retire")


def claim_rollback(desk: Desk, asked: Asked) -> Claimed:
    """Claim a secret to go back to the version before."""
    return _answered(desk, asked, "rollback")


def claim_repair(desk: Desk, asked: Asked) -> Claimed:
    """Claim a secret to remove a pending version that no run owns."""
    return _answered(desk, asked, "repair")


def _answered(desk: Desk, asked: Asked, machine: str) -> Claimed:
    try:
        run, steps = _known_run(desk, asked) or (_new_run(desk, asked, machine), {})
        outcome = _outcome(desk, run, steps)
    except (Throttled, Unavailable):
        raise
    except Halted as exc:
        return _nothing(Outcome.HALTED, exc.reason)
    except takeover.TooEarly:
        return _nothing(Outcome.UNOBSERVED, "earlier_invocation_may_work")
    except KeyturnError as exc:
        return _nothing(Outcome.FAILED, exc.reason)
    return Claimed(
        outcome=outcome,
        reason=_WHY_BACK.get(run.direction, ""),
        run_id=run.run_id,
        epoch=run.epoch,
        function=run.function,
        warm_up_s=_warm_up_left(run, steps, desk.ledger.now()),
    )


def _outcome(desk: Desk, run: Run, steps: dict[str, StepRecord]) -> Outcome:
    if run.undoing:
        return Outcome.UNDO
    if passed(steps.get(EVIDENCE)):
        return Outcome.DONE
    return Outcome.APPROVAL if approvals.needed(desk, run, steps) else Outcome.PASSED


def _nothing(outcome: Outcome, reason: str) -> Claimed:
    return Claimed(outcome=outcome, reason=reason, run_id="", epoch=0, function="", warm_up_s=0)


def _warm_up_left(run: Run, steps: dict[str, StepRecord], now: str) -> int:
    """Of the policy that was claimed, also when the catalogue has a newer one by now; less what has passed already."""
    whole, test = from_document(run.policy).warm_up_s, steps.get("test")
    if test is None or not test.outcome_at:
        return whole
    passed = datetime.fromisoformat(now) - datetime.fromisoformat(test.outcome_at)
    return max(0, whole - int(passed.total_seconds()))


def _known_run(desk: Desk, asked: Asked) -> tuple[Run, dict[str, StepRecord]] | None:
    try:
        run, steps = desk.ledger.run(asked.run_id)
    except NotFound:
        if asked.resume:
            raise
        return None
    if run.execution == asked.execution and run.status == "failed" and not run.epoch:
        # it was refused, and recorded so: an event that comes again does not claim behind that record
        raise Refused(run.failure["reason"], f"the run {run.run_id} was refused", "start another one")
    if run.execution == asked.execution:
        return run, steps
    return takeover.take_over(desk, asked, run, steps), steps


def _new_run(desk: Desk, asked: Asked, machine: str) -> Run:
    # a rotation begins something new; everything else ends what was begun, under a policy that may be gone by now
    policy = desk.catalogue.policy(asked.secret) if machine == "rotate" else followed(desk, asked.secret).policy
    head = desk.ledger.head(policy.name)
    if head.run_id == asked.run_id:
        # another invocation of this very claim was faster
        return desk.ledger.run(head.run_id)[0]
    table = takeover.same_table(desk.table_id(), head)
    dead = _check_free(desk, head)
    overlap = _checked_overlap(desk.ledger.now(), head, machine, asked)
    run = _run(asked, policy, head, machine)
    function = desk.functions.pin(policy.store, run.run_id)
    leftover = leftover_of(head, *dead) if dead else head.leftover
    now = desk.ledger.now()
    run = replace(run, function=function, started_at=now, leftover=leftover, overlap=overlap)
    lost = takeover.lost(dead[0], now) if dead else None
    claimed = desk.ledger.claim(replace(head, leftover=leftover, table=table), run, lost=lost)
    if claimed.break_glass:
        desk.signals.tell(Finding.BREAK_GLASS)
    return claimed


def _run(asked: Asked, policy: Policy, head: Head, machine: str) -> Run:
    return Run(
        run_id=asked.run_id,
        secret=policy.name,
        machine=machine,
        epoch=head.epoch,
        execution=asked.execution,
        function="",
        policy=policy.document(),
        policy_digest=policy.digest(),
        reason=asked.reason,
        requested_by=asked.requested_by,
        started_at="",
        current=head.current,
        pending_token=head.pending_token,
        emergency=asked.emergency,
        break_glass=asked.break_glass,
        clear=asked.clear,
        unacknowledged=asked.unacknowledged,
    )


def _check_free(desk: Desk, head: Head) -> tuple[Run, dict[str, StepRecord]] | None:
    """The run whose execution is gone without a record, if there is one that a new run may simply take the place of."""
    if not head.run_id:
        return None
    if desk.machines.running(head.execution):
        raise Refused(
            "claim_held",
            f"another run of {head.secret} is under way",
            "wait for it, or look at it with `keyturn history`",
        )
    return takeover.given_up(desk.ledger, head)


def _checked_overlap(now: str, head: Head, machine: str, asked: Asked) -> Overlap | None:
    """The overlap that the run is about; Refused where one is open that must not be, or none that must."""
    if machine == "rollback":
        way = way_back(head)
        check_claim(head, way, asked)
        return way
    if machine == "rotate" and head.overlap:
        raise Refused(
            "overlap_open",
            f"the overlap of {head.secret} is open until {head.overlap.retire_at}",
            f"wait until the old credential is retired, or `keyturn overlap close {head.secret}`",
        )
    if machine != "retire":
        return None
    if not head.overlap:
        raise Refused("no_open_overlap", f"{head.secret} has no open overlap to end", "see `keyturn status`")
    if now < head.overlap.retire_at:
        raise Refused(
            "overlap_not_over",
            f"the overlap of {head.secret} ends at {head.overlap.retire_at}",
            f"wait until then, or `keyturn overlap close {head.secret}`",
        )
    return head.overlap
