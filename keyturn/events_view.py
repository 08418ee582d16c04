"""Events that consumers are owed, and those that were sent again, as the command knows and shows them.

References only: an event says which secret has which version. Not here: asking for them (`commands.events`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from keyturn.answers import Answer
from keyturn.console import moment, table

# What a step of a run tells, by the step's name.
_TOLD = {
    "publish": "promoted",
    "publish_back": "rolled back",
    "publish_reverted": "rolled back",
    "publish_retired": "retired",
}
SENT = "passed"


class Undelivered(Answer):
    """What one step of a run tells consumers, and some channel does not have. due_at: when the sweep sends it again."""

    secret: str
    run_id: str
    step: str
    due_at: datetime
    attempts: int = 0


class Sent(Answer):
    """One that was sent again. outcome: `passed`, or `failed` for a `reason`, the channels that did not take it."""

    secret: str
    run_id: str
    step: str
    outcome: str
    reason: str = ""


def waiting_table(found: Sequence[Undelivered]) -> RenderableType:
    """One line an event."""
    if not found:
        return Text("no event waits: every channel has what consumers are owed")
    shown = table("", "credential", "event", "run", "sent again in vain", "again at")
    for one in found:
        shown.add_row(one.secret, told(one.step), one.run_id, str(one.attempts), moment(one.due_at))
    return shown


def sent_table(sent: Sequence[Sent]) -> RenderableType:
    """One line an event."""
    if not sent:
        return Text("nothing to send: every channel has what consumers are owed")
    shown = table("", "credential", "event", "run", "outcome")
    for one in sent:
        outcome = "sent" if one.outcome == SENT else f"not sent: {one.reason}"
        shown.add_row(one.secret, told(one.step), one.run_id, outcome)
    return shown


def told(step: str) -> str:
    """The event of a step, in words."""
    return _TOLD.get(step, step)
