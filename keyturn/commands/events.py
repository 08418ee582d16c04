"""`keyturn events`: what consumers have not been told, and telling them again at once.

Not here: what lies in the dead-letter queues, which consumers could not handle (docs/runbooks/dead-letters.md).
"""

from __future__ import annotations

from typing import Annotated

import typer

from keyturn import connect
from keyturn.console import err, show
from keyturn.events_view import SENT, sent_table, waiting_table
from keyturn.exits import Exit, of_reason
from keyturn.lengths import instant
from keyturn.options import AsJson, Chosen, Every, Names, StackName, some_or_all
from rotation.ledger.moments import timestamp

_FAILED = "a channel did not take an event, and the sweep goes on sending it"
_REMEDY = "docs/runbooks/dead-letters.md says what each refusal means"

Since = Annotated[
    str,
    typer.Option("--since", help="Also what was delivered since 2026-12-24T18:00Z, as far as it holds."),
]


def waiting(names: Names = None, stack: StackName = "local", as_json: AsJson = False) -> int:
    """List what some channel has not taken; the sweep sends it again by itself, ever more seldom.

    For example:

        keyturn events list

        keyturn events list payments/postgres --json
    """
    found = connect.control_of(stack).undelivered(names or [])
    show(waiting_table(found), {"ok": True, "stack": stack, "undelivered": found}, as_json=as_json)
    return Exit.DONE


def replay(
    names: Chosen = None,
    every: Every = False,
    since: Since = "",
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """Send at once what consumers have not been told; a repeat has the same id, so that it harms nobody.

    For example:

        keyturn events replay --all

        keyturn events replay payments/postgres --since 2026-12-24T18:00Z
    """
    named, moment = some_or_all(names, every=every), timestamp(instant(since)) if since else ""
    sent = list(connect.control_of(stack).replay(named, moment))
    failed = [one for one in sent if one.outcome != SENT]
    document = {"ok": not failed, "stack": stack, "sent": sent}
    if not failed:
        show(sent_table(sent), document, as_json=as_json)
        return Exit.DONE
    code = of_reason(failed[0].reason)
    said = {"reason": failed[0].reason, "message": _FAILED, "remedy": _REMEDY, "exit_code": int(code)}
    show(sent_table(sent), {**document, **said}, as_json=as_json)
    err().print(f"{_FAILED}: {_REMEDY}")
    return code
