"""What somebody else left in a store is seen for what it is, and mended by the command that `repair` prints."""

from __future__ import annotations

import json

import pytest
from repair_command import Command
from repair_stores import Aws, Vault
from repair_subject import Subject
from runs_targets import ACCEPTED

from keyturn.exits import Exit

pytestmark = pytest.mark.sandbox


def test_a_placeholder_without_a_value_is_removed(postgres: Subject, command: Command) -> None:
    store = postgres.store
    assert isinstance(store, Aws)
    before, placeholder = postgres.live, store.leave_placeholder()
    assert store.pendings() == [placeholder]
    command.repairs(postgres.name, "empty_pending", "clear")
    assert postgres.live == before
    postgres.check_well()


def test_the_printed_command_mends_it_when_it_is_typed_into_a_shell(postgres: Subject, command: Command) -> None:
    postgres.store.leave_pending(postgres.stranger())
    code, told = command.typed(f"keyturn repair {postgres.name}")
    assert (code, "orphan_pending" in told) == (Exit.NOT_AGREED, True)
    code, told = command.typed(command.printed(told))
    assert (code, postgres.store.pendings()) == (Exit.DONE, []), told


def test_a_pending_version_that_the_target_refuses_is_removed(each: Subject, command: Command) -> None:
    before = each.live
    each.store.leave_pending(each.stranger())
    assert len(each.store.pendings()) == 1
    command.repairs(each.name, "orphan_pending", "clear")
    assert each.live == before
    each.check_well()


def test_a_pending_version_that_the_target_accepts_is_for_a_person_to_decide(each: Subject, command: Command) -> None:
    text = each.stranger()
    each.target.accept(text)
    each.store.leave_pending(text)
    seen = command.sees(each.name, "undecidable", "")
    assert f"keyturn history {each.name}" in seen.found[0]["ask"]
    assert command("repair", each.name, "--yes").code == seen.code
    assert each.says(text) == ACCEPTED, "nothing was done"
    # a person decided: it is not needed
    each.target.forget(text)
    command.repairs(each.name, "orphan_pending", "clear")
    each.check_well()


def test_something_pending_that_nobody_can_read_is_for_a_person_to_decide(api_token: Subject, command: Command) -> None:
    store = api_token.store
    assert isinstance(store, Vault)
    version = store.scribble_pending(api_token.stranger())
    command.sees(api_token.name, "undecidable", "")
    assert store.pendings() == [version]
    # a person decided
    store.destroy_pending(version)
    assert command("repair", api_token.name).kinds == ["healthy"]
    api_token.check_well()


def test_what_a_promotion_left_pending_is_removed_though_the_target_accepts_it(
    api_token: Subject, command: Command
) -> None:
    promoted, text = api_token.rotate(), api_token.live.text
    # as a crash between the live write and the end of its candidate leaves it
    api_token.store.leave_pending(text, owner=promoted.run["run_id"])
    command.repairs(api_token.name, "orphan_pending", "clear")
    assert api_token.live.text == text
    api_token.check_well()


def test_a_version_that_works_and_that_somebody_else_made_current_is_adopted(each: Subject, command: Command) -> None:
    before, text = each.live, each.stranger()
    each.target.accept(text)
    each.store.make_current(text)
    command.repairs(each.name, "label_moved", "adopt")
    assert each.live.text != before.text
    overlap = each.head["overlap"]
    assert (overlap["old"]["id"], overlap["new"]["id"]) == (before.version, each.live.version)
    each.check_well()
    assert each.says(before.text) == each.credential.refusal


def test_a_value_that_somebody_put_once_more_is_adopted_and_never_revoked(each: Subject, command: Command) -> None:
    fields = json.loads(each.live.text)
    before = each.live
    each.store.make_current(json.dumps(dict(sorted(fields.items(), reverse=True)), indent=1))
    assert each.live.version != before.version
    command.repairs(each.name, "label_moved", "adopt")
    assert each.head["overlap"] is None, "its end would revoke what readers get"
    each.check_well()


def test_a_version_that_does_not_work_is_gone_back_from(each: Subject, command: Command) -> None:
    before = each.live
    each.store.make_current(each.stranger())
    done = command.repairs(each.name, "label_moved", "adopt_and_roll_back")
    assert done["ending"]["machine"] == "rollback"
    assert each.live.text == before.text
    each.check_well()


def test_a_value_that_is_no_credential_at_all_is_for_a_person_to_decide(api_token: Subject, command: Command) -> None:
    before = api_token.live
    api_token.store.make_current('{"note":"put here by mistake"}')
    seen = command.sees(api_token.name, "label_moved", "")
    assert "the evidence does not decide" in seen.found[0]["says"]
    # a person decided: back to what was there
    api_token.store.make_current(before.text)
    command.repairs(api_token.name, "label_moved", "adopt")
    api_token.check_well()


def test_a_current_version_that_the_target_lost_is_gone_back_from(each: Subject, command: Command) -> None:
    before = each.live
    with_old = each.rotate()
    each.target.forget(each.live.text)
    done = command.repairs(each.name, "current_not_accepted", "roll_back")
    assert done["ending"]["machine"] == "rollback"
    assert (each.live.text, with_old.step("stage")["intent"]["from_version"]) == (before.text, before.version)
    each.check_well()


def test_a_current_version_that_the_target_lost_is_rotated_where_nothing_leads_back(
    each: Subject, command: Command
) -> None:
    command.well("rotate", each.name, "--emergency", "--reason", "it leaked")
    before = each.live
    each.target.forget(before.text)
    done = command.repairs(each.name, "current_not_accepted", "rotate")
    assert done["ending"]["machine"] == "rotate"
    assert each.live.text != before.text
    each.check_well()
