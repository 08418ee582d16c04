"""`keyturn sandbox up|down|status` and `keyturn clean`: the embedded cloud as a whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from keyturn.bring_up import BroughtUp, bring_up
from keyturn.console import err, out, show, table
from keyturn.exits import Exit
from keyturn.options import AsJson
from keyturn.telling import stages
from sandbox.layout import Layout

Again = Annotated[bool, typer.Option("--again", help="It may be up already: apply the program to it once more.")]
Auth = Annotated[bool, typer.Option("--auth", help="The AWS emulator enforces the policies of roles.")]


def up(again: Again = False, auth: Auth = False, as_json: AsJson = False) -> int:
    """Start the embedded cloud on free loopback ports and apply the program of the stack local to it.

    For example:

        keyturn sandbox up

        keyturn sandbox up --again      (after a change to policies/ or infra/)
    """
    with stages() as tell:
        brought = bring_up(tell, again=again, auth=auth)
    tell_gaps(brought)
    told = Text(f"the sandbox is up: {applied(brought)}; next: `keyturn rotate --all`")
    show(told, {"ok": True, **_document(brought)}, as_json=as_json)
    return Exit.DONE


def applied(brought: BroughtUp) -> str:
    """The operations in words: `create 97, same 3`."""
    return ", ".join(f"{operation} {count}" for operation, count in sorted(brought.operations.items()))


def tell_gaps(brought: BroughtUp) -> None:
    """Say what is declared and recorded, and not emulated: nothing of it is skipped in silence."""
    console = err()
    if brought.declared_only:
        console.print("declared, but emulated by nothing in the sandbox:")
    for kind, why in sorted(brought.declared_only.items()):
        console.print(f"  {kind}: {why}", style="dim")


def _document(brought: BroughtUp) -> dict[str, object]:
    return asdict(brought)


def down(as_json: AsJson = False) -> int:
    """Stop the sandbox. What it held is gone, its logs stay.

    For example:

        keyturn sandbox down
    """
    from sandbox import lifecycle  # noqa: PLC0415  # the parts' clients take a while to import

    with stages() as tell:
        tell.heading("stopping the servers")
        stopped = lifecycle.down(Layout.from_env(), on_progress=lambda part, event: tell.detail(f"{part} {event}"))
    told = f"stopped: {', '.join(stopped)}" if stopped else "no sandbox was up"
    show(Text(told), {"ok": True, "stopped": stopped}, as_json=as_json)
    return Exit.DONE


def state(as_json: AsJson = False) -> int:
    """Show every server of the sandbox; the exit code says whether it is up (0), down, half up or not applied.

    For example:

        keyturn sandbox status --json
    """
    from sandbox import lifecycle  # noqa: PLC0415  # as above

    layout = Layout.from_env()
    states = lifecycle.status(layout)
    shown = table("", "server", "state", "pid", "address", "problem")
    for one in states:
        shown.add_row(one.part, one.state, str(one.pid or "-"), one.address, one.problem)
    running = sum(one.state == lifecycle.RUNNING for one in states)
    whole = running == len(states)
    applied = layout.applied.exists()
    document = {"ok": whole and applied, "applied": applied, "servers": states, "directory": str(layout.root)}
    show(shown, document, as_json=as_json)
    if whole and not applied:
        err().print("servers up, stack not applied: `keyturn sandbox up` goes on applying")
        return Exit.STACK_NOT_APPLIED
    if whole:
        return Exit.DONE
    return Exit.SANDBOX_HALF_UP if any(one.pid for one in states) else Exit.SANDBOX_DOWN


def clean(as_json: AsJson = False) -> int:
    """Stop the sandbox and remove its directory with all that it holds: data, state and logs.

    For example:

        keyturn clean
    """
    from sandbox import lifecycle  # noqa: PLC0415  # as above

    layout = Layout.from_env()
    existed = layout.root.exists()
    lifecycle.remove(layout)
    if as_json:
        show("", {"ok": True, "removed": existed}, as_json=True)
    else:
        out().print("the sandbox is removed" if existed else "there was no sandbox")
    return Exit.DONE
