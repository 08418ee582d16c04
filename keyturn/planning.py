"""What a rotation started now would do, phase by phase, and what would refuse it: judged from reads alone.

The phases are the runtime's own table, so that a plan cannot promise another order than the run has. Times are floors:
what the policy makes a run wait; calls come on top. Not here: what is seen from inside the functions (`plan_probe`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from keyturn.answers import Standing
from keyturn.console import moment, until
from keyturn.control import Control
from keyturn.journey import ended_first
from keyturn.plan_answers import Preflight
from keyturn.remedies import About, at, filled
from keyturn.stack import LOCAL
from keyturn.stops import Stop
from keyturn.tree import DRIFT_REMEDY, drift
from keyturn.unended import unended, works
from rotation.phases import RETIRE, ROTATE, active

OVERLAP = "overlap"

# What a person needs to know of each phase; a test holds that every phase that is built has its words.
WORDS = {
    "claim": "take the secret for this run, with the catalogue's policy {digest}",
    "prepare": "stage a new {credential} in {store}, make the target accept it, show it to the target",
    "warm_up": "wait until everybody at the target knows it",
    "promote": "make it current in {store}, if current is still {current}",
    "bake": "ask the target whether it still holds what was applied",
    "record": "write down how it ended",
    OVERLAP: "old and new are both accepted",
    "gate": "take the secret once more, if the overlap is over",
    "acknowledge": "see that every client of the policy has acknowledged the new one",
    "retire": "check that readers get the new one, revoke the old one, see it refused, dispose of it in {store}",
}


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One phase. `floor_s`: seconds it takes at least, by policy."""

    machine: str
    phase: str
    does: str
    floor_s: int


@dataclass(frozen=True, kw_only=True)
class Hindrance:
    """Why a rotation started now would be refused; `remedy` is what to do about it."""

    reason: str
    message: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would happen to one secret. `refused` is empty when the rotation would begin.

    last_rotation: when the last one began that succeeded, as far as its runs are kept. preflight: None where no policy
    names the secret any more.
    """

    secret: str
    first_value: bool
    phases: tuple[Planned, ...]
    floor_s: int
    refused: tuple[Hindrance, ...]
    notes: tuple[str, ...]
    last_rotation: datetime | None
    preflight: Preflight | None


@dataclass(frozen=True, kw_only=True)
class Around:
    """What a plan is made in: `known` are the digests of this checkout, `stops` what stops runs, in which stack.

    seen: the preflights by secret.
    """

    known: dict[str, str]
    stops: Sequence[Stop] = ()
    stack: str = LOCAL
    seen: Mapping[str, Preflight] = field(default_factory=dict)


def plan_of(
    control: Control,
    standing: Standing,
    around: Around,
    now: datetime | None = None,
) -> Plan:
    """The plan of one secret at `now`. Only reads are asked of `control`."""
    now = now or datetime.now(UTC)
    first = standing.head.current is None
    phases = tuple(_phases(standing, first=first))
    return Plan(
        secret=standing.secret,
        first_value=first,
        phases=phases,
        floor_s=sum(phase.floor_s for phase in phases),
        refused=(
            *_unnamed(standing, around.stack),
            *_stopped(standing, around.stops),
            *_held(around.seen.get(standing.secret)),
            *_hindrances(control, standing, now, around.stack),
        ),
        notes=tuple(_notes(standing, around.known, now)),
        last_rotation=_last_rotation(control, standing),
        preflight=around.seen.get(standing.secret),
    )


def _last_rotation(control: Control, standing: Standing) -> datetime | None:
    last = standing.last_run
    if last is None:
        return None
    # mostly the retirement that followed it
    runs = [last] if last.machine == "rotate" and last.status == "succeeded" else control.history(standing.secret)
    began = [run.started_at for run in runs if run.machine == "rotate" and run.status == "succeeded"]
    return began[-1] if began else None


def _phases(standing: Standing, *, first: bool) -> list[Planned]:
    policy = standing.policy
    floors = {"warm_up": policy.warm_up_s, OVERLAP: policy.overlap_s}
    rows = [("rotate", phase.name) for phase in active(ROTATE)]
    # a first value has no old one to retire
    if not first:
        rows += [("", OVERLAP), *(("retire", phase.name) for phase in active(RETIRE))]
    return [
        Planned(machine=machine, phase=name, does=_words(name, standing), floor_s=floors.get(name, 0))
        for machine, name in rows
    ]


def _words(phase: str, standing: Standing) -> str:
    policy, current = standing.policy, standing.head.current
    return WORDS[phase].format(
        digest=policy.digest[:8],
        credential=policy.credential,
        store=policy.store,
        current=current.id[:8] if current else "without a value",
    )


def _unnamed(standing: Standing, stack: str) -> list[Hindrance]:
    if not standing.removed:
        return []
    remedy = filled("`keyturn overlap close {name} --reason WHY{at}`", About(secret=standing.secret, stack=stack))
    message = "no policy names it any more; what it has left open is ended"
    return [Hindrance(reason="unknown_secret", message=message, remedy=f"{remedy}, or wait for the schedule")]


def _stopped(standing: Standing, stops: Sequence[Stop]) -> list[Hindrance]:
    concerning = [stop for stop in stops if stop.concerns(standing.secret)]
    return [Hindrance(reason=stop.reason, message=stop.message, remedy=stop.remedy) for stop in concerning]


def _held(seen: Preflight | None) -> list[Hindrance]:
    found = seen.meets.held if seen and seen.meets else None
    return [Hindrance(reason=found.reason, message=found.message, remedy=found.remedy)] if found else []


def _hindrances(control: Control, standing: Standing, now: datetime, stack: str) -> list[Hindrance]:
    head, found = standing.head, _claimed(control, standing, stack)
    if head.overlap and not ended_first(standing, now):
        message = f"the overlap of the last rotation is open until {moment(head.overlap.retire_at)}"
        remedy = (
            "wait until the schedule has retired the old credential, or `keyturn overlap close {name} --reason WHY{at}`"
        )
        remedy = filled(remedy, About(secret=standing.secret, stack=stack))
        found.append(Hindrance(reason="overlap_open", message=message, remedy=remedy))
    return found


def _claimed(control: Control, standing: Standing, stack: str) -> list[Hindrance]:
    """A run under way, or one that was halted; a claim whose execution is gone is judged by the run's own claim."""
    head, name = standing.head, standing.secret
    if not head.run_id:
        return []
    if works(control, head.execution):
        remedy = f"wait for it, or look at it with `keyturn history {name}{at(stack)} --run {head.run_id[:8]}`"
        return [Hindrance(reason="claim_held", message=f"run {head.run_id} is under way", remedy=remedy)]
    return [
        Hindrance(reason="run_unfinished", message=one.says, remedy=one.next_step(stack))
        for one in unended(control, [standing])
        if not one.lost
    ]


def _notes(standing: Standing, known: dict[str, str], now: datetime) -> list[str]:
    head, notes = standing.head, []
    if head.overlap and ended_first(standing, now):
        notes.append(f"the overlap {until(head.overlap.retire_at, now)} is ended first")
    differs = drift(standing, known)
    return [*notes, f"{differs}: {DRIFT_REMEDY}"] if differs else notes
