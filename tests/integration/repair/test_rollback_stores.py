"""Back to the version before, on every store: within the overlap, after retirement, never after an emergency."""

from __future__ import annotations

import pytest
from repair_command import WHY, Command
from repair_subject import Subject
from runs_catalogue import timed
from runs_credentials import SIGNING_KEY
from runs_targets import ACCEPTED

from keyturn.exits import Exit

pytestmark = pytest.mark.sandbox

LONG_S = 3_600


def test_within_the_overlap_the_old_one_is_current_again_and_the_new_one_is_retired(
    each: Subject, command: Command
) -> None:
    before = each.live
    with timed(each.stack, each.name, overlap_s=LONG_S):
        each.rotate()
        left = each.live
        assert _way_back(command, each)["to"] == before.version
        said = command.well("rollback", each.name, "--yes", "--reason", WHY)
        assert said["kind"] == "rollback"
        assert (each.live.text, each.says(before.text), each.says(left.text)) == (before.text, ACCEPTED, ACCEPTED)
        overlap = each.head["overlap"]
        assert (overlap["old"]["id"], overlap["new"]["id"]) == (left.version, each.live.version)
        command.well("overlap", "close", each.name, "--reason", WHY)
    assert each.says(left.text) == each.credential.refusal
    each.check_well()


def test_after_retirement_the_old_value_is_applied_again_where_the_store_kept_it(
    each: Subject, command: Command
) -> None:
    before = each.live
    each.rotate()
    each.stack.settle(each.name)
    assert each.says(before.text) == each.credential.refusal
    said = command("rollback", each.name, "--yes", "--reason", WHY)
    if each.name == SIGNING_KEY.name:
        # Google's version was destroyed after the proof
        assert (said.code, said.document["reason"]) == (Exit.REFUSED, "beyond_horizon")
    else:
        assert said.code == Exit.DONE, said.document
        assert (each.live.text, each.says(before.text)) == (before.text, ACCEPTED)
    each.check_well()


def test_rotate_roll_back_and_rotate_again(each: Subject, command: Command) -> None:
    before = each.live
    for _ in range(2):
        each.rotate()
        command.well("rollback", each.name, "--yes", "--reason", WHY)
        assert each.live.text == before.text
        each.stack.settle(each.name)
    assert each.rotate().step("stage")["intent"]["from_version"] == each.head["overlap"]["old"]["id"]
    each.stack.settle(each.name)
    assert each.says(before.text) == each.credential.refusal


def test_after_an_emergency_the_leaked_one_is_dead_at_once_and_nothing_leads_back(
    each: Subject, command: Command
) -> None:
    before = each.live
    with timed(each.stack, each.name, overlap_s=LONG_S):
        said = command.well("rotate", each.name, "--emergency", "--reason", WHY)
    assert said["rotations"][0]["outcome"] == "rotated"
    assert each.says(before.text) == each.credential.refusal
    assert _way_back(command, each) == {**_way_back(command, each), "possible": False, "why": "old_leaked"}
    refused = command("rollback", each.name, "--yes", "--reason", WHY)
    assert (refused.code, refused.document["reason"]) == (Exit.REFUSED, "old_leaked")
    each.check_well()


def test_a_rollback_that_is_an_emergency_retires_what_it_leaves_at_once(postgres: Subject, command: Command) -> None:
    before = postgres.live
    with timed(postgres.stack, postgres.name, overlap_s=LONG_S):
        postgres.rotate()
        left = postgres.live
        command.well("rollback", postgres.name, "--emergency", "--yes", "--reason", WHY)
    assert (postgres.live.text, postgres.says(left.text)) == (before.text, postgres.credential.refusal)
    postgres.check_well()


def test_a_rollback_that_was_not_agreed_to_changes_nothing(postgres: Subject, command: Command) -> None:
    postgres.rotate()
    live = postgres.live
    refused = command("rollback", postgres.name, "--reason", WHY)
    assert (refused.code, refused.document["reason"]) == (Exit.NOT_AGREED, "not_agreed")
    assert postgres.live == live
    postgres.check_well()


def _way_back(command: Command, one: Subject) -> dict[str, object]:
    (standing,) = command.well("status", one.name)["secrets"]
    found: dict[str, object] = standing["rollback"]
    return found
