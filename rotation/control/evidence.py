"""What a person says that they did by hand, held against the store, and kept as the evidence of a run.

The store's own function is asked which versions there are and when each was made; no value is read. The version has to
be there, be what readers get, and be younger than the one before it, in an emergency also than the asking. Whoever
repeats the command is told the same. The evidence and the head of the secret are written first, then the answer: a
crash between them is made up for by asking again, or by the sweep. Who may say so is whoever IAM lets; who it was is
kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rotation.contract import Version
from rotation.control.approvals import deliver, said, still_runs, view
from rotation.control.desk import Desk
from rotation.control.records import EVIDENCE
from rotation.errors import Refused
from rotation.handwork import Made
from rotation.ledger.approvals import REMINDER, Request, Status
from rotation.ledger.records import Run, StepRecord
from rotation.phases import Outcome
from rotation.policy import from_document

# The phase that waits for the person.
_PHASE = "approve"


def done(desk: Desk, secret: str, version: str, who: Mapping[str, str]) -> dict[str, Any]:
    """End a reminder: returns the request as it is kept.

    Refused `no_reminder`, `evidence_unknown`, `evidence_not_current`, `evidence_not_newer`, `already_answered`.
    """
    request, run, steps = _open(desk, desk.catalogue.policy(secret).name)
    kept = steps.get(EVIDENCE)
    if kept is not None and kept.done and kept.facts["version"] != version:
        raise _taken(run)
    if kept is None or not kept.done:
        _keep(desk, run, kept, _checked(desk, run, version), who)
    if request.waiting:
        made = replace(said(desk, request, who, Status.DONE, Outcome.DONE, ""), version=version)
        written = desk.ledger.approvals.put(request, made)
        if written is None:
            raise _taken(run)
        request = written
    return view(deliver(desk, request))


def _open(desk: Desk, secret: str) -> tuple[Request, Run, dict[str, StepRecord]]:
    run_id = desk.ledger.head(secret).run_id
    request = desk.ledger.approvals.of(run_id) if run_id else None
    if request is None or request.kind != REMINDER or not still_runs(desk, request):
        raise Refused(
            "no_reminder",
            f"nobody was reminded of {secret}, or it is done",
            f"`keyturn reminder list` shows what is; `keyturn rotate {secret}` begins one",
        )
    if request.status not in (Status.WAITING, Status.DONE):
        raise Refused("no_reminder", f"the reminder of {secret} was taken back", f"`keyturn rotate {secret}`")
    return request, *desk.ledger.run(run_id)


def _taken(run: Run) -> Refused:
    return Refused(
        "already_answered", f"the run {run.run_id} has other evidence already", f"`keyturn history --run {run.run_id}`"
    )


def _checked(desk: Desk, run: Run, version: str) -> Made:
    """The version as the store shows it."""
    secret, path = run.secret, from_document(run.policy).ref.path
    versions = desk.functions.versions(run.function, secret)["versions"]
    found = next((one for one in versions if one["id"] == version), None)
    if found is None:
        raise Refused(
            "evidence_unknown",
            f"the store has no such version of {path}",
            "put the new credential there; the answer names its version id",
        )
    if not found["current"]:
        raise Refused(
            "evidence_not_current",
            f"the version {version} of {path} is not what readers get",
            "make it current, or name the one that is",
        )
    if run.current is not None and not _younger(found, run.current, versions):
        raise Refused(
            "evidence_not_newer",
            f"the version {version} of {path} is no younger than {run.current.id}, which was there before",
            "change the credential, and put the new one there",
        )
    if run.emergency and datetime.fromisoformat(found["made_at"]) <= _asked_at(desk, run):
        raise Refused(
            "evidence_not_newer",
            f"the version {version} of {path} was there before the emergency: it may be what leaked",
            "change the credential, and put the new one there",
        )
    return found


def _asked_at(desk: Desk, run: Run) -> datetime:
    """When the emergency was asked for: its run may have had to wait."""
    row = desk.ledger.agenda.of(run.secret)
    asked = row.asked_at if row and row.urgent else run.started_at
    return datetime.fromisoformat(min(asked, run.started_at))


def _younger(found: Made, before: Version, versions: list[Made]) -> bool:
    """Whether it was made after the one before; one that the store has given up was made earlier for certain."""
    if found["id"] == before.id:
        return False
    return all(found["made_at"] > one["made_at"] for one in versions if one["id"] == before.id)


def _keep(desk: Desk, run: Run, earlier: StepRecord | None, made: Made, who: Mapping[str, str]) -> None:
    """The evidence as a step of the run, and the secret's head with it. No switch stops what has happened already."""
    begun = desk.ledger.now()
    record = StepRecord(
        step=EVIDENCE,
        phase=_PHASE,
        intent_at=earlier.intent_at if earlier else begun,
        begun_at=begun,
        intent={"version": made["id"]},
        attempts=earlier.attempts + 1 if earlier else 1,
        epoch=run.epoch,
    )
    desk.ledger.begin(run, record, undoing=True)
    facts = {
        "version": made["id"],
        "made_at": made["made_at"],
        "before": run.current.id if run.current else "",
        "by": who["requested_by"],
        "why": who["reason"],
        "outcome": Outcome.PASSED.value,
    }
    ended = replace(record, outcome_at=desk.ledger.now(), facts=facts)
    head = desk.ledger.head(run.secret)
    desk.ledger.promoted(run, ended, head, Version(id=made["id"]), head.pending_token)
