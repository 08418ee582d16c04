"""`keyturn reminder`: what people have to change by hand, and the evidence that somebody did."""

from __future__ import annotations

from typing import Annotated

import typer

from keyturn import connect
from keyturn.console import err, show
from keyturn.exits import Exit
from keyturn.options import AsJson, Name, Reason, StackName
from keyturn.reminder_view import waiting_table

VersionId = Annotated[
    str, typer.Option("--version-id", help="The version that you made, as the store named it when you put it there.")
]


def listed(stack: StackName = "local", as_json: AsJson = False) -> int:
    """List what people have to change by hand: who, where, and until when.

    For example:

        keyturn reminder list
    """
    found = connect.control_of(stack).reminders()
    document = {"ok": True, "stack": stack, "waiting": [one.model_dump(mode="json") for one in found]}
    show(waiting_table(found, stack), document, as_json=as_json)
    return Exit.DONE


def done(name: Name, version_id: VersionId, reason: Reason, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Say that you have changed a credential by hand, and which version of the secret holds the new one.

    The store is asked whether the version is there, is what readers get, and is younger than the one before; no value
    is read. Who says so is kept with it.

    For example:

        keyturn reminder done billing/processor-login --version-id 4c9b7c0e-... --reason "changed at the console"
    """
    said = connect.control_of(stack).reminder_done(name, version_id, reason)
    told = f"{said.secret}  run {said.run_id}: version {said.version} is kept as what {said.by} made by hand"
    show(told, {"ok": True, "reminder": said}, as_json=as_json)
    if not said.delivered:
        err().print("its machine has not heard of it yet: the sweep tells it within minutes")
    return Exit.DONE
