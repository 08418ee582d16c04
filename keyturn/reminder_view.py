"""What people have to change by hand, as the command knows and says it. Not here: saying that it is done."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from keyturn.approval_answer import Approval
from keyturn.console import moment, table
from keyturn.remedies import at


class Reminder(Approval):
    """One that waits: `owner` changes it at `console` and puts the new one into `path`; it is due at `expires_at`."""

    owner: str = ""
    path: str = ""
    console: str = ""
    overdue: bool = False


def waiting_table(waiting: Sequence[Reminder], stack: str) -> RenderableType:
    """One line each, and below them how one is ended."""
    if not waiting:
        return Text("nobody has to change anything by hand")
    shown = table("", "credential", "who", "where", "secret", "due", "")
    for one in waiting:
        late = "overdue" if one.overdue else ""
        shown.add_row(one.secret, one.owner, one.console, one.path, moment(one.expires_at), late)
    lines = [f"keyturn reminder done {one.secret} --version-id ID --reason WHY{at(stack)}" for one in waiting]
    return Group(shown, *(Text(f"  done: {line}") for line in lines))
