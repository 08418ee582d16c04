"""Starting the rotation of one due row: intent in the row, then the execution, then its ARN in the row.

Not here: which rows (`rotation.planning`), and what a run's end makes of them (`settling`).
"""

from __future__ import annotations

from dataclasses import replace

from rotation.control import starts
from rotation.control.desk import Desk
from rotation.errors import Conflict
from rotation.ledger.agenda import Group, turn_taken
from rotation.ledger.due import Due
from rotation.ledger.ledger import LOOK_AFTER
from rotation.planning.reckoning import begun


def begin(desk: Desk, due: Due, group: Group | None) -> bool:
    """Whether this sweep started it: the one that wrote its row, and took its group's turn, did."""
    name = starts.execution_name("rotate", due.secret, f"{due.since or due.asked_at} {due.attempt}")
    turn = [turn_taken(group)] if group else []
    made = desk.ledger.agenda.put(due, begun(due, name, desk.ledger.now(), LOOK_AFTER), *turn)
    return made is not None and launch(desk, made)


def launch(desk: Desk, due: Due) -> bool:
    """Start the execution that the row names, and note its ARN; False when the name is used up."""
    payload = {
        "secret": due.secret,
        "reason": due.reason or "due",
        "requested_by": due.requested_by or starts.SWEEP,
        "resume": "",
        "flags": due.flags,
    }
    try:
        execution = desk.machines.start("rotate", due.name, payload)
    except Conflict:
        return False
    # the record of its end may have been faster: then there is nothing to note
    desk.ledger.agenda.put(due, replace(due, execution=execution))
    return True
