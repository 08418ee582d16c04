"""`keyturn rollback`: back to the version before, or out of a run that was stopped; shown before it is done."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from keyturn import connect
from keyturn.aftermath import after
from keyturn.answers import GoingBack, RunInFull
from keyturn.asking import demand
from keyturn.console import err
from keyturn.control import Control
from keyturn.endings_view import show_endings
from keyturn.errand import Ending, Errand, watched
from keyturn.exits import Exit
from keyturn.going_back import ROLLBACK, UNDO, preview
from keyturn.interruption import interrupted
from keyturn.options import AsJson, Name, Reason, StackName, Yes
from keyturn.stops import known_stops
from keyturn.watch import Watch

Emergency = Annotated[bool, typer.Option("--emergency", help="What is left counts as leaked: it is retired at once.")]

_GOOD = {UNDO: frozenset({"undone"})}


def rollback(  # noqa: PLR0913, PLR0917  # one per option of the verb
    name: Name,
    reason: Reason,
    emergency: Emergency = False,
    yes: Yes = False,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """Go back to the version before, at the target first, then in the store; or undo a run that was halted.

    Shows what will happen, and asks on a terminal. `keyturn status` says how far back a rollback leads. Nothing stops
    it, neither the kill switch nor a freeze nor report-only: those stop what is new.

    For example:

        keyturn rollback payments/postgres --reason "the new one breaks the batch job"

        keyturn rollback payments/postgres --reason "not now" --yes
    """
    control = connect.control_of(stack, to_start=True)
    shown, undone = preview(control, control.status([name])[0], stack, emergency=emergency)
    err().print(shown.says)
    if emergency and shown.kind == ROLLBACK:
        _say_what_stays(control, name, stack)
    demand(shown.question, yes=yes)
    begun = control.rollback(name, reason, shown.agreed, emergency=emergency)
    try:
        endings, note = _to_the_end(control, name, begun, undone, reason, stack)
    except KeyboardInterrupt:
        return interrupted([name], stack, as_json=as_json)
    document = {"secret": name, "kind": begun.kind, "preview": asdict(shown)}
    return show_endings(endings, note, document, as_json=as_json)


def _say_what_stays(control: Control, name: str, stack: str) -> None:
    """Going back is stopped by nothing; ending what leaked is."""
    for stop in known_stops(control, datetime.now(UTC), stack):
        if stop.concerns(name):
            err().print(f"{stop.reason}: what leaked is left, and stays valid until that is over; {stop.remedy}")


def _to_the_end(  # noqa: PLR0913, PLR0917  # what was begun, and for whom
    control: Control, name: str, begun: GoingBack, undone: RunInFull | None, reason: str, stack: str
) -> tuple[list[Ending], str]:
    # one that waits for approval is ended by its own execution, a retirement in the ledger: nobody takes them over
    taken_over = undone and undone.run_id == begun.run_id and undone.execution != begun.execution
    before = undone if taken_over else None
    errand = Errand(name, begun.kind, Watch(control, begun, time.monotonic, before))
    ended = watched(errand, stack, _GOOD.get(begun.kind, frozenset({"succeeded"})))
    if ended.exit is not Exit.DONE:
        return [ended], ""
    follows, note = after(control, ended, reason, stack)
    return [ended, *follows], note
