"""What people ask of control: start a run, go on with it, take it back, see where things stand.

Nothing here touches a store: the machines do. `who` is `{reason, requested_by}`, the latter the verified caller.
Not here: what stops runs (`brakes`), what mends them (`repair`), what the sweep starts by itself (`starts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from rotation.control import asked
from rotation.control.desk import Desk
from rotation.control.starts import resume as start_resume
from rotation.control.starts import start
from rotation.control.takeover import check_continuable
from rotation.control.undoable import horizon, way_back
from rotation.errors import Refused
from rotation.ledger.moments import timestamp
from rotation.ledger.records import Head, Overlap, Run, StepRecord
from rotation.ledger.switch import Who
from rotation.policy import Policy

# Longest an overlap may be drawn out from now: two valid credentials are one too many.
MAX_OVERLAP = timedelta(days=90)


def rotate(desk: Desk, secret: str, who: Mapping[str, str], flags: str = "") -> dict[str, str]:
    """Start a rotation; returns `{execution, run_id}`. Refused `unknown_secret`."""
    policy = desk.catalogue.policy(secret)
    return start(desk, "rotate", policy.name, {**who, "flags": flags})


def retire(desk: Desk, secret: str, who: Mapping[str, str], flags: str = "") -> dict[str, str]:
    """Start the end of an overlap; returns `{execution, run_id}`. The machine's gate refuses what is not due."""
    policy = desk.catalogue.policy(secret)
    return start(desk, "retire", policy.name, {**who, "flags": flags})


def overlap_close(desk: Desk, secret: str, who: Mapping[str, str], flags: str = "") -> dict[str, str]:
    """End an overlap now: returns `{execution, run_id, retire_at}`. Refused `no_open_overlap`, `claim_held`."""
    head, overlap = _open_overlap(desk, secret)
    now = desk.ledger.now()
    if overlap.retire_at > now:
        head = desk.ledger.amend(head, _who(who, "overlap_close"), overlap=replace(overlap, retire_at=now))
    return {**retire(desk, head.secret, who, flags), "retire_at": min(overlap.retire_at, now)}


def overlap_extend(desk: Desk, secret: str, who: Mapping[str, str], seconds: int) -> dict[str, str]:
    """Put off the end of an overlap: returns `{secret, retire_at}`. Refused `bad_extension`, and as `overlap_close`."""
    head, overlap = _open_overlap(desk, secret)
    now = datetime.fromisoformat(desk.ledger.now())
    ends = max(now, datetime.fromisoformat(overlap.retire_at)) + timedelta(seconds=seconds)
    if seconds <= 0 or ends > now + MAX_OVERLAP:
        raise Refused(
            "bad_extension",
            f"an overlap is drawn out by seconds, to at most {MAX_OVERLAP.days} days from now",
            "name a shorter time, or close it with `keyturn overlap close`",
        )
    if overlap.emergency or overlap.witnessed_by:
        why = "was opened in an emergency" if overlap.emergency else "is being ended: the old credential may be dead"
        raise Refused("overlap_ending", f"the overlap of {head.secret} {why}", f"`keyturn repair {head.secret}`")
    put_off = replace(overlap, retire_at=timestamp(ends))
    desk.ledger.amend(head, _who(who, "overlap_extend"), overlap=put_off)
    return {"secret": head.secret, "retire_at": put_off.retire_at}


def _open_overlap(desk: Desk, secret: str) -> tuple[Head, Overlap]:
    name = desk.catalogue.policy(secret).name
    head = desk.ledger.head(name)
    if head.overlap is None:
        raise Refused("no_open_overlap", f"{name} has no open overlap", f"see `keyturn status {name}`")
    if head.run_id:
        raise Refused("claim_held", f"the run {head.run_id} of {name} is not ended", "wait for it: `keyturn history`")
    return head, head.overlap


def rollback(desk: Desk, secret: str, who: Mapping[str, str], flags: str = "") -> dict[str, str]:
    """Undo the run that is not ended, or go back over the last rotation; returns `{execution, run_id, kind}`.

    Refused `nothing_to_roll_back`, `old_leaked`, `beyond_horizon`, `claim_held`, `cannot_undo`.
    """
    name = desk.catalogue.policy(secret).name
    head = desk.ledger.head(name)
    if head.run_id:
        unfinished, steps = desk.ledger.run(head.run_id)
        check_continuable(desk, head, unfinished, undo=True)
        if unfinished.emergency and "promote" in steps:
            raise Refused(
                "old_leaked",
                f"the run {unfinished.run_id} replaces in an emergency what readers would get back",
                f"go on with it: `keyturn resume {unfinished.run_id}`",
            )
        return {**start_resume(desk, unfinished, {**who, "flags": asked.UNDO}), "kind": "undo"}
    way_back(head)
    return {**start(desk, "rollback", name, {**who, "flags": flags}), "kind": "rollback"}


def resume(desk: Desk, run_id: str, who: Mapping[str, str], flags: str = "") -> dict[str, str]:
    """Go on with a run that was halted or lost its execution. Refused `run_ended`, `claim_held`, `claim_lost`."""
    found, _ = desk.ledger.run(run_id)
    check_continuable(desk, desk.ledger.head(found.secret), found, undo=False)
    return start_resume(desk, found, {**who, "flags": flags})


def _who(who: Mapping[str, str], verb: str) -> Who:
    return Who(actor=who["requested_by"], reason=who["reason"], verb=verb)


def status(desk: Desk, secrets: list[str]) -> list[dict[str, Any]]:
    """Per secret: policy in short, current version, claim, open overlap, last run. All secrets when none is named."""
    return [_standing(desk, name) for name in secrets or desk.catalogue.names()]


def _standing(desk: Desk, name: str) -> dict[str, Any]:
    policy = desk.catalogue.policy(name)
    head = desk.ledger.head(name)
    runs = desk.ledger.history(name)
    freeze = desk.ledger.switchboard.freeze_of(name)
    return {
        "secret": name,
        "policy": _policy_in_short(policy),
        "head": _head_in_short(head),
        "rollback": horizon(head),
        "freeze": asdict(freeze) if freeze else None,
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
