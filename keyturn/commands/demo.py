"""`keyturn demo`: from nothing to credentials rotated, each with its old value refused by a real target.

Those that wait for a person or for a consumer are deployed and named, and left alone. Not here: who they wait for
(`attended`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from keyturn import connect
from keyturn.answers import Standing
from keyturn.attended import unattended, waits_for
from keyturn.bring_up import bring_up
from keyturn.commands.rotate import document, rows_table, tell_remedies, under_way, watched
from keyturn.commands.sandbox import applied, tell_gaps
from keyturn.console import err, show
from keyturn.control import Control
from keyturn.exits import Exit, worst
from keyturn.interruption import interrupted
from keyturn.journey import Journey
from keyturn.options import AsJson
from keyturn.outcome import ROTATED, Row
from keyturn.telling import stages
from rotation.errors import Refused

REASON = "demonstration"

Quiet = Annotated[bool, typer.Option("--no-gaps", help="Do not list what the sandbox cannot emulate.")]


def demo(no_gaps: Quiet = False, as_json: AsJson = False) -> int:
    """Start the sandbox, deploy to it, make first values and rotate every credential; ends with the proofs.

    The sandbox stays up for further verbs; `keyturn sandbox down` stops it.

    For example:

        keyturn demo
    """
    begun = time.monotonic()
    with stages() as tell:
        brought = bring_up(tell, again=True)
    if not no_gaps:
        tell_gaps(brought)
    err().print(f"deployed: {applied(brought)}")
    journeys: list[Journey] = []
    try:
        control = connect.control_of("local", to_start=True)
        _tell_left_out(control.status([]))
        firsts = _first_values(control, journeys)
        rows = [] if _code(firsts) else _rotate(control, unattended(control.status([])), journeys)
    except KeyboardInterrupt:
        err().print("the sandbox is left up: `keyturn sandbox down` stops it")
        return interrupted(under_way(journeys), "local", as_json=as_json)
    return _ended(firsts, rows, time.monotonic() - begun, as_json=as_json)


def _first_values(control: Control, journeys: list[Journey]) -> list[Row]:
    standings = unattended(control.status([]))
    if not standings:
        problem = "the stack has no policy that waits for nobody, so there is nothing to show"
        raise Refused("bad_policies", problem, "add one to policies/")
    missing = [standing for standing in standings if standing.head.current is None]
    if missing:
        err().print(f"making first values: {', '.join(standing.secret for standing in missing)}")
    return _rotate(control, missing, journeys) if missing else []


def _tell_left_out(standings: Sequence[Standing]) -> None:
    for standing in standings:
        if why := waits_for(standing):
            err().print(f"deployed, not rotated here: {standing.secret}: {why}")


def _rotate(control: Control, standings: Sequence[Standing], journeys: list[Journey]) -> list[Row]:
    journeys[:] = [Journey(control, standing, REASON, time.monotonic) for standing in standings]
    return watched(journeys)


def _ended(firsts: Sequence[Row], rows: Sequence[Row], took: float, *, as_json: bool) -> int:
    shown = list(rows) or list(firsts)
    code = _code(firsts) or _unproven(rows)
    documents = {"first_values": [document(one) for one in firsts], "rotations": [document(one) for one in rows]}
    show(rows_table(shown), {"ok": code is Exit.DONE, "seconds": round(took, 1), **documents}, as_json=as_json)
    tell_remedies(shown)
    if code is Exit.DONE:
        err().print(f"{len(rows)} credentials rotated, each old one refused by its target; {took:.0f} s in all")
        err().print("the sandbox is up: `keyturn status` looks at it, `keyturn sandbox down` stops it")
    return code


def _code(rows: Sequence[Row]) -> Exit:
    return worst([one.exit for one in rows])


def _unproven(rows: Sequence[Row]) -> Exit:
    """Every row has to end with its proof; an overlap that is still open is none."""
    found = _code(rows)
    if found is Exit.DONE and not (rows and all(one.outcome == ROTATED for one in rows)):
        return Exit.RUN_FAILED
    return found
