"""The last phase of each machine: how the run ended, which overlap is open now, and the claim given back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from rotation.context import version_from, version_in
from rotation.contract import Verdict, Version
from rotation.control.asked import Asked
from rotation.errors import Fenced, NotFound, Unavailable
from rotation.invocation import Answer
from rotation.ledger.ledger import Ledger
from rotation.ledger.moments import timestamp
from rotation.ledger.records import BACK, UNDO, Head, Overlap, Run, StepRecord, passed
from rotation.phases import FIRST, TABLES, TELLING, Outcome, phase_named
from rotation.policy import from_document

# `KeyturnError` ends its text with the reason in brackets.
_SLUG = re.compile(r"\[([a-z][a-z0-9_]+)\]")
# The step that keeps what a person did by hand.
EVIDENCE = "evidence"
_PASSED = Answer(outcome=Outcome.PASSED, reason="")


def record(ledger: Ledger, run_id: str) -> Answer:
    """The run succeeded: a rotation or rollback opens its overlap, a retirement closes it.

    Not one that is being undone by another execution: the event of the one before came late.
    """
    run, steps = ledger.run(run_id)
    if run.status == "running" and not run.undoing:
        ended = replace(run, status="succeeded", ended_at=ledger.now())
        head = ledger.head(run.secret)
        if run.machine == "retire":
            head = replace(head, retired=_ended(run, steps))
        if run.machine == "rotate":
            head = replace(head, leftover="")
        ledger.end(ended, head, overlap=_overlap(ended, steps, head))
    return _PASSED


def record_failure(ledger: Ledger, asked: Asked, failure: Mapping[str, str]) -> Answer:
    """The run failed, and was undone as far as its undo steps say; the overlap stays as it was.

    Where only the phase `record` broke, every effect is done: its overlap is opened or closed here instead, so that the
    old credential is not left valid with nobody to retire it. An execution that was refused to take over a run leaves
    that run as it is, and so does an undoing that could not bring the old version back to readers.
    """
    failure = _short(failure)
    try:
        run, steps = ledger.run(asked.run_id)
    except NotFound:
        return _end_unclaimed(ledger, _never_claimed(ledger, asked, failure, "failed"))
    if run.status != "running" or run.execution != asked.execution:
        return _PASSED
    if run.takeovers and failure["phase"] in FIRST and not run.undoing:
        # nothing was done under this execution: the run is as unfinished as it was
        return _PASSED
    left = _left(run, failure, steps)
    if (left and (moved_current(steps) or "reinstate" in steps)) or _half_disposed(run, failure, steps):
        # readers may have the new version, or the old one is dead: whoever takes the run over goes on with it
        ledger.park(replace(run, status="stuck", failure={**failure, **left}), watched=True)
        return _PASSED
    status = "undone" if run.direction == UNDO and not left else "failed"
    ended = replace(run, status=status, ended_at=ledger.now(), failure={**_why(run, failure), **left})
    head = ledger.head(run.secret)
    staged = version_in(steps.get("stage"))
    if staged and passed(steps.get("abandon")):
        # only then: the token of a version still pending would let the next run overwrite it
        head = replace(head, pending_token=staged.id)
    head = replace(head, leftover=leftover_of(head, run, steps))
    done = failure["phase"] == "record" or _reverted(steps) is not None
    if done and run.machine == "retire":
        head = replace(head, retired=_ended(run, steps))
    left_open = _overlap(ended, steps, head) if done else still_open(head.overlap, run, steps)
    ledger.end(ended, head, overlap=left_open)
    return _PASSED


def _why(run: Run, failure: Mapping[str, str]) -> dict[str, str]:
    """What the run failed on in the first place, where another execution only ended its undoing."""
    earlier = {name: text for name, text in run.failure.items() if name != "not_undone"}
    return earlier if run.direction == BACK and earlier else dict(failure)


def record_halt(ledger: Ledger, asked: Asked, failure: Mapping[str, str]) -> Answer:
    """A switch stopped the run: it is parked with its claim. One that never had a claim is over; nothing was done.

    Where it stopped an execution at its claim that was to go on with a halted run, that run is told what stops it now.
    """
    failure = _short(failure)
    try:
        run, _ = ledger.run(asked.run_id)
    except NotFound:
        status = "reported" if failure["reason"] == "report_only" else "failed"
        return _end_unclaimed(ledger, _never_claimed(ledger, asked, failure, status))
    if run.status == "running" and run.execution == asked.execution:
        ledger.park(replace(run, status="halted", failure=dict(failure)))
    elif run.status == "halted" and run.failure.get("reason") != failure["reason"]:
        try:
            ledger.park(replace(run, failure={**run.failure, "reason": failure["reason"]}))
        except Fenced:
            # another execution has taken it over since: what stopped this one stops it no more
            return _PASSED
    return _PASSED


def _short(failure: Mapping[str, str]) -> dict[str, str]:
    """The failure with its cause cut down to the slug of the error that a function raised; the rest is in its log."""
    slugs = _SLUG.findall(failure.get("cause", ""))
    kept = {name: text for name, text in failure.items() if name != "cause"}
    return {**kept, "cause": slugs[0]} if slugs else kept


def leftover_of(head: Head, run: Run, steps: Mapping[str, StepRecord]) -> str:
    """The run whose candidate is still about: this one, or the one that it was to settle first and could not.

    Only a candidate that readers never got, or no longer get, may be withdrawn later.
    """
    if "stage" not in steps:
        return head.leftover
    undone = passed(steps.get("withdraw")) and passed(steps.get("abandon"))
    return run.run_id if not moved_current(steps) and not undone else ""


def _half_disposed(run: Run, failure: Mapping[str, str], steps: Mapping[str, StepRecord]) -> bool:
    """A retirement that has proven the old one dead, and may have given up the version that another would read."""
    return run.machine == "retire" and failure["phase"] != "record" and passed(steps.get("prove"))


def moved_current(steps: Mapping[str, StepRecord]) -> bool:
    """Whether a rotation made its version current, or may have, and did not take that back."""
    return "promote" in steps and not passed(steps.get("demote"))


def still_open(overlap: Overlap | None, run: Run, steps: Mapping[str, StepRecord]) -> Overlap | None:
    """The overlap after a failed run; the next retirement needs what this one saw before it began to revoke."""
    witness = steps.get("witness")
    if overlap is None or witness is None or "revoke" not in steps:
        return overlap
    if witness.facts.get("old_verdict") == Verdict.ACCEPTED:
        return replace(overlap, witnessed_by=run.run_id)
    return overlap


def _left(run: Run, failure: Mapping[str, str], steps: Mapping[str, StepRecord]) -> dict[str, str]:
    """What an undoing phase could not undo, by the names of its steps."""
    phase = phase_named(failure["phase"])
    undoing = phase.on_undo if run.undoing else phase.on_failure
    if undoing in ("", "record_failure"):
        return {}
    open_steps = [s for s in phase_named(undoing).steps if s not in TELLING and not passed(steps.get(s))]
    return {"not_undone": " ".join(open_steps)} if open_steps else {}


def _overlap(run: Run, steps: Mapping[str, StepRecord], head: Head) -> Overlap | None:
    """What is open after a run whose effects are done."""
    if run.machine == "retire" or EVIDENCE in steps:
        # what a person replaced by hand nobody can revoke or show to its target
        return None
    if run.machine == "rotate":
        old, new = version_from(steps["stage"].intent), version_in(steps["promote"])
        horizon, limited_by = _horizon(steps["promote"].facts)
        old_id, new_id = run.version, run.run_id
    else:
        way, new = run.overlap, _reverted(steps)
        old = way.new if way else None
        horizon, limited_by = (way.horizon, way.limited_by) if way else (0, "")
        old_id, new_id = (way.new_id, way.old_id) if way else ("", "")
    if old is None or new is None:
        return head.overlap if run.machine == "repair" else None
    return Overlap(
        run_id=run.run_id,
        old=old,
        new=new,
        retire_at=_retire_at(run),
        emergency=run.emergency,
        horizon=horizon,
        limited_by=limited_by,
        old_id=old_id,
        new_id=new_id,
    )


def _retire_at(run: Run) -> str:
    seconds = 0 if run.emergency else from_document(run.policy).overlap_s
    return timestamp(datetime.fromisoformat(run.ended_at) + timedelta(seconds=seconds))


def _horizon(facts: Mapping[str, str]) -> tuple[int, str]:
    """As the step `promote` noted it; a function of an older version did not."""
    return int(facts.get("horizon", "1")), facts.get("limited_by", "")


def _reverted(steps: Mapping[str, StepRecord]) -> Version | None:
    """What a rollback made current, also where only its undoing found that out."""
    return version_in(steps.get("revert")) or version_in(steps.get("forgo"))


def _ended(run: Run, steps: Mapping[str, StepRecord]) -> Overlap | None:
    """The overlap that a retirement ended, with what became of the old version."""
    disposed = steps["dispose"].facts.get("disposed", "") if "dispose" in steps else ""
    return replace(run.overlap, disposed=disposed) if run.overlap else None


def _end_unclaimed(ledger: Ledger, run: Run) -> Answer:
    try:
        ledger.end_unclaimed(run)
    except Fenced as exc:
        # the next attempt finds the run, and ends it with its claim
        raise Unavailable("claimed_late", "a late invocation has got the claim after all", "it is asked again") from exc
    return _PASSED


def _never_claimed(ledger: Ledger, asked: Asked, failure: Mapping[str, str], status: str) -> Run:
    now = ledger.now()
    machine = next(name for name, table in TABLES.items() if failure["phase"] == table[0].name)
    return Run(
        run_id=asked.run_id,
        secret=asked.secret,
        machine=machine,
        epoch=0,
        execution=asked.execution,
        function="",
        policy="",
        policy_digest="",
        reason=asked.reason,
        requested_by=asked.requested_by,
        started_at=now,
        ended_at=now,
        status=status,
        failure=dict(failure),
    )
