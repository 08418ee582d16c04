"""What came of one journey: the row that people see and that `--json` prints, and the exit code that follows.

The proof is what the ledger recorded of the target's answers, never a conclusion of this module's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from keyturn.answers import RunInFull
from keyturn.exits import Exit, of_error, of_reason
from keyturn.journey import Journey
from keyturn.remedies import About, remedy
from keyturn.stack import LOCAL
from keyturn.timing import PhaseTime, phase_times
from keyturn.watch import Watch
from rotation.phases import Back

FIRST_VALUE = "first value"
ROTATED = "rotated"
OVERLAP_OPEN = "overlap open"
BY_HAND = "changed by hand"
FAILED = "failed"
# What a proof says of a credential that no target takes.
NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One credential after `rotate`. `old` is empty for a first value; `runs` maps a machine to its run's id.

    outcome: one of the words above, or the status of a run that ended otherwise: `halted`, `undone`, `reported`.
    """

    secret: str
    store: str
    old: str = ""
    new: str = ""
    phases: tuple[PhaseTime, ...] = ()
    proof: str = ""
    outcome: str = FAILED
    reason: str = ""
    message: str = ""
    remedy: str = ""
    runs: dict[str, str]
    exit: Exit = Exit.DONE


def row(journey: Journey, stack: str = LOCAL) -> Row:
    """The row of a journey that has ended; `stack` is named in the commands of its remedy."""
    rotation, retirement = journey.rotation, journey.retirement
    known = {"secret": journey.secret, "store": journey.standing.policy.store}
    runs = {name: w.started.run_id for name, w in (("rotate", rotation), ("retire", retirement)) if w}
    old, new = versions(rotation.run if rotation else None)
    phases = _phases(rotation) + _overlap(rotation, retirement) + _phases(retirement)
    if journey.error:
        error = journey.error
        next_step = error.remedy or _remedy(journey, error.reason, stack)
        told = {"reason": error.reason, "message": error.message, "remedy": next_step}
        return Row(**known, old=old, new=new, phases=phases, runs=runs, **told, exit=of_error(error))
    broken = next((w for w in (retirement, rotation) if w and not w.succeeded), None)
    if broken is not None or rotation is None:
        told = _broken(journey, broken, stack)
        return Row(**known, old=old, new=new, phases=phases, runs=runs, **told, exit=of_reason(told["reason"]))
    proof, outcome = _proof(journey, rotation.run)
    ended = Exit.DONE if outcome != FAILED else Exit.RUN_FAILED
    return Row(**known, old=old, new=new, phases=phases, runs=runs, proof=proof, outcome=outcome, exit=ended)


def _broken(journey: Journey, broken: Watch | None, stack: str) -> dict[str, str]:
    if broken is None:
        return {"outcome": FAILED, "reason": "not_started", "remedy": _remedy(journey, "not_started", stack)}
    told = {"outcome": broken.status, "reason": broken.reason, "message": broken.message}
    return {**told, "remedy": _remedy(journey, broken.reason, stack, broken)}


def versions(run: RunInFull | None) -> tuple[str, str]:
    """Old and new version of a rotation as the store names them; empty where it had none or did not get that far."""
    evidence = run.step("evidence") if run else None
    if evidence is not None:
        return evidence.facts.get("before", ""), evidence.facts.get("version", "")
    stage, promote = (run.step("stage"), run.step("promote")) if run else (None, None)
    old = stage.intent.get("from_version", "") if stage else ""
    return old, promote.facts.get("version", "") if promote else ""


def retired_proof(run: RunInFull | None) -> str:
    """The proof of a retirement with the target's own codes; empty when it does not say that the old one is dead.

    A credential without a target has nobody to refuse it, and that is what is said then.
    """
    prove = run.step("prove") if run else None
    proof = prove.facts.get("proof", "").replace("_", "-") if prove else ""
    if prove is None or proof not in {"dead", NOT_APPLICABLE}:
        return ""
    if proof == NOT_APPLICABLE:
        return "not applicable: no target is there to refuse the old one"
    return f"new accepted{_code(prove.facts, 'new_code')}, old refused{_code(prove.facts, 'old_code')}"


def _proof(journey: Journey, rotation: RunInFull | None) -> tuple[str, str]:
    if journey.retirement is not None:
        proof = retired_proof(journey.retirement.run)
        return proof, ROTATED if proof else FAILED
    evidence = rotation.step("evidence") if rotation else None
    if evidence is not None:
        return f"version {evidence.facts['version']}, made {evidence.facts['made_at']}; no target was asked", BY_HAND
    test = rotation.step("test") if rotation else None
    accepted = "new accepted" if test and test.facts.get("verdict") == "accepted" else ""
    if journey.overlap is None:
        return accepted, FIRST_VALUE if accepted else FAILED
    until = f"{journey.overlap.retire_at:%Y-%m-%d %H:%M:%SZ}"
    return f"{accepted}, old valid until {until}; the schedule retires it then", OVERLAP_OPEN


def _code(facts: dict[str, str], name: str) -> str:
    return f" ({facts[name]})" if facts.get(name) else ""


def _phases(watch: Watch | None) -> tuple[PhaseTime, ...]:
    return tuple(phase_times(watch.run)) if watch and watch.run else ()


def _overlap(rotation: Watch | None, retirement: Watch | None) -> tuple[PhaseTime, ...]:
    """From the end of the rotation to the beginning of the retirement: how long both were accepted at least."""
    ended = rotation.run.ended_at if rotation and rotation.run else None
    if ended is None or retirement is None or retirement.run is None:
        return ()
    return (PhaseTime(machine="", phase="overlap", seconds=(retirement.run.started_at - ended).total_seconds()),)


def _remedy(journey: Journey, reason: str, stack: str, watch: Watch | None = None) -> str:
    about = About(
        secret=journey.secret,
        run_id=watch.started.run_id if watch else "RUN",
        stack=stack,
        runbook=journey.standing.policy.runbook,
        status=watch.status if watch else "",
        way_out=watch.run.way_out if watch and watch.run else Back.UNDONE,
    )
    return remedy(reason, about)
