"""What is wrong with a secret, judged from ledger, store and target; pure, no call and no clock.

Each check looks for one thing and says what it saw. The first diagnosis is the one to act on: claims come before what
lies about, because a run that goes on may tidy it up itself. At most one safe action each; where the evidence does not
decide, that is the diagnosis, with the commands that would. Not here: doing it (`repair`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from rotation.contract import Verdict
from rotation.control.findings import Diagnosis, Findings, undecided
from rotation.control.undoable import horizon
from rotation.control.unfinished import unfinished
from rotation.inspection import PendingShown
from rotation.ledger.records import Head
from rotation.ledger.switch import STOPS

# The sweep comes every five minutes and tries again in slots of ten: before that an overlap that is over is no
# finding.
SWEEP_IS_LATE = timedelta(minutes=20)


def diagnose(found: Findings) -> list[Diagnosis]:
    """Everything that is not as it should be, the one to act on first; `healthy` when nothing is."""
    if found.running:
        says = f"the run {found.head.run_id} is under way"
        return [Diagnosis(kind="running", says=says, ask=(f"keyturn history {found.head.secret}",))]
    seen = [diagnosis for check in _CHECKS if (diagnosis := check(found)) is not None]
    if seen:
        return seen
    evidence = found.told("store", "old")
    return [Diagnosis(kind="healthy", says="ledger, store and target agree", evidence=evidence)]


def _restored(found: Findings) -> Diagnosis | None:
    head, last = found.head, found.last
    fenced = last is not None and "stale_generation" in last.failure.values() and head.epoch <= last.epoch
    if head.table in ("", found.table) and not fenced:
        return None
    says = "the ledger was restored from a backup, or lost: store or target are ahead of it"
    evidence = (f"ledger's epoch {head.epoch}", *found.told("store", "ledger", "old"))
    if found.verdict("store") in (Verdict.ACCEPTED, "not-applicable"):
        does = f"take version {found.current}, which readers get, as current, and raise the epoch above any used before"
        return Diagnosis(
            kind="ledger_restored", says=says, evidence=evidence, action="adopt", does=does, subject="restored"
        )
    return undecided(found, "ledger_restored", f"{says}; what readers get is not known to work", evidence)


def _leftover(found: Findings) -> Diagnosis | None:
    left = found.head.leftover
    if not left or found.unfinished is not None:
        return None
    does = f"withdraw and abandon what the run {left} staged; the current version is not touched"
    says = f"the run {left} failed and could not take its candidate back"
    return Diagnosis(
        kind="orphan_pending", says=says, evidence=found.told("store", "staged"), action="undo", does=does, subject=left
    )


def _pending(found: Findings) -> Diagnosis | None:
    pendings = [one for one in found.inspected["pendings"] if not _retained(found.head, one)] if found.inspected else []
    if not pendings or found.unfinished is not None or found.head.leftover:
        return None
    one, name = pendings[0], found.head.secret
    does = f"remove the pending version {one['id']}; the current version is not touched"
    if one["empty"]:
        says = "a placeholder without a value blocks the next rotation: an earlier one was broken off"
        evidence = (f"pending version {one['id']} holds no value", *found.told("store"))
        return Diagnosis(
            kind="empty_pending", says=says, evidence=evidence, action="clear", does=does, subject=one["id"]
        )
    evidence = (
        f"{len(pendings)} pending, staged by {one['owner'] or 'nobody the store knows'}",
        *found.told("store", "pending"),
    )
    says = "a pending version that no run of the ledger waits for"
    if found.verdict("pending") == Verdict.REFUSED or found.owner == "succeeded":
        return Diagnosis(
            kind="orphan_pending", says=says, evidence=evidence, action="clear", does=does, subject=one["id"]
        )
    ask = (f"keyturn history {name}", "keyturn doctor", "ask whoever else writes to this secret what it is for")
    return Diagnosis(kind="undecidable", says=f"{says}, and the target may accept it", evidence=evidence, ask=ask)


def _retained(head: Head, one: PendingShown) -> bool:
    """An old version that is kept for a rollback, which a store that names no owner cannot tell from a candidate."""
    if one["owner"]:
        # the store itself calls it pending, and it blocks the next rotation
        return False
    ways = [way for way in (head.overlap, head.retired) if way is not None]
    return (one["id"], one["path"]) in {(version.id, version.path) for way in ways for version in (way.old, way.new)}


def _label_moved(found: Findings) -> Diagnosis | None:
    head = found.head
    if (
        found.unfinished is not None
        or found.inspected is None
        or head.current is None
        or found.current == head.current.id
    ):
        return None
    says = "somebody else changed which version readers get"
    evidence = found.told("store", "ledger", "old")
    store, ledger = found.verdict("store"), found.verdict("ledger")
    if doubt := _doubt(found):
        return undecided(found, "label_moved", f"{says}{doubt}", evidence)
    if store in (Verdict.ACCEPTED, "not-applicable") and not _leaked(head, found.current):
        does = f"take version {found.current}, which works, as current; the one before it is retired after an overlap"
        return Diagnosis(
            kind="label_moved", says=says, evidence=evidence, action="adopt", does=does, subject=found.current
        )
    if ledger == Verdict.ACCEPTED and (store == Verdict.REFUSED or _leaked(head, found.current)):
        why = "does not" if store == Verdict.REFUSED else "was replaced in an emergency"
        does = f"go back to version {head.current.id}, which works; the other {why}"
        action = "adopt_and_roll_back"
        return Diagnosis(
            kind="label_moved", says=says, evidence=evidence, action=action, does=does, subject=found.current
        )
    return undecided(found, "label_moved", says, evidence)


def _doubt(found: Findings) -> str:
    """Why no version may be taken for the right one; "" where the target's answers tell."""
    head, ledger, known = found.head, found.verdict("ledger"), found.inspected
    if _leaked(head, found.current) and ledger != Verdict.ACCEPTED:
        return ", to the one that an emergency replaced"
    if ledger in _MAY_WORK and found.verdict("old") in _MAY_WORK and _three(found):
        return " while an overlap was open: three credentials may be valid"
    ours = known is not None and (known.get("twin", False) or known.get("candidate", False))
    if ledger == Verdict.UNPROVEN and not ours:
        return "; whether the one before still works is not known"
    return ""


