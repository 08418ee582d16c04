"""`keyturn plan`: what `keyturn rotate` would do now, when it comes by itself, and whether it can work. Reads only."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Group
from rich.text import Text

from keyturn import connect, tree
from keyturn.console import show
from keyturn.exits import Exit
from keyturn.options import AsJson, Names, StackName
from keyturn.plan_probe import preflights
from keyturn.plan_view import plan_shown
from keyturn.planning import Around, plan_of
from keyturn.stops import known_stops

NOT_JUDGED = (
    "not judged: permissions to write and the channels to consumers, which cannot be tried without writing; "
    "times are floors, calls come on top"
)


def plan(names: Names = None, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Show what a rotation started now would do, when it comes by itself, whom it meets. Changes nothing.

    The store's function looks from inside, as a run would: store, ledger, target, and Keyturn's own credential there.
    Showing the credential to its target is a login. Ends with 17 when something that a run needs is not there.

    For example:

        keyturn plan

        keyturn plan payments/postgres --stack prod
    """
    control = connect.control_of(stack)
    standings = control.status(names or [])
    stops = known_stops(control, datetime.now(UTC), stack)
    seen = preflights(control, [standing.secret for standing in standings if not standing.removed])
    around = Around(known=tree.digests(stack), stops=stops, stack=stack, seen=seen)
    plans = [plan_of(control, standing, around) for standing in standings]
    whole = not any(preflight.failed for preflight in seen.values())
    document = {"ok": whole, "stack": stack, "plans": plans, "not_judged": NOT_JUDGED}
    show(Group(*map(plan_shown, plans), Text(NOT_JUDGED, style="dim")), document, as_json=as_json)
    return Exit.DONE if whole else Exit.CHECK_FAILED
