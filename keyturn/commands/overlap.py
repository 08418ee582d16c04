"""`keyturn overlap`: end an overlap before its time, or make it longer."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from keyturn import connect
from keyturn.answers import Closing, Overlap
from keyturn.console import moment, show
from keyturn.control import Control
from keyturn.endings_view import show_endings, show_started
from keyturn.errand import Errand, watched
from keyturn.exits import Exit
from keyturn.interruption import interrupted
from keyturn.lengths import length
from keyturn.options import AsJson, BreakGlass, Name, NoWait, Reason, StackName
from keyturn.remedies import About, remedy
from keyturn.retirement import Retirement
from rotation.errors import Refused

By = Annotated[str, typer.Option("--by", help="How much longer, e.g. 30min, 24h or 2d.", show_default=False)]


Cut = Annotated[
    bool,
    typer.Option(
        "--without-acknowledgements", help="Also where consumers have not acknowledged the new credential; recorded."
    ),
]


def close(  # noqa: PLR0913, PLR0917  # one per option of the verb
    name: Name,
    reason: Reason,
    break_glass: BreakGlass = False,
    without_acknowledgements: Cut = False,
    no_wait: NoWait = False,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """End the overlap of a secret now, and watch until its old credential is proven dead.

    Who still uses the old credential is refused from then on; consumers that acknowledge are waited for, unless you say
    otherwise: `keyturn consumers` shows them.

    For example:

        keyturn overlap close payments/postgres --reason "all consumers have the new one"

        keyturn overlap close partners/webhook-key --without-acknowledgements --reason "that replica is gone"
    """
    control = connect.control_of(stack, to_start=True)
    overlap = _open_overlap(control, name, stack)

    def ask() -> Closing:
        return control.overlap_close(name, reason, break_glass=break_glass, unacknowledged=without_acknowledgements)

    if no_wait:
        started = ask()
        return show_started(name, "retire", started.run_id, started.execution, as_json=as_json)
    course = Retirement(
        control,
        name,
        overlap,
        ask,
        time.monotonic,
    )
    errand = Errand(name, "retire", course)
    try:
        ended = watched(errand, stack)
    except KeyboardInterrupt:
        return interrupted([name] if errand.watched else [], stack, as_json=as_json)
    return show_endings([ended], "", {"secret": name}, as_json=as_json)


def extend(name: Name, by: By, reason: Reason, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Let the old credential of a secret live longer than its overlap says.

    For example:

        keyturn overlap extend payments/postgres --by 24h --reason "the batch job restarts tomorrow"
    """
    seconds = length(by)
    extended = connect.control_of(stack, to_start=True).overlap_extend(name, reason, seconds)
    told = f"{name}: the old credential stays valid until {moment(extended.retire_at)}"
    show(told, {"ok": True, "secret": name, "retire_at": extended.retire_at}, as_json=as_json)
    return Exit.DONE


def _open_overlap(control: Control, name: str, stack: str) -> Overlap:
    overlap = control.status([name])[0].head.overlap
    if overlap is None:
        next_step = remedy("no_open_overlap", About(secret=name, stack=stack))
        raise Refused("no_open_overlap", f"{name} has no open overlap to close", next_step)
    return overlap
