"""How far back a secret can go, and which way a run goes that nobody works on: until when, and why not.

The smaller of what the store keeps and what the target takes: recorded when the version that replaced it was promoted,
because control speaks with neither. Where the old version was disposed of, nothing is left to go back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from rotation.errors import KeyturnError, Refused
from rotation.ledger.ledger import NEVER_STOPPED
from rotation.ledger.records import BACK, Head, Overlap, Run, StepRecord
from rotation.ledger.switch import PASSED_BY_BREAK_GLASS
from rotation.phases import BACKWARDS, Back, way_out

# What `dispose` answers where the old version stays readable.
_KEPT = "kept"


class Horizon(TypedDict):
    """As `status` shows it. `until`: the end of the overlap, or "next rotation". `why`: slug, where not possible."""

    possible: bool
    to: str
    until: str
    limited_by: str
    versions: int
    why: str


def way_back(head: Head) -> Overlap:
    """The overlap, open or ended, that a rollback goes back over; Refused where there is none."""
    way = head.overlap or head.retired
    if way is None or head.current is None or way.new.id != head.current.id:
        raise Refused(
            "nothing_to_roll_back",
            f"Keyturn knows no version of {head.secret} before the current one",
            "rotate forward: `keyturn rotate`",
        )
    if way.emergency:
        raise Refused(
            "old_leaked",
            f"the version before was replaced in an emergency (run {way.run_id}): it must not be used again",
            "rotate forward: `keyturn rotate`",
        )
    if way.horizon < 1 or way.disposed not in ("", _KEPT):
        raise Refused(
            "beyond_horizon",
            f"no version before it is left ({way.disposed or 'not kept'}; limit: the {way.limited_by or 'store'})",
            "rotate forward: `keyturn rotate`",
        )
    return way


def horizon(head: Head) -> Horizon:
    """Whether a rollback is possible now, without one."""
    way = head.overlap or head.retired
    try:
        found = way_back(head)
    except KeyturnError as exc:
        limited = way.limited_by if way else ""
        if way is not None and way.disposed not in ("", _KEPT):
            # whatever was the limit before: the store gave it up
            limited = "store"
        return Horizon(possible=False, to="", until="", limited_by=limited, versions=0, why=exc.reason)
    until = found.retire_at if head.overlap else "next rotation"
    return Horizon(
        possible=True, to=found.old.id, until=until, limited_by=found.limited_by, versions=found.horizon, why=""
    )


def back_from(run: Run, steps: Mapping[str, StepRecord]) -> Back:
    """What `keyturn rollback` does with a run that nobody works on."""
    leaked = run.overlap is not None and run.overlap.emergency
    return way_out(run.machine, steps.keys(), emergency=run.emergency, leaked=leaked)


def ways_on(run: Run, steps: Mapping[str, StepRecord]) -> str:
    """The commands that end a run that nobody works on: resume, and what takes it back, where anything does."""
    back = back_from(run, steps)
    undo = f", `keyturn rollback {run.secret}` {back}" if back else ""
    return f"`keyturn resume {run.run_id}` goes on with it{undo}"


def direction_of(run: Run, steps: Mapping[str, StepRecord]) -> str:
    """Which way a run goes that is continued as it is: `UNDO` or `BACK`, "" for forward."""
    return run.direction or (BACK if BACKWARDS & steps.keys() else "")


def stopped_by(run: Run, steps: Mapping[str, StepRecord], stop: str) -> str:
    """What of `stop`, which stops runs of the secret now, would refuse to let this one be continued; "" for nothing.

    What goes back, or only tidies up, is stopped by nothing.
    """
    if run.machine in NEVER_STOPPED or direction_of(run, steps):
        return ""
    return "" if run.break_glass and stop in PASSED_BY_BREAK_GLASS else stop
