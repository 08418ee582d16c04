"""`keyturn emergency`: rotate one secret, a group or all because something leaked, at the pace that the stores allow.

The sweep does it: it goes on where a call or a process broke off, and keeps every store below its ceiling. Not here:
rotating a few and watching them (`rotate`).
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from keyturn import connect
from keyturn.asking import demand
from keyturn.console import err, show, table
from keyturn.exits import Exit
from keyturn.options import AsJson, BreakGlass, Every, Reason, StackName, Yes, complete_secrets

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
    Watch them with `keyturn status`. Asking twice is harmless. What AWS's own schedule rotates is only named: rotate it
    there.

    For example:

        keyturn emergency --group payments --reason "the laptop of an administrator was stolen"

        keyturn emergency --all --reason "the backup was public"
    """
    scope = _scope(name, group, every=every)
    meant = name or (f"the group {group}" if group else f"every secret of the stack {stack}")
    demand(f"rotate {meant} now, and let the old credentials die?", yes=yes)
    told = connect.control_of(stack, to_start=True).emergency(scope, reason, break_glass=break_glass)
    shown = table("", "asked for", "waited for already", "not Keyturn's")
    shown.add_row(meant, *(str(len(told[part])) for part in ("asked", "already", "not_ours")))
    show(shown, {"ok": True, **told}, as_json=as_json)
    if told["not_ours"]:
        names = ", ".join(told["not_ours"])
        err().print(f"not asked for, because AWS's own schedule rotates them: {names}", markup=False)
        err().print("rotate each of them there: `aws secretsmanager rotate-secret --secret-id PATH`", markup=False)
    err().print("the sweep starts them within five minutes; `keyturn status` shows how far it is")
    return Exit.DONE


def _scope(name: str, group: str, *, every: bool) -> dict[str, Any]:
    said: list[dict[str, Any]] = [{"secret": name}] if name else []
    said += [{"group": group}] if group else []
    said += [{"all": True}] if every else []
    if len(said) != 1:
        raise typer.BadParameter("name one secret, or a group with --group, or say --all")
    return said[0]
