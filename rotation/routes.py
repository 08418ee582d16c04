"""The routes of the endpoint: which verb of control is reached where, and what kind of verb it is.

One list for whoever declares the routes, serves them, calls them and grants them. Each verb has a route of its own, so
that IAM can grant it alone. Breaking the glass is another route to the same verb: it is granted apart, and no body can
ask for it. Imports nothing of the project. Not here: what a verb does (`rotation.control`), and its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

METHOD = "POST"

# Verbs that change nothing: they may be repeated.
READ = (
    *("approvals", "consumers", "diagnose", "history", "probe"),
    *("reminders", "run", "status", "switch", "undelivered"),
)
# What an operator does by day and by night.
OPERATE = (
    *("freeze", "mend", "overlap_close", "overlap_extend", "reminder_done", "replay", "resume"),
    *("retire", "rollback", "rotate", "unfreeze"),
)
# What those do whom policies name as approvers: apart from who starts runs.
APPROVE = ("approve", "deny")
# What the consumers of a credential say, each with a role of its own: granted to no person.
CONSUME = ("acknowledge",)
# What stops, starts or mutes the whole stack.
EMERGENCY = ("emergency", "engage", "release", "report_only")
# Verbs that can pass a freeze and report-only.
BREAK_GLASS = ("emergency", "overlap_close", "resume", "retire", "rotate")


class Route(NamedTuple):
    """One way to a verb."""

    verb: str
    break_glass: bool

    @property
    def path(self) -> str:
        """`/verbs/rotate`, or `/verbs/break_glass/rotate`."""
        return f"/verbs/break_glass/{self.verb}" if self.break_glass else f"/verbs/{self.verb}"

    @property
    def key(self) -> str:
        """As API Gateway names it, in its configuration and in every event: `POST /verbs/rotate`."""
        return f"{METHOD} {self.path}"


def _routes() -> Mapping[str, Route]:
    usual = [Route(verb, break_glass=False) for verb in (*READ, *OPERATE, *APPROVE, *CONSUME, *EMERGENCY)]
    glass = [Route(verb, break_glass=True) for verb in BREAK_GLASS]
    return {route.key: route for route in (*usual, *glass)}


# Every route by its key.
ROUTES = _routes()
