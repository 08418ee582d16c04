"""`keyturn emergency`: rotate one secret, a group or all because something leaked, at the pace that the stores allow.

The sweep does it: it goes on where a call or a process broke off, and keeps every store below its ceiling. Not here:
rotating a few and watching them (`rotate`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from keyturn import connect
from keyturn.asking import demand
from keyturn.console import err, show, table
from keyturn.control import Control
from keyturn.exits import Exit
from keyturn.options import AsJson, BreakGlass, Every, Reason, StackName, Yes, complete_secrets
from keyturn.remedies import at
from keyturn.stops import Stop, known_stops
from keyturn.switch_view import stop_lines
from rotation.errors import KeyturnError

Group = Annotated[str, typer.Option("--group", help="Every secret whose policy names this group.")]
One = Annotated[
    str, typer.Argument(metavar="[NAME]", help="One secret, --group, or --all.", autocompletion=complete_secrets)
]


def emergency(  # noqa: PLR0913, PLR0917  # one per option of the verb
    reason: Reason,
    name: One = "",
    group: Group = "",
    every: Every = False,
    break_glass: BreakGlass = False,
    yes: Yes = False,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """Rotate because something leaked: one secret, a group, or all. Old credentials die without an overlap.

    The sweep starts the runs within five minutes, whatever windows say, as fast as the stores' write ceilings allow.
    What a switch stops waits until that is over, and is named. Watch them with `keyturn status`. Asking twice is
    harmless. What AWS's own schedule rotates is only named: rotate it there.

    For example:

        keyturn emergency --group payments --reason "the laptop of an administrator was stolen"

        keyturn emergency --all --reason "the backup was public"
    """
    scope = _scope(name, group, every=every)
    meant = name or (f"the group {group}" if group else f"every secret of the stack {stack}")
    demand(f"rotate {meant} now, and let the old credentials die?", yes=yes)
    control = connect.control_of(stack, to_start=True)
    told = control.emergency(scope, reason, break_glass=break_glass)
    stops = _in_the_way(control, [*told["asked"], *told["already"]], stack, break_glass=break_glass)
    shown = table("", "asked for", "waited for already", "not Keyturn's")
    shown.add_row(meant, *(str(len(told[part])) for part in ("asked", "already", "not_ours")))
    show(shown, {"ok": True, **told, "in_the_way": stops}, as_json=as_json)
    if told["not_ours"]:
        names = ", ".join(told["not_ours"])
        err().print(f"not asked for, because AWS's own schedule rotates them: {names}", markup=False)
        err().print("rotate each of them there: `aws secretsmanager rotate-secret --secret-id PATH`", markup=False)
    for line in stop_lines(stops):
        err().print(line)
    but = ", but for what is stopped" if stops else ""
    err().print(f"the sweep starts them within five minutes{but}; `keyturn status{at(stack)}` shows which of them wait")
    return Exit.DONE


def _in_the_way(control: Control, names: Sequence[str], stack: str, *, break_glass: bool) -> list[Stop]:
    """What keeps the sweep from starting some of them. They are asked for all the same: it does when that is over."""
    try:
        stops = known_stops(control, datetime.now(UTC), stack)
    except KeyturnError as exc:
        err().print(f"what stops runs is not known: {exc.message} [{exc.reason}]", style="red", markup=False)
        return []
    ours = [one for one in stops if not one.secret or one.secret in names]
    return [one for one in ours if not (break_glass and one.break_glass)]


def _scope(name: str, group: str, *, every: bool) -> dict[str, Any]:
    said: list[dict[str, Any]] = [{"secret": name}] if name else []
    said += [{"group": group}] if group else []
    said += [{"all": True}] if every else []
    if len(said) != 1:
        raise typer.BadParameter("name one secret, or a group with --group, or say --all")
    return said[0]
