"""What does not fit into one call, or did not arrive at the first attempt, is asked for and sent again."""

from __future__ import annotations

from datetime import datetime

from sweep_world import SweepWorld, policy

from rotation.control import emergency as asking
from rotation.control.due_rows import read_all
from rotation.control.emergency import ROWS_PER_CALL
from rotation.control.enrolment import take_in
from rotation.ledger.memory import MemoryRows
from rotation.ledger.outbox import FIRST_PAUSE, LONGEST_PAUSE, Outbox
from tests.model.clock import Clock

WHO = {"reason": "leaked", "requested_by": "arn:alice"}


def test_an_emergency_of_everything_is_asked_for_by_name_after_name_until_none_is_left() -> None:
    names = sorted(f"a/{i:04}" for i in range(ROWS_PER_CALL + 1))
    desk = SweepWorld(*[policy(name) for name in names]).desk
    take_in(desk)
    while not read_all(desk):
        # a stack that is swept: of one that is not, a call has time to read fewer
        pass
    first = asking.emergency(desk, {"all": True}, WHO)
    assert (first["asked"], first["next"]) == (names[:-1], names[-2])
    rest = asking.emergency(desk, {"all": True, "after": first["next"]}, WHO)
    assert (rest["asked"], rest["next"]) == (names[-1:], "")


def test_what_consumers_could_not_be_told_is_sent_again_after_pauses_that_double_up_to_the_longest() -> None:
    rows, clock = MemoryRows(), Clock()
    outbox, pauses = Outbox(rows, clock), []
    rows.write([outbox.kept("a/one", "r", "publish")])
    for _ in range(5):
        (one,) = outbox.of("a/one")
        pauses.append(datetime.fromisoformat(one.due_at) - clock())
        outbox.settle("a/one", "r", "publish", sent=False)
    assert pauses == [*(FIRST_PAUSE * 2**i for i in range(4)), LONGEST_PAUSE]