# Nobody may forget these.
_MAY_WORK = (Verdict.ACCEPTED, Verdict.UNPROVEN)


def _leaked(head: Head, version: str) -> bool:
    """Whether an emergency replaced this version: it must never be what readers get."""
    way = head.overlap or head.retired
    return way is not None and way.emergency and way.old.id == version


def _three(found: Findings) -> bool:
    """Whether what readers get is neither of the two that the overlap knows."""
    overlap = found.head.overlap
    return overlap is not None and found.current not in (overlap.old.id, overlap.new.id)


def _current_refused(found: Findings) -> Diagnosis | None:
    head = found.head
    known = head.current is not None and found.current == head.current.id
    if found.unfinished is not None or found.inspected is None or not found.current or not known:
        return None
    evidence = found.told("store", "old")
    readable, verdict = found.inspected["shown"]["store"]["readable"], found.verdict("store")
    if readable and verdict not in _BAD:
        return None
    if readable and verdict == Verdict.UNPROVEN:
        says = "the target cannot be asked about what readers get"
        return undecided(found, "current_not_accepted", says, evidence)
    says = "the target does not accept what readers get" if readable else "what is current cannot be read"
    way = horizon(head)
    if way["possible"] and found.verdict("old"):
        does = f"go back to version {way['to']}, which is applied to the target again first"
        return Diagnosis(kind="current_not_accepted", says=says, evidence=evidence, action="roll_back", does=does)
    return _rotated(found, says, evidence) if readable else undecided(found, "current_not_accepted", says, evidence)


def _rotated(found: Findings, says: str, evidence: tuple[str, ...]) -> Diagnosis:
    """Nothing leads back: only a new credential helps, where one may be made now."""
    if found.unrotatable:
        says = f"{says}, nothing leads back, and a rotation would be refused: {found.unrotatable}"
        return Diagnosis(kind="current_not_accepted", says=says, evidence=evidence, ask=found.beyond)
    does = "rotate: a new credential is made with the authority, which does not need the current one"
    return Diagnosis(kind="current_not_accepted", says=says, evidence=evidence, action="rotate", does=does)


_BAD = (Verdict.REFUSED, Verdict.UNPROVEN)


def _overdue(found: Findings) -> Diagnosis | None:
    overlap, last = found.head.overlap, found.last
    if overlap is None or found.unfinished is not None or found.now < overlap.retire_at:
        return None
    evidence = (f"the overlap was over at {overlap.retire_at}", *found.told("store", "old"))
    does = "start the retirement again: revoke the old credential, prove it dead"
    broke = last.failure.get("reason", "") if last and last.machine == "retire" and last.status == "failed" else ""
    # one that was refused at its gate has met no trouble of its own
    failed = broke not in ("", *STOPS)
    if broke == "old_alive":
        says = "the old credential was revoked and is still accepted: whoever has it can use it"
        return _unless_stopped(
            found, Diagnosis(kind="old_alive", says=says, evidence=evidence, action="retire", does=does)
        )
    patience = timedelta() if overlap.emergency else SWEEP_IS_LATE
    late = datetime.fromisoformat(found.now) - datetime.fromisoformat(overlap.retire_at) > patience
    if not late and not failed:
        return None
    says = "the overlap is over, and the old credential is not retired"
    overdue = Diagnosis(kind="overlap_overdue", says=says, evidence=evidence, action="retire", does=does)
    return _unless_stopped(found, overdue)


def _unless_stopped(found: Findings, one: Diagnosis) -> Diagnosis:
    """The same without its action where that would be refused, with what stops it."""
    name = found.head.secret
    if found.stopped:
        says = f"{one.says}; {found.stopped} stops the retirement"
        return replace(one, says=says, action="", does="", ask=("keyturn kill-switch show", f"keyturn status {name}"))
    if found.awaited:
        says = f"{one.says}; it waits for consumers: {', '.join(found.awaited)}"
        cut = f"keyturn overlap close {name} --without-acknowledgements"
        return replace(one, says=says, action="", does="", ask=(f"keyturn consumers {name}", cut))
    return one


def _unseen(found: Findings) -> Diagnosis | None:
    if found.inspected is not None:
        return None
    again, evidence = f"keyturn repair {found.head.secret}", (found.trouble_says,) if found.trouble_says else ()
    if found.trouble == "breaker_open":
        says = "store or target failed too often and is left alone for a minute (breaker_open): look again after that"
        return Diagnosis(kind="undecidable", says=says, evidence=evidence, ask=(again,))
    says = f"the store or its function could not be asked ({found.trouble})"
    return Diagnosis(kind="undecidable", says=says, evidence=evidence, ask=("keyturn doctor", again))


# In this order: what decides about everything else comes first.
_CHECKS: tuple[Callable[[Findings], Diagnosis | None], ...] = (
    _restored,
    unfinished,
    _label_moved,
    _leftover,
    _current_refused,
    _pending,
    _overdue,
    _unseen,
)
