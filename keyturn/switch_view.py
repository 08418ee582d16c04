"""How the switch is shown: what stops runs now with who and why, then the changes that led there."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from keyturn.console import moment, table
from keyturn.stops import Stop
from keyturn.switch_state import WHOLE_STACK, Switch
from keyturn.unended import Unended

NOTHING = "nothing stops runs: no kill switch, no freeze, no report-only mode"


def stop_lines(stops: Sequence[Stop]) -> list[Text]:
    """A line for each thing that stops runs, with what to do about it."""
    return [Text(f"{one.reason}: {one.message}; {one.remedy}", style="bold red") for one in stops]


def in_force(stops: Sequence[Stop]) -> RenderableType:
    """What stops runs, or that nothing does."""
    return Group(*(stop_lines(stops) or [Text(NOTHING)]))


def unended_lines(unended: Sequence[Unended], stack: str) -> list[Text]:
    """A line for each run that holds its claim and does not go on by itself, with the commands that go on."""
    return [Text(f"{one.secret}  {one.says}: {one.next_step(stack)}", style="yellow") for one in unended]


def switch_table(switch: Switch, stops: Sequence[Stop]) -> RenderableType:
    """What is in force, and the newest changes first."""
    if not switch.audit:
        return in_force(stops)
    changes = table("", "when", "what", "about", "who", "why")
    for entry in sorted(switch.audit, key=lambda one: one.at, reverse=True):
        changes.add_row(moment(entry.at), entry.verb, entry.about or WHOLE_STACK, entry.actor, entry.reason)
    return Group(in_force(stops), Text(), changes)
