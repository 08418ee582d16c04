"""How long each phase of a run took, from the times of its steps; and where a run that is under way is.

Times are the ledger's. A waiting phase has no steps: it is what lies between its neighbours. Control's own phases
likewise: the first begins with the run, the last ends with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keyturn.answers import RunInFull
from rotation.phases import TABLES, UNDO, Phase, active

_UNDOING = frozenset(phase.name for phase in UNDO)


@dataclass(frozen=True, kw_only=True)
class PhaseTime:
    """One phase that a run of `machine` has been through, in seconds."""

    machine: str
    phase: str
    seconds: float


def table_of(machine: str) -> tuple[Phase, ...]:
    """The phases of a machine, as built; none of a machine that this version does not know."""
    return active(TABLES.get(machine, ()))


def _taken(run: RunInFull) -> tuple[Phase, ...]:
    """The phases that a run was to go through: its table, and before the last one what undid it."""
    table, found = table_of(run.machine), {step.phase for step in run.steps}
    undone = tuple(phase for phase in UNDO if phase.name in found)
    return (*table[:-1], *undone, *table[-1:])


def phase_times(run: RunInFull) -> list[PhaseTime]:
    """The phases of a run in order, each from where it began to where it ended; those not reached are left out."""
    table = _taken(run)
    spans = [_span(run, phase.name) for phase in table]
    times = []
    for i, phase in enumerate(table):
        span = spans[i] or _between(run, spans, i)
        if span:
            times.append(PhaseTime(machine=run.machine, phase=phase.name, seconds=_length(*span)))
    return times


def position(run: RunInFull | None) -> str:
    """The step that is under way, or what comes after the last one."""
    if run is None:
        return "queued"
    table = _taken(run)
    if run.direction == "undo" and not any(step.phase in _UNDOING for step in run.steps):
        return "going back"
    if not run.steps:
        # the ledger has a run from its claim on
        return run.waits or (table[1].name if table else run.status)
    last = run.steps[-1]
    if last.outcome_at is None:
        return f"{last.phase}: {last.step}"
    names = [phase.name for phase in table]
    here = names.index(last.phase) if last.phase in names else len(names)
    steps = table[here].steps if here < len(table) else ()
    if steps and last.step != steps[-1]:
        return f"{last.phase}: {last.step} done"
    return names[here + 1] if here + 1 < len(names) else f"{last.phase}: {last.step}"


def _length(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds())


_Span = tuple[datetime, datetime]


def _span(run: RunInFull, phase: str) -> _Span | None:
    steps = [step for step in run.steps if step.phase == phase]
    ends = [step.outcome_at for step in steps if step.outcome_at]
    return (steps[0].intent_at, max(ends)) if ends else None


def _between(run: RunInFull, spans: Sequence[_Span | None], i: int) -> _Span | None:
    """From the end of the phase before to the beginning of the one behind; the run's own ends at the edges."""
    before = spans[i - 1] if i else None
    behind = spans[i + 1] if i + 1 < len(spans) else None
    begin = before[1] if before else run.started_at if i == 0 else None
    end = behind[0] if behind else run.ended_at if i + 1 == len(spans) else None
    return (begin, end) if begin and end else None
