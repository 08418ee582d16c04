"""`keyturn rotate`: start rotations, watch them, end short overlaps, show what came of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import RenderableType

from keyturn import connect
from keyturn.answers import Standing
from keyturn.console import emit, err, show, table
from keyturn.control import Control
from keyturn.exits import Exit, worst
from keyturn.failures import told
from keyturn.follow import follow
from keyturn.journey import Journey
from keyturn.options import AsJson, Names, StackName
from keyturn.outcome import Row, row
from keyturn.progress import progress
from rotation.errors import Refused

DEFAULT_REASON = "asked for with keyturn rotate"
# Enough of a version's id to tell it from its neighbours.
_VERSION_CHARS = 8


def rotate(  # noqa: PLR0913, PLR0917  # one per option of the verb
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="Every secret of the stack.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the run's record.")] = DEFAULT_REASON,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Start the runs and do not watch them.")] = False,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """Rotate secrets now, and show each run until the old credential is proven dead.

    An overlap of up to a minute is waited for; a longer one is ended by the schedule, and the table says when.
    Interrupting stops the watching, never the runs.

    For example:

        keyturn rotate payments/postgres

        keyturn rotate --all --reason "left the company"
    """
    if every == bool(names):
        raise typer.BadParameter("name the secrets, or say --all")
    control = connect.control_of(stack, to_start=True)
    standings = chosen(control, names or [])
    if no_wait:
        return _started_only(control, standings, reason, as_json=as_json)
    journeys = [Journey(control, standing, reason, time.monotonic) for standing in standings]
    try:
        rows = watched(journeys)
    except KeyboardInterrupt:
        return interrupted(journeys, stack, as_json=as_json)
    show(rows_table(rows), {"ok": succeeded(rows), "rotations": [document(one) for one in rows]}, as_json=as_json)
    tell_remedies(rows)
    return worst([one.exit for one in rows])


def chosen(control: Control, names: Sequence[str]) -> list[Standing]:
    """Where the named secrets stand, or all; Refused before anything starts when one is unknown or there is none."""
    standings = control.status(list(dict.fromkeys(names)))
    if not standings:
        raise Refused(
            "unknown_secret", "the stack has no policy, so there is nothing to rotate", "add one to policies/"
        )
    return standings


def watched(journeys: Sequence[Journey]) -> list[Row]:
    """The rows of all journeys, after showing their progress to the end."""
    with progress() as shown:
        follow(journeys, shown)
    return [row(journey) for journey in journeys]


def succeeded(rows: Sequence[Row]) -> bool:
    """Whether every row ended well."""
    return all(one.exit is Exit.DONE for one in rows)


def tell_remedies(rows: Sequence[Row]) -> None:
    """What to do about each row that did not end well."""
    for one in rows:
        if one.remedy:
            err().print(f"next for {one.secret}: {one.remedy}")


def document(one: Row) -> dict[str, object]:
    """A row for programs."""
    return asdict(one)


def rows_table(rows: Sequence[Row]) -> RenderableType:
    """The rows for people: whole ids are in `--json` and in `keyturn history`."""
    shown = table("", "credential", "store", "old", "new", "phases (seconds)", "outcome", "proof")
    for one in rows:
        phases = "  ".join(f"{time.phase} {time.seconds:.2f}" for time in one.phases)
        outcome = f"{one.outcome}: {one.reason}" if one.reason else one.outcome
        told = one.proof or one.message
        shown.add_row(one.secret, one.store, short(one.old), short(one.new), phases, outcome, told)
    return shown


def short(version: str) -> str:
    """The start of a version's id; a dash where there is none."""
    return version[:_VERSION_CHARS] or "-"


def interrupted(journeys: Sequence[Journey], stack: str, *, as_json: bool) -> Exit:
    """Say what goes on without us, and how to look at it."""
    under_way = [one.secret for one in journeys if not one.done and (one.rotation or one.retirement)]
    option = "" if stack == "local" else f" --stack {stack}"
    looks = ", ".join(f"`keyturn history {name}{option}`" for name in under_way)
    message = (
        f"interrupted: the runs of {', '.join(under_way)} go on in the stack {stack}"
        if under_way
        else "interrupted: no run is under way"
    )
    return told(
        Exit.INTERRUPTED, "interrupted", message, f"look at them with {looks}" if looks else "", as_json=as_json
    )


def _started_only(control: Control, standings: Sequence[Standing], reason: str, *, as_json: bool) -> int:
    started = {standing.secret: control.rotate(standing.secret, reason) for standing in standings}
    if as_json:
        emit({"ok": True, "started": [{"secret": name, **one.model_dump()} for name, one in started.items()]})
        return Exit.DONE
    for name, one in started.items():
        err().print(f"{name}  run {one.run_id} started: `keyturn history {name} --run {one.run_id}` shows it")
    return Exit.DONE
