"""Runs that lost their execution, or could not take back what they did, are found and ended by the printed command.

Executions are aborted with StopExecution, providers fail by the switches of their own servers, the authority's
credential is exchanged: nothing is written into the ledger from outside.
"""

from __future__ import annotations

import pytest
from repair_command import Command
from repair_runs import held_at_its_test, unavailable, wrong_authority
from repair_subject import Subject
from runs_catalogue import timed
from runs_stack import until
from runs_targets import ACCEPTED

from keyturn.exits import Exit
from sandbox.google.remote import set_switches

pytestmark = pytest.mark.sandbox

# Time to abort an execution between its test and its promotion.
WARM_UP_S = 4
# Time to bring the provider down before the function asks again.
HELD_S = 2.0


def test_a_run_that_is_under_way_is_left_alone(signing_key: Subject, command: Command) -> None:
    with timed(signing_key.stack, signing_key.name, overlap_s=0, warm_up_s=WARM_UP_S):
        started = signing_key.stack.begin("rotate", signing_key.name)
        until(lambda: signing_key.head["run_id"] or None, "the claim")
        said = command("repair", signing_key.name, "--yes")
        assert (said.code, said.kinds) == (Exit.REFUSED, ["running"])
        assert signing_key.stack.ended(started).status == "SUCCEEDED"
    signing_key.check_well()


def test_a_run_that_was_aborted_before_promotion_is_gone_on_with(each: Subject, command: Command) -> None:
    with timed(each.stack, each.name, overlap_s=0, warm_up_s=WARM_UP_S):
        before, run_id = each.live, each.stopped_before_promotion()
        staged = _fact(each, run_id, "stage", "version")
        done = command.repairs(each.name, "half_applied_target", "resume")
    assert (done["ending"]["run_id"], done["ending"]["outcome"]) == (run_id, "succeeded")
    assert each.live.text != before.text
    assert _fact(each, run_id, "stage", "version") == staged, "the same candidate, not another one"
    each.check_well()


def test_a_claim_whose_execution_is_gone_before_any_effect_is_gone_on_with(
    signing_key: Subject, command: Command
) -> None:
    with unavailable(signing_key.stack):
        started = signing_key.stack.begin("rotate", signing_key.name)
        until(lambda: signing_key.head["run_id"] or None, "the claim")
        signing_key.abort(started)
    seen = command.sees(started["run_id"], "dead_claim", "resume")
    command.mends(seen)
    signing_key.check_well()


def test_a_candidate_that_somebody_promoted_by_hand_is_found_in_the_store(each: Subject, command: Command) -> None:
    with timed(each.stack, each.name, overlap_s=0, warm_up_s=WARM_UP_S):
        run_id = each.stopped_before_promotion()
        each.store.point_at(_fact(each, run_id, "stage", "version"))
        promoted = each.live
        command.repairs(each.name, "half_applied_target", "resume")
    assert each.live == promoted
    each.check_well()


def test_a_promotion_whose_answer_was_lost_is_found_in_the_store(signing_key: Subject, command: Command) -> None:
    endpoint, before = signing_key.stack.facts.google_endpoint, signing_key.live
    lost = {"method": "UpdateSecret", "code": "UNAVAILABLE", "when": "after", "held_s": HELD_S}
    set_switches(endpoint, fail_next=lost)
    started = signing_key.stack.begin("rotate", signing_key.name)
    until(lambda: signing_key.live != before or None, "the promotion")
    # and nothing answers any more: the function gives up with its intent open
    with unavailable(signing_key.stack):
        until(lambda: signing_key.gave_up(started), "the end of the function")
        signing_key.abort(started)
    command.repairs(signing_key.name, "ledger_behind", "resume")
    signing_key.check_well()


def test_a_candidate_that_a_run_could_not_take_back_is_taken_back(each: Subject, command: Command) -> None:
    before = each.live
    with wrong_authority(each):
        ended = each.stack.rotate(each.name)
    assert ended.run["failure"]["not_undone"] == "withdraw abandon"
    run_id = ended.run["run_id"]
    assert each.head["leftover"] == run_id
    done = command.repairs(each.name, "orphan_pending", "undo")
    assert (done["ending"]["run_id"], done["ending"]["outcome"]) == (run_id, "undone")
    assert each.live == before
    each.check_well()


def test_the_next_rotation_settles_such_a_candidate_by_itself(signing_key: Subject) -> None:
    with held_at_its_test(signing_key.stack) as held:
        started = signing_key.stack.begin("rotate", signing_key.name)
        held.wait()
        candidate = signing_key.reader.candidate(started["run_id"], _facts(signing_key, started["run_id"], "stage"))
        assert candidate
        with wrong_authority(signing_key):
            held.opened.set()
            signing_key.stack.ended(started)
    assert signing_key.says(candidate.text) == ACCEPTED
    signing_key.rotate()
    assert signing_key.says(candidate.text) == signing_key.credential.refusal
    signing_key.check_current()
    signing_key.check_well()


def _fact(one: Subject, run_id: str, step: str, name: str) -> str:
    return str(_facts(one, run_id, step)[name])


def _facts(one: Subject, run_id: str, step: str) -> dict[str, str]:
    steps = one.stack.verb("run", run_id=run_id)["steps"]
    found: dict[str, str] = next(each["facts"] for each in steps if each["step"] == step)
    return found
