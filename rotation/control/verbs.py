"""What people and the schedule ask of control: start a run, see where things stand. Nothing here touches a store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from rotation.control.desk import Desk, run_id_of
from rotation.errors import Conflict
from rotation.ledger.records import Head, Run, StepRecord
from rotation.policy import Policy

# Step Functions allows 80 characters in an execution's name; a readable start of the secret and a hash of the rest.
_NAME_CHARS = 80
_HASH_CHARS = 24
# A slot is ten minutes, two intervals of the sweep: `2026-01-01T00:0` of a time.
_SLOT_CHARS = 15


def rotate(desk: Desk, secret: str, reason: str, requested_by: str) -> dict[str, str]:
    """Start a rotation; returns `{execution, run_id}`. Refused `unknown_secret`."""
    policy = desk.catalogue.policy(secret)
    return _start(desk, "rotate", policy.name, {"reason": reason, "requested_by": requested_by})


def retire(desk: Desk, secret: str, reason: str, requested_by: str) -> dict[str, str]:
    """Start the end of an overlap; returns `{execution, run_id}`. The machine's gate refuses what is not due."""
    policy = desk.catalogue.policy(secret)
    return _start(desk, "retire", policy.name, {"reason": reason, "requested_by": requested_by})


def sweep(desk: Desk) -> list[str]:
    """Start `retire` for every overlap that is over; returns the names it started. Twice at once starts nothing twice.

    What fails before its claim is started again in the next slot, under a new name: a name is used up for 90 days.
    """
    now = desk.ledger.now()
    return [secret for secret in desk.ledger.due_retirements(now) if _start_due(desk, secret, now[:_SLOT_CHARS])]


def _start_due(desk: Desk, secret: str, slot: str) -> bool:
    head = desk.ledger.head(secret)
    # the index lags, and a retirement may take longer than the sweep's interval
    if head.overlap is None or (head.run_id and desk.machines.running(head.execution)):
        return False
    payload = {"secret": secret, "reason": "overlap over", "requested_by": "sweep"}
    try:
        desk.machines.start("retire", execution_name("retire", secret, f"{head.rev} {slot}"), payload)
    except Conflict:
        return False
    return True


def _start(desk: Desk, machine: str, secret: str, who: Mapping[str, str]) -> dict[str, str]:
    head = desk.ledger.head(secret)
    name = execution_name(machine, secret, head.rev)
    try:
        execution = desk.machines.start(machine, name, {"secret": secret, **who})
    except Conflict:
        # asked for twice, or a run failed before it changed the ledger: under a fresh name the claim decides
        execution = desk.machines.start(
            machine, execution_name(machine, secret, f"{head.rev} {desk.ledger.now()}"), {"secret": secret, **who}
        )
    return {"execution": execution, "run_id": run_id_of(execution)}


def execution_name(machine: str, secret: str, attempt: object) -> str:
    """A legal execution name: letters, digits and dashes, one per secret and attempt."""
    digest = hashlib.sha256(f"{machine} {secret} {attempt}".encode()).hexdigest()[:_HASH_CHARS]
    readable = "".join(c if c.isascii() and c.isalnum() else "-" for c in f"{machine}-{secret}")
    return f"{readable[: _NAME_CHARS - _HASH_CHARS - 1]}-{digest}"


def status(desk: Desk, secrets: list[str]) -> list[dict[str, Any]]:
    """Per secret: policy in short, current version, claim, open overlap, last run. All secrets when none is named."""
    return [_standing(desk, name) for name in secrets or desk.catalogue.names()]


def _standing(desk: Desk, name: str) -> dict[str, Any]:
    policy = desk.catalogue.policy(name)
    head = desk.ledger.head(name)
    runs = desk.ledger.history(name)
    return {
        "secret": name,
        "policy": _policy_in_short(policy),
        "head": _head_in_short(head),
        "last_run": run_view(runs[-1]) if runs else None,
    }


def _policy_in_short(policy: Policy) -> dict[str, Any]:
    keep = ("store", "path", "credential", "cadence", "warm_up_s", "overlap_s", "owner", "runbook")
    return {name: value for name, value in asdict(policy).items() if name in keep} | {"digest": policy.digest()}


def _head_in_short(head: Head) -> dict[str, Any]:
    return {name: value for name, value in asdict(head).items() if name not in ("secret", "rev")}


def run(desk: Desk, run_id: str) -> dict[str, Any]:
    """One run with its steps, in order of their intents. NotFound `run_unknown`."""
    found, steps = desk.ledger.run(run_id)
    ordered = sorted(steps.values(), key=lambda s: s.intent_at)
    return {**run_view(found), "steps": [_step_view(step) for step in ordered]}


def history(desk: Desk, secret: str) -> list[dict[str, Any]]:
    """The secret's runs, oldest first."""
    return [run_view(found) for found in desk.ledger.history(desk.catalogue.policy(secret).name)]


def run_view(found: Run) -> dict[str, Any]:
    """A run without its policy's text."""
    return asdict(replace(found, policy=""))


def _step_view(step: StepRecord) -> dict[str, Any]:
    return asdict(step)
