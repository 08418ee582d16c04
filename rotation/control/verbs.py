"""What people ask of control: start a run, go on with it, take it back, see where things stand.

Nothing here touches a store: the machines do. `who` is `{reason, requested_by}`, the latter the verified caller.
Not here: what stops runs (`brakes`), what mends them (`repair`), what the sweep starts by itself (`starts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from rotation.control import agreed, answering, asked
from rotation.control.approvals import view_of
from rotation.control.awaited import check
from rotation.control.consumers import in_short
from rotation.control.desk import Desk
from rotation.control.followed import followed, left_open
from rotation.control.giving_up import give_up
from rotation.control.holds import check_held
from rotation.control.starts import resume as start_resume
from rotation.control.starts import start
from rotation.control.takeover import check_continuable
from rotation.control.undoable import horizon, way_back
from rotation.errors import Refused
from rotation.ledger import switch
from rotation.ledger.moments import timestamp
from rotation.ledger.records import Head, Overlap, Run, StepRecord
from rotation.ledger.switch import Who
from rotation.policy import Policy

# Longest an overlap may be drawn out from now: two valid credentials are one too many.
MAX_OVERLAP = timedelta(days=90)


def rotate(desk: Desk, secret: str, who: Mapping[str, str], flags: str = "") -> dict[str, str]:
    """Start a rotation; returns `{execution, run_id}`. Refused `unknown_secret`, and by what holds it (`holds`).

    An emergency does not wait for an overlap that is open: that is ended first, `{execution, run_id, retire_at, first:
    "retire"}`, and its last phase starts the rotation (`endings`). Refused `claim_held` while a run has the secret.
    """
    policy = desk.catalogue.policy(secret)
    check_held(desk, policy, flags)
    if asked.EMERGENCY in flags.split() and desk.ledger.head(policy.name).overlap:
        return {**overlap_close(desk, policy.name, who, flags), "first": "retire"}
    return start(desk, "rotate", policy.name, {**who, "flags": flags})


def retire(desk: Desk, secret: str, who: Mapping[str, str], flags: str = "") -> dict[str, str]:
    """Start the end of an overlap; returns `{execution, run_id}`. The machine's gate refuses what is not due.

    Refused `not_acknowledged` while consumers still need the old credential.
    """
    policy = followed(desk, secret).policy
    check(desk, policy, flags)
    return start(desk, "retire", policy.name, {**who, "flags": flags})


def overlap_close(desk: Desk, secret: str, who: Mapping[str, str], flags: str = "") -> dict[str, str]:
    """End an overlap now: returns `{execution, run_id, retire_at}`.

    Refused `no_open_overlap`, `claim_held`, `not_acknowledged`; Halted where something stops runs: the end of the
    overlap stays what it was, and no later sweep ends it.
    """
    head, overlap = _open_overlap(desk, secret)
    # before anything is changed
    check(desk, followed(desk, head.secret).policy, flags)
    now, break_glass = desk.ledger.now(), asked.BREAK_GLASS in flags.split()
    desk.ledger.switchboard.check(head.secret, break_glass=break_glass)
    if overlap.retire_at > now:
        guards = switch.guards(head.secret, now, break_glass=break_glass)
        ended = replace(overlap, retire_at=now)
        head = desk.ledger.amend(head, _who(who, "overlap_close"), guards, overlap=ended)
    started = start(desk, "retire", head.secret, {**who, "flags": flags})
    return {**started, "retire_at": min(overlap.retire_at, now)}


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
    name = followed(desk, secret).policy.name
    head = desk.ledger.head(name)
    if head.overlap is None:
        raise Refused("no_open_overlap", f"{name} has no open overlap", f"see `keyturn status {name}`")
    if head.run_id:
        raise Refused("claim_held", f"the run {head.run_id} of {name} is not ended", "wait for it: `keyturn history`")
    return head, head.overlap


def rollback(
    desk: Desk, secret: str, who: Mapping[str, str], flags: str = "", seen: agreed.Agreed | None = None
) -> dict[str, str]:
    """Undo the run that is not ended, or go back over the last rotation; returns `{execution, run_id, kind}`.

    seen: what the caller agreed to; Refused `diagnosis_changed` where that is not what would be done.
    Refused `nothing_to_roll_back`, `old_leaked`, `beyond_horizon`, `claim_held`, `cannot_undo`.
    """
    name = followed(desk, secret).policy.name
    head = desk.ledger.head(name)
    if head.run_id:
        agreed.check_undo(head, seen)
        unfinished, steps = desk.ledger.run(head.run_id)
        if answering.withdraw(desk, unfinished, who):
            # its execution is still there, and ends it
            return {"execution": unfinished.execution, "run_id": unfinished.run_id, "kind": "undo"}
        if unfinished.machine == "retire":
            give_up(desk, head, unfinished, steps, who)
            return {"execution": unfinished.execution, "run_id": unfinished.run_id, "kind": "undo"}
        check_continuable(desk, head, unfinished, undo=True)
        if unfinished.emergency and "promote" in steps:
            raise Refused(
                "old_leaked",
                f"the run {unfinished.run_id} replaces in an emergency what readers would get back",
                f"go on with it: `keyturn resume {unfinished.run_id}`",
            )
        return {**start_resume(desk, unfinished, {**who, "flags": asked.UNDO}), "kind": "undo"}
    way = way_back(head)
    agreed.check_way(head, way, seen)
    flags = f"{flags} {agreed.words(head, way)}".strip()
    return {**start(desk, "rollback", name, {**who, "flags": flags}), "kind": "rollback"}


def resume(desk: Desk, run_id: str, who: Mapping[str, str], flags: str = "") -> dict[str, str]:
    """Go on with a run that was halted or lost its execution. Refused `run_ended`, `claim_held`, `claim_lost`."""
    found, _ = desk.ledger.run(run_id)
    check_continuable(desk, desk.ledger.head(found.secret), found, undo=False)
    return start_resume(desk, found, {**who, "flags": flags})


def _who(who: Mapping[str, str], verb: str) -> Who:
    return Who(actor=who["requested_by"], reason=who["reason"], verb=verb)


def status(desk: Desk, secrets: list[str]) -> list[dict[str, Any]]:
    """Per secret: policy in short, current version, claim, open overlap, last run. All secrets when none is named.

    All: those of the catalogue, and after them those whose policy was removed while something was open.
    """
    if secrets:
        return [_standing(desk, name) for name in secrets]
    known = desk.catalogue.names()
    orphans = (_orphan(desk, name) for name in left_open(desk, known))
    return [*(_standing(desk, name) for name in known), *(one for one in orphans if one)]


def _orphan(desk: Desk, name: str) -> dict[str, Any] | None:
    try:
        return _standing(desk, name)
    except Refused:
        # what was open is ended by now: the index lags
        return None


def _standing(desk: Desk, name: str) -> dict[str, Any]:
    policy, removed = followed(desk, name)
    head = desk.ledger.head(name)
    runs = desk.ledger.history(name)
    freeze = desk.ledger.switchboard.freeze_of(name)
    return {
        "secret": name,
        "policy": _policy_in_short(policy),
        "removed": removed,
        "head": _head_in_short(head),
        "rollback": horizon(head),
        "freeze": asdict(freeze) if freeze else None,
        "emergency": _emergency_in_short(desk, name),
        "consumers": in_short(desk, policy, head),
        "last_run": run_view(runs[-1]) if runs else None,
        "approval": view_of(desk, runs[-1]) if runs and runs[-1].run_id == head.run_id else None,
    }


def _emergency_in_short(desk: Desk, name: str) -> dict[str, Any] | None:
    """What people asked for in an emergency and was not done yet, who did and why, and how often it failed since."""
    due = desk.ledger.agenda.of(name)
    if due is None or not due.urgent:
        return None
    keep = ("asked_at", "requested_by", "reason", "failures", "cause", "not_before")
    return {**{word: getattr(due, word) for word in keep}, "break_glass": asked.BREAK_GLASS in due.flags.split()}


def _policy_in_short(policy: Policy) -> dict[str, Any]:
    keep = ("store", "path", "credential", "cadence", "warm_up_s", "overlap_s", "owner", "runbook")
    approvers = list(policy.approval.approvers) if policy.approval else []
    short = {name: value for name, value in asdict(policy).items() if name in keep}
    return {**short, "approvers": approvers, "digest": policy.digest()}


def _head_in_short(head: Head) -> dict[str, Any]:
    return {name: value for name, value in asdict(head).items() if name not in ("secret", "rev")}


def run(desk: Desk, run_id: str) -> dict[str, Any]:
    """One run with its steps, in order of their intents. NotFound `run_unknown`."""
    found, steps = desk.ledger.run(run_id)
    ordered = sorted(steps.values(), key=lambda s: s.intent_at)
    return {**run_view(found), "approval": view_of(desk, found), "steps": [_step_view(step) for step in ordered]}


def history(desk: Desk, secret: str) -> list[dict[str, Any]]:
    """The secret's runs, oldest first, also when its policy was removed. Refused `unknown_secret`."""
    runs = desk.ledger.history(secret) or desk.ledger.history(desk.catalogue.policy(secret).name)
    return [run_view(found) for found in runs]


def run_view(found: Run) -> dict[str, Any]:
    """A run without its policy's text."""
    return asdict(replace(found, policy=""))


def _step_view(step: StepRecord) -> dict[str, Any]:
    return asdict(step)
