"""`keyturn status`: where secrets stand, as control knows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import RenderableType

from keyturn import connect
from keyturn.answers import Standing
from keyturn.commands.rotate import short
from keyturn.console import moment, seconds, show, table, until
from keyturn.exits import Exit
from keyturn.options import AsJson, Names, StackName


def status(names: Names = None, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Show where secrets stand: current version, a run under way, an open overlap, how the last run ended.

    For example:

        keyturn status

        keyturn status payments/postgres --json
    """
    standings = connect.control_of(stack).status(names or [])
    show(standings_table(standings), {"ok": True, "stack": stack, "secrets": standings}, as_json=as_json)
    return Exit.DONE


def standings_table(standings: Sequence[Standing]) -> RenderableType:
    """One line a secret."""
    shown = table("", "credential", "store", "cadence", "overlap", "current", "now", "last run")
    for one in standings:
        policy, current = one.policy, one.head.current
        shown.add_row(
            one.secret,
            policy.store,
            policy.cadence,
            seconds(policy.overlap_s),
            short(current.id) if current else "no value yet",
            now(one),
            last_run(one),
        )
    return shown


def now(standing: Standing) -> str:
    """What is under way: a claim, an open overlap, or nothing."""
    head = standing.head
    if head.run_id:
        return f"run {short(head.run_id)} is under way"
    if head.overlap:
        return f"overlap {until(head.overlap.retire_at, datetime.now(UTC))}"
    return "settled" if head.current else "waits for its first value"


def last_run(standing: Standing) -> str:
    """The last run in a few words."""
    run = standing.last_run
    if run is None:
        return "none"
    reason = f": {run.failure.get('reason', '')}" if run.failure else ""
    return f"{run.machine} {run.status}{reason}, {moment(run.ended_at or run.started_at)}"
