"""The last phase of each machine: how the run ended, which overlap is open now, and the claim given back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from rotation.context import version_from, version_in
from rotation.contract import Verdict
from rotation.control.desk import run_id_of
from rotation.errors import NotFound
from rotation.invocation import Answer
from rotation.ledger.ledger import Ledger, timestamp
from rotation.ledger.records import Head, Overlap, Run, StepRecord
from rotation.phases import Outcome, phase_named
from rotation.policy import from_document

# `KeyturnError` ends its text with the reason in brackets.
_SLUG = re.compile(r"\[([a-z][a-z0-9_]+)\]")
_PASSED = Answer(outcome=Outcome.PASSED, reason="")


def record(ledger: Ledger, run_id: str) -> Answer:
    """The run succeeded; a rotation of an existing credential opens its overlap, a retirement closes it."""
    run, steps = ledger.run(run_id)
    if run.status == "running":
        ended = replace(run, status="succeeded", ended_at=ledger.now())
        head = replace(ledger.head(run.secret), leftover="" if run.machine == "rotate" else run.leftover)
        ledger.end(ended, head, overlap=_overlap(ended, steps))
    return _PASSED


def record_failure(ledger: Ledger, secret: str, execution: str, failure: Mapping[str, str]) -> Answer:
    """The run failed, and was undone as far as its undo steps say; the overlap stays as it was.

    Where only the phase `record` broke, every effect is done: its overlap is opened or closed here instead, so that the
    old credential is not left valid with nobody to retire it.
    """
    failure = _short(failure)
    try:
        run, steps = ledger.run(run_id_of(execution))
    except NotFound:
        ledger.end_unclaimed(_never_claimed(ledger, secret, execution, failure))
        return _PASSED
    if run.status != "running":
        return _PASSED
    ended = replace(run, status="failed", ended_at=ledger.now(), failure={**failure, **_left(failure, steps)})
    head = ledger.head(run.secret)
    staged = version_in(steps.get("stage"))
    if staged and _passed(steps.get("abandon")):
        # only then: the token of a version still pending would let the next run overwrite it
        head = replace(head, pending_token=staged.id)
    head = replace(head, leftover=leftover_of(head, run, steps))
    left_open = _overlap(ended, steps) if failure["phase"] == "record" else _still_open(head.overlap, run, steps)
    ledger.end(ended, head, overlap=left_open)
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
    hidden = "promote" not in steps or _passed(steps.get("demote"))
    undone = _passed(steps.get("withdraw")) and _passed(steps.get("abandon"))
    return run.run_id if hidden and not undone else ""


def _still_open(overlap: Overlap | None, run: Run, steps: Mapping[str, StepRecord]) -> Overlap | None:
    """The overlap after a failed run; the next retirement needs what this one saw before it began to revoke."""
    witness = steps.get("witness")
    if overlap is None or witness is None or "revoke" not in steps:
        return overlap
    if witness.facts.get("old_verdict") == Verdict.ACCEPTED:
        return replace(overlap, witnessed_by=run.run_id)
    return overlap


def _left(failure: Mapping[str, str], steps: Mapping[str, StepRecord]) -> dict[str, str]:
    """What an undoing phase could not undo, by the names of its steps."""
    undoing = phase_named(failure["phase"]).on_failure
    if undoing == "record_failure":
        return {}
    open_steps = [s for s in phase_named(undoing).steps if not _passed(steps.get(s))]
    return {"not_undone": " ".join(open_steps)} if open_steps else {}


def _passed(record: StepRecord | None) -> bool:
    return record is not None and record.facts.get("outcome") == Outcome.PASSED


def _overlap(run: Run, steps: Mapping[str, StepRecord]) -> Overlap | None:
    if run.machine == "retire":
        return None
    old = version_from(steps["stage"].intent)
    new = version_in(steps["promote"])
    if old is None or new is None:
        return None
    seconds = from_document(run.policy).overlap_s
    ends = datetime.fromisoformat(run.ended_at) + timedelta(seconds=seconds)
    return Overlap(run_id=run.run_id, old=old, new=new, retire_at=timestamp(ends))


def _never_claimed(ledger: Ledger, secret: str, execution: str, failure: Mapping[str, str]) -> Run:
    now = ledger.now()
    machine = "retire" if failure["phase"] == "gate" else "rotate"
    return Run(
        run_id=run_id_of(execution),
        secret=secret,
        machine=machine,
        epoch=0,
        execution=execution,
        function="",
        policy="",
        policy_digest="",
        reason="",
        requested_by="",
        started_at=now,
        ended_at=now,
        status="failed",
        failure=dict(failure),
    )
