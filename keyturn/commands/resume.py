"""`keyturn resume`: let a run go on that a switch had stopped, or that lost its execution."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from keyturn import connect
from keyturn.aftermath import after
from keyturn.answers import RunInFull
from keyturn.endings_view import show_endings, show_started
from keyturn.errand import Errand, watched
from keyturn.exits import Exit
from keyturn.interruption import interrupted
from keyturn.options import AsJson, BreakGlass, NoWait, Reason, StackName
from keyturn.runs import find_run
from keyturn.watch import Watch

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or a beginning of it; `status` shows it.")]


def resume(  # noqa: PLR0913, PLR0917  # one per option of the verb
    run: RunArgument,
    reason: Reason,
    break_glass: BreakGlass = False,
    no_wait: NoWait = False,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """Let a halted run go on where it stopped, and watch it to its end.

    For example:

        keyturn resume 3f2a91c0 --reason "the switch is released"

        keyturn resume 3f2a91c0 --break-glass --reason "it leaked, and the freeze lasts until Monday"
    """
    control = connect.control_of(stack, to_start=True)
    before = find_run(control, run, stack)
    started = control.resume(before.run_id, reason, break_glass=break_glass)
    if no_wait:
        return show_started(before.secret, before.machine, started.run_id, started.execution, as_json=as_json)
    errand = Errand(before.secret, before.machine, Watch(control, started, time.monotonic, before))
    try:
        ended = watched(errand, stack, wanted(before))
        follows, note = after(control, ended, reason, stack) if ended.exit is Exit.DONE else ([], "")
    except KeyboardInterrupt:
        return interrupted([before.secret], stack, as_json=as_json)
    return show_endings([ended, *follows], note, {"secret": before.secret}, as_json=as_json)


def wanted(run: RunInFull) -> frozenset[str]:
    """The statuses in which a run that goes on has done what it was to do: one that is undone never succeeds."""
    return frozenset({"undone" if run.direction == "undo" else "succeeded"})
