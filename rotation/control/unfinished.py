"""What is wrong with a run that holds its claim and that nobody works on; pure, like the other checks (`diagnosis`).

Halted by a switch, without its execution, or driven by Secrets Manager itself: what it had done tells which, and
whether it may go on. Not here: continuing it (`takeover`), giving it up (`giving_up`).
"""

from __future__ import annotations

from collections.abc import Mapping

from rotation.control.findings import Diagnosis, Findings
from rotation.control.undoable import back_from, stopped_by
from rotation.ledger.records import Run, StepRecord
from rotation.policy import from_document

_NATIVE = "native:"


def unfinished(found: Findings) -> Diagnosis | None:
    """The diagnosis of the run that holds the claim; None where none does."""
    run = found.unfinished
    if run is None:
        return None
    evidence = (
        f"run {run.run_id}, {run.machine}, steps: {_progress(found.steps)}",
        *found.told("store", "staged", "old"),
    )
    if run.execution.startswith(_NATIVE):
        return _native(found, run, evidence)
    if run.status == "halted":
        return _halted(found, run, evidence)
    does = f"go on with the run {run.run_id} at the step it had got to; it is undone if that had begun"
    kind, says = _how_far(found)
    return Diagnosis(kind=kind, says=says, evidence=evidence, action="resume", does=does, subject=run.run_id)


def _native(found: Findings, run: Run, evidence: tuple[str, ...]) -> Diagnosis:
    """A run that Secrets Manager drives: whose token is current or pending tells how far it came."""
    kind, says = _how_far(found)
    staged = found.steps.get("stage")
    if found.current and staged is not None and staged.facts.get("version") == found.current:
        does = f"go on with the run {run.run_id}: record its promotion and open its overlap"
        says = f"AWS's own rotation: {says}"
        return Diagnosis(kind=kind, says=says, evidence=evidence, action="resume", does=does, subject=run.run_id)
    pendings = found.inspected["pendings"] if found.inspected else None
    if pendings is not None and "promote" not in found.steps and all(one["owner"] != run.run_id for one in pendings):
        does = f"take the run {run.run_id} back; the current version is not touched"
        says = (
            "AWS's own rotation was given up: its token is pending no more, and Secrets Manager comes with another one"
        )
        return Diagnosis(kind=kind, says=says, evidence=evidence, action="undo", does=does, subject=run.run_id)
    path = from_document(run.policy).ref.path
    ask = (
        f"aws secretsmanager describe-secret --secret-id {path}",
        f"keyturn resume {run.run_id}",
        f"keyturn rollback {found.head.secret}",
    )
    says = (
        "AWS's own rotation holds the claim: Secrets Manager repeats it by itself while its token is AWSPENDING; "
        "when its rotation has failed, resume goes on with it and rollback takes it back"
    )
    return Diagnosis(kind="undecidable", says=says, evidence=evidence, ask=ask)


def _halted(found: Findings, run: Run, evidence: tuple[str, ...]) -> Diagnosis:
    says = f"the run was halted ({run.failure.get('reason', '')})"
    stopped = stopped_by(run, found.steps, found.stopped)
    undo, back = f"keyturn rollback {found.head.secret}", back_from(run, found.steps)
    if stopped:
        ask = (f"keyturn resume {run.run_id}", *([undo] if back else []))
        return Diagnosis(kind="halted", says=f"{says}, and {stopped} stops it now", evidence=evidence, ask=ask)
    instead = f" (`{undo}` {back})" if back else ""
    does = f"go on with the run {run.run_id}{instead}"
    return Diagnosis(kind="halted", says=says, evidence=evidence, action="resume", does=does, subject=run.run_id)


def _how_far(found: Findings) -> tuple[str, str]:
    pivot = found.steps.get("promote") or found.steps.get("revert")
    known = found.head.current.id if found.head.current else ""
    if pivot is not None and not pivot.done and found.current not in ("", known):
        return "ledger_behind", "the store has the new version as current, and the ledger does not know it yet"
    if any(step in found.steps for step in ("apply", "reinstate", "revoke")):
        return "half_applied_target", "the target was changed, and the run that did it has lost its execution"
    return "dead_claim", "the execution that holds the claim is gone, and its run is not ended"


def _progress(steps: Mapping[str, StepRecord]) -> str:
    ordered = sorted(steps.values(), key=lambda record: record.intent_at)
    return ", ".join(f"{one.step}{'' if one.done else ' (begun)'}" for one in ordered) or "none"
