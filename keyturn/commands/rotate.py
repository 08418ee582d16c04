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
from keyturn.failures import first_failure
from keyturn.follow import follow
from keyturn.interruption import interrupted
from keyturn.journey import Journey, Wish
from keyturn.options import AsJson, BreakGlass, Chosen, Every, NoWait, StackName, some_or_all
from keyturn.outcome import Row, row
from keyturn.progress import progress
from keyturn.remedies import at
from keyturn.stack import LOCAL
from rotation.errors import Refused

DEFAULT_REASON = "asked for with keyturn rotate"
Emergency = Annotated[
    bool,
    typer.Option("--emergency", help="It leaked: no overlap, the old credential dies as soon as the new one works."),
]
# Enough of a version's id to tell it from its neighbours.
_VERSION_CHARS = 8


def rotate(  # noqa: PLR0913, PLR0917  # one per option of the verb
    names: Chosen = None,
    every: Every = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the run's record.")] = DEFAULT_REASON,
    emergency: Emergency = False,
    break_glass: BreakGlass = False,
    no_wait: NoWait = False,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """Rotate secrets now, and show each run until the old credential is proven dead.

    An overlap of up to a minute is waited for; a longer one is ended by the schedule, and the table says when.
    In an emergency an open overlap is ended first, then the rotation follows, then the old credential is retired:
    control goes from one to the next by itself. The policy's window and freezes, its group and its parent hold a
    rotation, as they hold the schedule; an emergency and --break-glass pass them. Interrupting stops the watching,
    never the runs.

    For example:

        keyturn rotate payments/postgres

        keyturn rotate --all --reason "left the company"

        keyturn rotate payments/postgres --emergency --reason "the password is in a public log"
    """
    named = some_or_all(names, every=every)
    wish = _wish(reason, emergency=emergency, break_glass=break_glass)
    control = connect.control_of(stack, to_start=True)
    standings = chosen(control, named)
    if no_wait:
        return _started_only(control, standings, wish, stack, as_json=as_json)
    journeys = [Journey(control, standing, wish, time.monotonic) for standing in standings]
    try:
        rows = watched(journeys, stack)
    except KeyboardInterrupt:
        return interrupted(under_way(journeys), stack, as_json=as_json)
    whole = {"ok": succeeded(rows), "rotations": [document(one) for one in rows], **first_failure(rows)}
    show(rows_table(rows), whole, as_json=as_json)
    tell_remedies(rows)
    return worst([one.exit for one in rows])


def _wish(reason: str, *, emergency: bool, break_glass: bool) -> Wish:
    if not reason.strip() or ((emergency or break_glass) and reason == DEFAULT_REASON):
        raise typer.BadParameter("say why with --reason: it is kept in the record, beside who you are")
    return Wish(reason=reason, emergency=emergency, break_glass=break_glass)


def chosen(control: Control, names: Sequence[str]) -> list[Standing]:
    """Where the named secrets stand, or all; Refused before anything starts when one is unknown or there is none.

    A secret whose policy was removed is unknown here: what it has left open is ended, and nothing begins.
    """
    standings = control.status(list(dict.fromkeys(names)))
    gone = [one.secret for one in standings if one.removed]
    if gone and names:
        next_step = f"`keyturn overlap close {gone[0]} --reason WHY` ends what it has left open"
        raise Refused("unknown_secret", f"no policy names the secret `{gone[0]}` any more", next_step)
    standings = [one for one in standings if not one.removed]
    if not standings:
        raise Refused(
            "unknown_secret", "the stack has no policy, so there is nothing to rotate", "add one to policies/"
        )
    return standings


def watched(journeys: Sequence[Journey], stack: str = LOCAL) -> list[Row]:
    """The rows of all journeys, after showing their progress to the end."""
    with progress() as shown:
        follow(journeys, shown)
    return [row(journey, stack) for journey in journeys]


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
    return {**asdict(one), "exit_code": int(one.exit)}


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


def under_way(journeys: Sequence[Journey]) -> list[str]:
    """The secrets whose runs go on without us."""
    return [one.secret for one in journeys if not one.done and (one.rotation or one.retirement)]


def _started_only(control: Control, standings: Sequence[Standing], wish: Wish, stack: str, *, as_json: bool) -> int:
    started = {
        one.secret: control.rotate(one.secret, wish.reason, emergency=wish.emergency, break_glass=wish.break_glass)
        for one in standings
    }
    if as_json:
        emit({"ok": True, "started": [{"secret": name, **one.model_dump()} for name, one in started.items()]})
        return Exit.DONE
    for name, one in started.items():
        before = f"{one.first}, which is in the way, and then the rotation: " if one.first else ""
        look = f"`keyturn history {name}{at(stack)}`" if one.first else f"`keyturn history {name} --run {one.run_id}`"
        err().print(f"{name}  {before}run {one.run_id} started: {look} shows it")
    return Exit.DONE
