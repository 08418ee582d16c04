"""`keyturn approvals`: the runs that wait for a person, and the answer to one of them."""

from __future__ import annotations

from typing import Annotated

import typer

from keyturn import connect
from keyturn.approval_answer import Approval
from keyturn.approvals_view import as_document, waiting_table
from keyturn.console import err, show
from keyturn.exits import Exit
from keyturn.options import AsJson, Reason, StackName

RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run that waits, as `keyturn approvals` lists it.")]


def waiting(
    context: typer.Context,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """List the runs that wait for approval: who asked for them, why, and what has changed in the policy.

    The change is from the policy of the last run that was approved.

    For example:

        keyturn approvals

        keyturn approvals approve RUN --reason "seen with the payments team"
    """
    if context.invoked_subcommand:
        return Exit.DONE
    found = connect.control_of(stack).approvals()
    document = {"ok": True, "stack": stack, "waiting": [as_document(one) for one in found]}
    show(waiting_table(found, stack), document, as_json=as_json)
    return Exit.DONE


def approve(run: RunId, reason: Reason, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Let a run begin. Whoever asked for it cannot, nor can who has none of the roles that the policy names.

    For example:

        keyturn approvals approve 3f2a8c1d9e7b4f60a1c2d3e4f5061728 --reason "seen with the payments team"
    """
    return _told(connect.control_of(stack).approve(run, reason), as_json=as_json)


def deny(run: RunId, reason: Reason, stack: StackName = "local", as_json: AsJson = False) -> int:
    """End a run before it begins.

    For example:

        keyturn approvals deny 3f2a8c1d9e7b4f60a1c2d3e4f5061728 --reason "the quarter closes"
    """
    return _told(connect.control_of(stack).deny(run, reason), as_json=as_json)


def _told(said: Approval, *, as_json: bool) -> Exit:
    show(f"{said.secret}  run {said.run_id} {_ends(said)}", {"ok": True, "approval": said}, as_json=as_json)
    if not said.delivered:
        err().print("its machine has not heard of it yet: the sweep tells it within minutes")
    return Exit.DONE


def _ends(said: Approval) -> str:
    if said.status != "approved":
        return "is denied, and ends"
    if said.cause == "window_closed":
        return "is approved, but the policy's window has closed: it ends, and may start again in the next"
    return "is approved, and goes on"
