"""What `rollback` would do to a secret, before it does it: undo a run that has not ended, or go a version back.

Judged from what control answers; control has the last word, under the claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from keyturn.answers import Horizon, RunInFull, Standing
from keyturn.console import moment
from keyturn.control import Control
from keyturn.remedies import About, filled, remedy
from keyturn.unended import works
from rotation.errors import Refused
from rotation.phases import Back

UNDO, ROLLBACK = "undo", "rollback"
# What control may say of why nothing leads back.
_WHY_NOT = {
    "nothing_to_roll_back": "no version before the current one is known",
    "old_leaked": "the version before was replaced in an emergency",
    "beyond_horizon": "the {who} no longer has the version before",
}


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would happen. kind: `undo` or `rollback`. `leaves` and `to` are versions, empty where there is none."""

    secret: str
    kind: str
    leaves: str
    to: str
    until: str = ""
    limited_by: str = ""
    run_id: str = ""
    says: str

    @property
    def agreed(self) -> dict[str, str]:
        """What whoever says yes agrees to; control does nothing else."""
        return {"kind": self.kind, "run_id": self.run_id, "leaves": self.leaves, "to": self.to}

    @property
    def question(self) -> str:
        """What a person is asked."""
        return f"undo the run {self.run_id}?" if self.kind == UNDO else f"make {self.to} current again?"


def preview(control: Control, standing: Standing, stack: str, *, emergency: bool) -> tuple[Preview, RunInFull | None]:
    """What would happen, and the run that would be undone.

    Raises:
        Refused: `claim_held` while a run is under way, `nothing_to_roll_back`, `old_leaked`, `beyond_horizon`.
    """
    if standing.head.run_id and (unended := control.run(standing.head.run_id)):
        return _undo(control, standing, unended, stack), unended
    horizon = standing.rollback or Horizon()
    if not horizon.possible:
        raise _impossible(standing, horizon, stack)
    return _rollback(standing, horizon, emergency=emergency), None


def horizon_words(horizon: Horizon | None) -> str:
    """How far back a rollback leads, in words: `to v3 until the next rotation (store)`."""
    if horizon is None:
        return ""
    if not horizon.possible:
        why = _why_not(horizon)
        return f"not possible: {why} ({horizon.why})" if why else f"not possible {horizon.why}".rstrip()
    limit = f" ({horizon.limited_by})" if horizon.limited_by else ""
    return f"to {horizon.to} until {_until(horizon.until)}{limit}"


def _why_not(horizon: Horizon) -> str:
    return _WHY_NOT.get(horizon.why, "").format(who=horizon.limited_by or "store")


def _until(said: str) -> str:
    try:
        ends = datetime.fromisoformat(said)
    except ValueError:
        return f"the {said.removeprefix('the ') or 'next rotation'}"
    return moment(ends) if ends > datetime.now(UTC) else "its retirement, which is due"


def _undo(control: Control, standing: Standing, run: RunInFull, stack: str) -> Preview:
    name = standing.secret
    if run.waits:
        says = f"the run {run.run_id} {run.waits}: it ends, and nothing was done yet"
        return Preview(secret=name, kind=UNDO, leaves="", to="", run_id=run.run_id, says=says)
    if run.running and works(control, run.execution):
        remedy_text = remedy("claim_held", About(secret=name, stack=stack))
        raise Refused("claim_held", f"run {run.run_id} of {name} is under way", remedy_text)
    if not run.way_out:
        next_step = remedy("cannot_undo", About(secret=name, run_id=run.run_id, stack=stack))
        raise Refused("cannot_undo", f"the run {run.run_id} ({run.machine}) can only be gone on with", next_step)
    if run.way_out is Back.GIVEN_UP:
        return _give_up(standing, run, stack)
    current = standing.head.current.id if standing.head.current else ""
    before = run.current.id if run.current else ""
    stopped = f", {run.stopped_by}" if run.stopped_by else ""
    how = (
        f"the run {run.run_id} ({run.machine}, {run.status}{stopped}) is undone, at the target first, then in the store"
    )
    stays = f"{name} is at {before or 'no value'} afterwards"
    return Preview(secret=name, kind=UNDO, leaves=current, to=before, run_id=run.run_id, says=f"{how}; {stays}")


def _give_up(standing: Standing, run: RunInFull, stack: str) -> Preview:
    """The retirement ends, and its overlap is open again."""
    name, overlap = standing.secret, run.overlap or standing.head.overlap
    old = overlap.old.id if overlap else ""
    current = standing.head.current.id if standing.head.current else ""
    stopped = f", {run.stopped_by}" if run.stopped_by else ""
    lives = "stays valid" if run.step("revoke") is None else "may be dead already: the next rollback applies it again"
    back = filled("`keyturn rollback {name} --reason WHY{at}`", About(secret=name, stack=stack))
    says = (
        f"the run {run.run_id} (retire, {run.status}{stopped}) is given up: its overlap is open again\n"
        f"readers keep {current}; the old one, {old}, {lives}\n"
        f"after that {back} goes back to {old}"
    )
    return Preview(secret=name, kind=UNDO, leaves=current, to=current, run_id=run.run_id, says=says)


def _rollback(standing: Standing, horizon: Horizon, *, emergency: bool) -> Preview:
    leaves = standing.head.current.id if standing.head.current else ""
    until = _until(horizon.until)
    lines = [
        f"{standing.secret} goes back from {leaves} to {horizon.to}, at the target first, then in the store",
        f"possible until {until}, limited by the {horizon.limited_by or 'store'}",
    ]
    if emergency:
        lines.append(f"emergency: {leaves} counts as leaked, it is retired at once and nothing goes back to it")
    return Preview(
        secret=standing.secret,
        kind=ROLLBACK,
        leaves=leaves,
        to=horizon.to,
        until=until,
        limited_by=horizon.limited_by,
        says="\n".join(lines),
    )


def _impossible(standing: Standing, horizon: Horizon, stack: str) -> Refused:
    reason = horizon.why if horizon.why in _WHY_NOT else "nothing_to_roll_back"
    why = f": {_why_not(horizon) or horizon.why}" if horizon.why else ""
    next_step = remedy(reason, About(secret=standing.secret, stack=stack))
    return Refused(reason, f"nothing leads {standing.secret} back{why}", next_step)
