"""`keyturn kill-switch`, `freeze`, `unfreeze`, `report-only`: what stops runs, set and shown, with who and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from keyturn import connect
from keyturn.asking import demand
from keyturn.console import err, show
from keyturn.control import Control
from keyturn.exits import Exit
from keyturn.lengths import end
from keyturn.options import AsJson, Chosen, Every, Reason, StackName, Yes, some_or_all
from keyturn.stops import known_stops, stops_of
from keyturn.switch_state import WHOLE_STACK, Switch
from keyturn.switch_view import in_force, stop_lines, switch_table, unended_lines
from keyturn.unended import Unended, unended
from rotation.errors import KeyturnError

ENGAGED = (
    "no new step begins from now on; undoing goes on, and what was begun is halted before its next step: "
    "`keyturn status` lists it with the commands that go on"
)
Until = Annotated[str, typer.Option("--until", help="When it ends, with its zone: 2026-12-24T18:00Z.")]
For = Annotated[str, typer.Option("--for", help="How long it lasts, e.g. 30min, 24h or 2d.")]


def engage(reason: Reason, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Stop every run before its next step, at once. Asks nothing: it is the emergency brake.

    For example:

        keyturn kill-switch engage --reason "the database refuses everybody"
    """
    code = _told(connect.control_of(stack).engage(reason), stack, as_json=as_json)
    err().print(ENGAGED)
    return code


def release(reason: Reason, yes: Yes = False, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Let runs begin again. Halted ones stay halted until somebody resumes them or rolls them back.

    For example:

        keyturn kill-switch release --reason "the database is well again"
    """
    control = connect.control_of(stack)
    left = _before_release(control, stack)
    demand(f"release the kill switch of the stack {stack}?", yes=yes)
    code = _told(control.release(reason), stack, left, as_json=as_json)
    for line in unended_lines(left, stack):
        err().print(line)
    return code


def show_switch(stack: StackName = "local", as_json: AsJson = False) -> int:
    """Show what stops runs now, who set it and why, and the changes before.

    For example:

        keyturn kill-switch show
    """
    switch = connect.control_of(stack).switch()
    stops = stops_of(switch, datetime.now(UTC), stack)
    document = {"ok": True, "stack": stack, "in_force": stops, "switch": switch}
    show(switch_table(switch, stops), document, as_json=as_json)
    return Exit.DONE


def freeze(  # noqa: PLR0913, PLR0917  # one per option of the verb
    reason: Reason,
    names: Chosen = None,
    every: Every = False,
    until: Until = "",
    lasting: For = "",
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """Begin no run of these secrets before a time. A run that is under way is halted before its next step.

    For example:

        keyturn freeze --all --until 2026-12-24T18:00Z --reason "no changes before the holidays"

        keyturn freeze payments/postgres --for 24h --reason "the quarter closes"
    """
    secrets = some_or_all(names, every=every)
    ends = end(until, lasting, datetime.now(UTC))
    control = connect.control_of(stack)
    _check_known(control, secrets)
    return _told(control.freeze(secrets, ends, reason), stack, as_json=as_json)


def unfreeze(
    reason: Reason,
    names: Chosen = None,
    every: Every = False,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """Lift the freeze of these secrets; with --all that of the whole stack, each secret's own freeze stays.

    For example:

        keyturn unfreeze payments/postgres --reason "the quarter is closed"
    """
    secrets = some_or_all(names, every=every)
    control = connect.control_of(stack)
    _check_known(control, secrets)
    for thawed in _not_frozen(control, secrets):
        err().print(f"{thawed} is not frozen: nothing is lifted there")
    return _told(control.unfreeze(secrets, reason), stack, as_json=as_json)


def report_on(reason: Reason, stack: StackName = "local", as_json: AsJson = False) -> int:
    """From now on rotations and retirements only say that they were asked for, and change nothing.

    What a person takes back with `rollback`, or clears with `repair`, is done all the same.

    For example:

        keyturn report-only on --reason "trying the new policies"
    """
    return _told(connect.control_of(stack).report_only(reason, on=True), stack, as_json=as_json)


def report_off(reason: Reason, stack: StackName = "local", as_json: AsJson = False) -> int:
    """From now on rotations and retirements are done again.

    For example:

        keyturn report-only off --reason "the policies are right"
    """
    return _told(connect.control_of(stack).report_only(reason, on=False), stack, as_json=as_json)


def _before_release(control: Control, stack: str) -> list[Unended]:
    """Show what is in force; the runs that wait. Releasing does not depend on that any of it can be read."""
    try:
        for line in stop_lines(known_stops(control, datetime.now(UTC), stack)):
            err().print(line)
        return unended(control, control.status([]))
    except KeyturnError as exc:
        err().print(f"what it stops is not known: {exc.message} [{exc.reason}]", style="red")
        return []


def _not_frozen(control: Control, secrets: Sequence[str]) -> list[str]:
    """Those of them that no freeze of their own stops; nothing where the switch cannot be read."""
    try:
        switch = control.switch()
    except KeyturnError:
        return []
    if not secrets:
        return [] if switch.frozen(datetime.now(UTC)) else [WHOLE_STACK]
    frozen = {freeze.secret for freeze in switch.freezes}
    return [name for name in secrets if name not in frozen]


def _check_known(control: Control, secrets: Sequence[str]) -> None:
    # refused `unknown_secret` before anything is frozen
    if secrets:
        control.status(secrets)


def _told(switch: Switch, stack: str, left: Sequence[Unended] = (), *, as_json: bool) -> Exit:
    stops = stops_of(switch, datetime.now(UTC), stack)
    document = {"ok": True, "stack": stack, "in_force": stops, "switch": switch, "unended": [one.run for one in left]}
    show(in_force(stops), document, as_json=as_json)
    return Exit.DONE
