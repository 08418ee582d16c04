"""`keyturn status`: where secrets stand, as control knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.text import Text

from keyturn import connect
from keyturn.answers import Emergency, Standing
from keyturn.commands.consumers import consumer_words
from keyturn.commands.rotate import short
from keyturn.console import moment, seconds, show, table, until
from keyturn.exits import Exit
from keyturn.going_back import horizon_words
from keyturn.options import AsJson, Names, StackName
from keyturn.stops import known_stops
from keyturn.switch_view import stop_lines, unended_lines
from keyturn.unended import unended


def status(names: Names = None, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Show where secrets stand: current version, a run under way, an open overlap, how the last run ended.

    On top what stops runs now, and why; below how far back a rollback leads, emergencies that are not done, and runs
    that wait for somebody.

    For example:

        keyturn status

        keyturn status payments/postgres --json
    """
    control = connect.control_of(stack)
    standings = control.status(names or [])
    stops = known_stops(control, datetime.now(UTC), stack)
    left = unended(control, standings)
    document = {
        "ok": True,
        "stack": stack,
        "in_force": stops,
        "secrets": standings,
        "unended": [one.run for one in left],
    }
    lines = [*rollback_lines(standings), *consumer_lines(standings), *emergency_lines(standings)]
    lines += unended_lines(left, stack)
    stuck = {one.run.run_id: one.words for one in left}
    show(Group(*stop_lines(stops), standings_table(standings, stuck), Text(), *lines), document, as_json=as_json)
    return Exit.DONE


def rollback_lines(standings: Sequence[Standing]) -> list[Text]:
    """A line a secret: how far back a rollback leads."""
    known = [(one.secret, horizon_words(one.rollback)) for one in standings]
    return [Text(f"{secret}  rollback: {words}", style="dim") for secret, words in known if words]


def consumer_lines(standings: Sequence[Standing]) -> list[Text]:
    """A line a consumer that acknowledges: how many of its instances have."""
    found = [(standing.secret, one) for standing in standings for one in standing.consumers]
    return [Text(f"{secret}  consumer {one.name}: {consumer_words(one)}", style="dim") for secret, one in found]


def emergency_lines(standings: Sequence[Standing]) -> list[Text]:
    """A line for each emergency rotation that is not done: who asked, when and why, how often it failed."""
    found = [(one.secret, one.emergency) for one in standings if one.emergency]
    return [Text(f"{secret}  {_emergency(emergency)}", style="bold red") for secret, emergency in found]


def _emergency(asked: Emergency) -> str:
    failed = f"; failed {asked.failures}x, last: {asked.cause}" if asked.failures else ""
    at = f" at {moment(asked.asked_at)}" if asked.asked_at else ""
    by = f"by {asked.requested_by or 'nobody known'}: {asked.reason or 'no reason given'}"
    return f"emergency rotation not done yet: asked for{at} {by}{failed}"


def standings_table(standings: Sequence[Standing], stuck: Mapping[str, str]) -> RenderableType:
    """One line a secret; `stuck` says of runs that do not go on by themselves what is the matter with them."""
    shown = table("", "credential", "store", "cadence", "overlap", "current", "now", "last run")
    for one in standings:
        policy, current = one.policy, one.head.current
        shown.add_row(
            one.secret,
            policy.store,
            policy.cadence,
            seconds(policy.overlap_s),
            short(current.id) if current else "no value yet",
            now(one, stuck),
            last_run(one),
        )
    return shown


def now(standing: Standing, stuck: Mapping[str, str]) -> str:
    """What is under way: a claim, an open overlap, or nothing."""
    waits = standing.approval.waits if standing.approval else ""
    head, removed = standing.head, "; its policy was removed" if standing.removed else ""
    if head.run_id:
        return f"run {short(head.run_id)} {stuck.get(head.run_id, waits or 'is under way')}{removed}"
    if standing.emergency:
        return f"waits for its emergency rotation{removed}"
    if head.overlap:
        return f"overlap {until(head.overlap.retire_at, datetime.now(UTC))}{removed}"
    return "settled" if head.current else "waits for its first value"


def last_run(standing: Standing) -> str:
    """The last run in a few words."""
    run = standing.last_run
    if run is None:
        return "none"
    reason = f": {run.failure.get('reason', '')}" if run.failure else ""
    return f"{run.machine} {run.status}{reason}, {moment(run.ended_at or run.started_at)}"
