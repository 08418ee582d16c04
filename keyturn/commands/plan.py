"""`keyturn plan`: what `keyturn rotate` would do now. Reads only."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.text import Text

from keyturn import connect, tree
from keyturn.console import seconds, show, table
from keyturn.exits import Exit
from keyturn.options import AsJson, Names, StackName
from keyturn.planning import Around, Plan, plan_of
from keyturn.stops import known_stops

NOT_JUDGED = "not judged: whether stores and targets answer; times are floors, calls come on top"


def plan(names: Names = None, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Show what a rotation started now would do, what it would wait for, and what would refuse it. Changes nothing.

    For example:

        keyturn plan

        keyturn plan payments/postgres --stack prod
    """
    control = connect.control_of(stack)
    standings = control.status(names or [])
    around = Around(known=tree.digests(stack), stops=known_stops(control, datetime.now(UTC), stack), stack=stack)
    plans = [plan_of(control, standing, around) for standing in standings]
    document = {"ok": True, "stack": stack, "plans": plans, "not_judged": NOT_JUDGED}
    show(Group(*map(_shown, plans), Text(NOT_JUDGED, style="dim")), document, as_json=as_json)
    return Exit.DONE


def _shown(one: Plan) -> RenderableType:
    would = "would be refused" if one.refused else "would make the first value" if one.first_value else "would rotate"
    lines = [Text(f"{one.secret}: {would}; at least {seconds(one.floor_s)}", style="bold")]
    lines += [Text(f"  {found.reason}: {found.message}; {found.remedy}", style="red") for found in one.refused]
    lines += [Text(f"  {note}", style="yellow") for note in one.notes]
    phases = table("", "  machine", "phase", "at least", "what it does")
    for phase in one.phases:
        floor = seconds(phase.floor_s) if phase.floor_s else "-"
        phases.add_row(f"  {phase.machine}", phase.phase, floor, phase.does)
    return Group(*lines, phases, Text())
