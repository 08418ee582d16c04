"""`diagnose` and `mend`: look at a secret through its store's function, say what is wrong, do the one safe thing.

A repair acts on what a person saw: the digest of the diagnosis comes back with the order, and when another look shows
something else, nothing is done. Effects in store or target are runs of the machines, under a claim like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from rotation.contract import Verdict, Version
from rotation.control import asked, verbs
from rotation.control.desk import Desk
from rotation.control.diagnosis import diagnose as judged
from rotation.control.findings import Diagnosis, Findings, digest
from rotation.control.followed import followed
from rotation.control.looking import look
from rotation.control.starts import resume, start
from rotation.control.undoable import stopped_by
from rotation.errors import Refused
from rotation.ledger.moments import timestamp
from rotation.ledger.records import Overlap
from rotation.ledger.switch import Who
from rotation.lineage import made_by
from rotation.policy import Policy

Person = Mapping[str, str]


def diagnose(desk: Desk, secret: str) -> dict[str, Any]:
    """Look and say; changes nothing. `{secret, run_id, digest, diagnoses}`. Refused `unknown_secret`."""
    follows = followed(desk, secret)
    policy, found = follows.policy, look(desk, follows)
    diagnoses = judged(found)
    return {
        "secret": policy.name,
        "run_id": found.head.run_id,
        "digest": digest(diagnoses),
        "diagnoses": [_view(one) for one in diagnoses],
    }


def _view(one: Diagnosis) -> dict[str, Any]:
    action = {"name": one.action, "says": one.does} if one.action else None
    return {**asdict(one), "action": action}


def mend(desk: Desk, secret: str, seen: str, who: Person) -> dict[str, str]:
    """Do the safe action of the diagnosis that was seen; `{secret, action, execution, run_id, says}`.

    Refused `diagnosis_changed`, `nothing_to_mend`, `undecidable`; Halted where a switch would stop what it starts.
    """
    follows = followed(desk, secret)
    policy, found = follows.policy, look(desk, follows)
    diagnoses = judged(found)
    first = diagnoses[0]
    if digest(diagnoses) != seen:
        raise Refused(
            "diagnosis_changed",
            f"{policy.name} is not any more what was looked at ({first.kind} now); nothing was done",
            f"look again: `keyturn repair {policy.name}`",
        )
    if not first.action and found.stopped and first.kind in _STOPPED:
        raise desk.ledger.switchboard.stop_of(policy.name)
    if not first.action:
        slug = "nothing_to_mend" if first.kind in ("healthy", "running") else "undecidable"
        raise Refused(slug, f"{policy.name}: {first.says}", "; ".join(first.ask) or "nothing to do")
    _check_not_stopped(desk, policy.name, found, first)
    started = _ACTIONS[first.action](desk, policy, found, first, who)
    return {"secret": policy.name, "action": first.action, "execution": "", "run_id": "", "says": first.does, **started}


def _check_not_stopped(desk: Desk, secret: str, found: Findings, first: Diagnosis) -> None:
    """A run that goes forward would be stopped at its claim; what goes back, or only tidies up, never is."""
    run = found.unfinished
    continued = first.action == "resume" and run is not None and stopped_by(run, found.steps, found.stopped)
    if found.stopped and (first.action in _FORWARD or continued):
        raise desk.ledger.switchboard.stop_of(secret)


def _resume(desk: Desk, policy: Policy, found: Findings, one: Diagnosis, who: Person) -> dict[str, str]:
    del policy, found
    return resume(desk, desk.ledger.run(one.subject)[0], who)


def _undo(desk: Desk, policy: Policy, found: Findings, one: Diagnosis, who: Person) -> dict[str, str]:
    del policy, found
    return resume(desk, desk.ledger.run(one.subject)[0], {**who, "flags": asked.UNDO})


def _clear(desk: Desk, policy: Policy, found: Findings, one: Diagnosis, who: Person) -> dict[str, str]:
    del found
    return start(desk, "repair", policy.name, {**who, "flags": f"{asked.CLEAR}{one.subject}"})


def _adopt(desk: Desk, policy: Policy, found: Findings, one: Diagnosis, who: Person) -> dict[str, str]:
    """A ledger write: what readers get is current. After a restore the epoch leaps above any that was ever used.

    Epochs count runs; the seconds since 1970 are above any count, and so is the next restore's leap above this one.
    """
    head, shown = found.head, found.inspected["shown"]["store"] if found.inspected else None
    if shown is None:
        raise Refused("undecidable", f"the store shows no current version of {policy.name}", "keyturn doctor")
    current = Version(id=shown["id"], path="")
    changes: dict[str, Any] = {"current": current, "overlap": _overlap(policy, found, current), "table": found.table}
    if head.current is None or head.current.id != current.id:
        changes |= {"version": made_by(desk.ledger, policy.name, current)}
    if found.inspected and found.inspected.get("candidate", False):
        # nothing is left to withdraw
        changes |= {"leftover": ""}
    if one.subject == "restored":
        leap = int(datetime.fromisoformat(found.now).timestamp())
        changes |= {"epoch": max(head.epoch, leap), "run_id": "", "execution": "", "leftover": "", "pending_token": ""}
    desk.ledger.amend(head, Who(actor=who["requested_by"], reason=who["reason"], verb=f"adopt {current.id}"), **changes)
    return {}


def _overlap(policy: Policy, found: Findings, current: Version) -> Overlap | None:
    """What is to be retired once the store's version is adopted: the ledger's, if it still works and is another one."""
    ledger, overlap = found.head.current, found.head.overlap
    if ledger is None or ledger.id == current.id:
        return overlap
    # one credential in two versions: retiring the older one would kill what readers get
    twin = found.inspected is not None and found.inspected.get("twin", False)
    if twin or found.verdict("ledger") != Verdict.ACCEPTED:
        return replace(overlap, new=current, new_id="") if overlap and overlap.old.id != current.id else None
    ends = datetime.fromisoformat(found.now) + timedelta(seconds=policy.overlap_s)
    return Overlap(run_id="", old=ledger, new=current, retire_at=timestamp(ends), old_id=found.head.version)


def _adopt_and_roll_back(desk: Desk, policy: Policy, found: Findings, one: Diagnosis, who: Person) -> dict[str, str]:
    way = found.head.overlap or found.head.retired
    flags = asked.EMERGENCY if way is not None and way.emergency else ""
    _adopt(desk, policy, found, one, who)
    started = verbs.rollback(desk, policy.name, who, flags)
    return {"execution": started["execution"], "run_id": started["run_id"]}


def _roll_back(desk: Desk, policy: Policy, found: Findings, one: Diagnosis, who: Person) -> dict[str, str]:
    del found, one
    started = verbs.rollback(desk, policy.name, who)
    return {"execution": started["execution"], "run_id": started["run_id"]}


def _rotate(desk: Desk, policy: Policy, found: Findings, one: Diagnosis, who: Person) -> dict[str, str]:
    del found, one
    return verbs.rotate(desk, policy.name, who)


def _retire(desk: Desk, policy: Policy, found: Findings, one: Diagnosis, who: Person) -> dict[str, str]:
    del found, one
    return verbs.retire(desk, policy.name, who)


# Diagnoses that have an action unless something stops it.
_STOPPED = frozenset({"overlap_overdue", "old_alive"})
# Actions that begin a run of a machine which the switches stop.
_FORWARD = frozenset({"retire", "rotate"})
_ACTIONS: dict[str, Callable[[Desk, Policy, Findings, Diagnosis, Person], dict[str, str]]] = {
    "resume": _resume,
    "undo": _undo,
    "clear": _clear,
    "adopt": _adopt,
    "adopt_and_roll_back": _adopt_and_roll_back,
    "roll_back": _roll_back,
    "rotate": _rotate,
    "retire": _retire,
}
