"""The trap, the walker of machines and the count are right themselves: otherwise nothing was shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rotation.capabilities import store_capabilities
from rotation.definition import RETRY_ATTEMPTS, retire_definition
from rotation.errors import Unavailable
from rotation.handwork import REMINDER
from rotation.issuers.registry import known_kinds
from rotation.steps import prepare
from tests.model.clock import Clock
from tests.model.step_functions import InvocationLost, Walker
from tests.unit.crash import test_crash_aws, test_crash_gcp, test_crash_vault
from tests.unit.crash.crash_checks import check
from tests.unit.crash.crash_count import RECORDED, crash_points
from tests.unit.crash.crash_postgres import StaticRoleRig
from tests.unit.crash.crash_stores import STORES
from tests.unit.crash.crash_stories import STORIES, Moment, at_its_start, died, undisturbed
from tests.unit.crash.crash_suite import FLOORS, is_served
from tests.unit.crash.crash_targets import TARGETS
from tests.unit.crash.crash_trap import Died, Trap, Trapped
from tests.unit.crash.crash_world import Fate

COMBO = ("gcp", "signing-key")
ROTATION = STORIES["second rotation"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_trap_springs_at_its_number_before_or_after_the_effect(after: bool) -> None:
    done: list[str] = []
    trap = Trap(2, after=after)
    list_of = Trapped(done, trap, "list")
    list_of.append("unarmed")
    with trap.armed("phase"):
        list_of.append("one")
        with pytest.raises(Died):
            list_of.append("two")
    assert done == ["unarmed", "one", "two"][: 2 + after]
    assert trap.sprung == f"{'after' if after else 'before'} phase: list.append #2"


def test_deaths_that_differ_are_those_before_an_invocation_and_after_a_change(patch: pytest.MonkeyPatch) -> None:
    walk = undisturbed(COMBO, ROTATION, patch)
    named = [walk.named(moment) for moment in walk.different]
    assert "before promote: ledger.partition" in named
    assert "after promote: google.update_secret" in named
    assert "after promote: google.get_secret" not in named, "a look changes nothing"
    assert {walk.named(moment) for moment in walk.every} >= {f"after {call}" for call in walk.calls}


def test_a_death_that_is_tried_again_happens_once_and_one_that_is_not_ends_the_execution(
    patch: pytest.MonkeyPatch,
) -> None:
    walk = undisturbed(COMBO, ROTATION, patch)
    at = walk.calls.index("promote: google.update_secret") + 1
    ended = {
        fate: died(COMBO, ROTATION, patch, fate, Moment(at, after=True)).runs[-1] for fate in Fate if fate != "killed"
    }
    assert {fate: run.status for fate, run in ended.items()} == {Fate.RETRIED: "succeeded", Fate.GAVE_UP: "failed"}
    assert ended[Fate.GAVE_UP].failure["reason"] == "promote_broke"
    killed = died(COMBO, ROTATION, patch, Fate.KILLED, Moment(at, after=True))
    assert (killed.runs[-1].status, killed.head.run_id) == ("running", killed.runs[-1].run_id)


def test_a_second_candidate_would_be_noticed(patch: pytest.MonkeyPatch) -> None:
    walk = undisturbed(COMBO, ROTATION, patch)
    at = walk.calls.index("prepare: google.add_secret_version") + 1
    patch.setattr(prepare, "_found_again", lambda *_: False)
    world = died(COMBO, ROTATION, patch, Fate.RETRIED, Moment(at, after=True))
    assert world.runs[-1].status == "succeeded"
    with pytest.raises(AssertionError, match="a version that nobody knows of"):
        check(world)


def test_a_credential_that_nobody_will_retire_would_be_noticed(patch: pytest.MonkeyPatch) -> None:
    world = at_its_start(COMBO, ROTATION, patch)
    world.target.target.places.put("keys", "forgotten", "00", 1)  # type: ignore[union-attr]
    with pytest.raises(AssertionError, match="nobody will retire"):
        check(world)


def test_every_credential_type_has_crash_points_with_a_store() -> None:
    # a reminder enters no step of a store: it dies as every wait does, and with its evidence (`test_reminders`)
    kinds, stores = set(known_kinds()) - {REMINDER}, set(STORES)
    assert set(TARGETS) == kinds, "a credential type without crash points"
    assert set(FLOORS) == kinds, "nobody would notice that its calls go round the trap"
    assert all({store for store in stores if is_served((store, kind))} for kind in kinds)
    classes = (test_crash_aws.TestCrashPointsWithAws, test_crash_gcp.TestCrashPointsWithGoogle)
    walked = {one.store for one in (*classes, test_crash_vault.TestCrashPointsWithVault)}
    assert walked == stores == set(store_capabilities()), "a store without crash points"


def test_an_engine_whose_answer_was_lost_costs_the_proof_and_a_second_replacement_would_be_noticed(
    patch: pytest.MonkeyPatch,
) -> None:
    combo = ("vault", "vault-static-role")
    walk = undisturbed(combo, ROTATION, patch)
    at = walk.calls.index("promote: vault.write") + 1
    world = died(combo, ROTATION, patch, Fate.RETRIED, Moment(at, after=True))
    check(world)
    proofs = [world.whole_ledger.run(run.run_id)[1]["promote"].facts["proof"] for run in world.runs]
    assert proofs == ["dead", "unproven"], "the old one was replaced before anybody could show it"
    assert isinstance(world.target, StaticRoleRig)
    world.target.engine.write("database/rotate-role/reports")
    with pytest.raises(AssertionError, match="another version than readers get"):
        check(world)


def test_the_walker_tries_as_often_as_the_definition_says_and_then_goes_where_its_catch_says() -> None:
    asked: list[str] = []

    def invoke(function: str, payload: Any) -> Any:
        asked.append(payload["phase"])
        if payload["phase"] == "record_failure":
            return {"outcome": "passed", "reason": ""}
        raise Unavailable("store_down", "no answer")

    clock = Clock()
    before = clock()
    given = {"secret": "s", "reason": "r", "requested_by": "p", "resume": "", "flags": ""}
    ended = Walker(retire_definition("arn:control"), "arn:x", invoke, clock).walk(given)
    assert (ended.succeeded, ended.error, ended.cause) == (False, "gate_broke", "gate")
    assert asked == ["gate"] * (1 + RETRY_ATTEMPTS) + ["record_failure"]
    assert (clock() - before).total_seconds() == sum(5 * 2**n for n in range(RETRY_ATTEMPTS))


def test_the_walker_does_not_hide_a_defect_behind_its_retries() -> None:
    def invoke(function: str, payload: Any) -> Any:
        raise KeyError("defect")

    given = {"secret": "s", "reason": "r", "requested_by": "p", "resume": "", "flags": ""}
    with pytest.raises(KeyError, match="defect"):
        Walker(retire_definition("arn:control"), "arn:x", invoke, Clock()).walk(given)
    assert not issubclass(Died, Exception)
    assert issubclass(InvocationLost, Exception)


def test_the_count_adds_up_what_tests_recorded_and_is_silent_without_any() -> None:
    def reported(when: str, name: str, recorded: object) -> SimpleNamespace:
        return SimpleNamespace(when=when, user_properties=[(name, recorded)])

    first, second = (["aws", "bearer-token", 30, deaths] for deaths in (40, 2))
    called = [reported("call", RECORDED, first), reported("call", RECORDED, second)]
    ended = [reported("teardown", RECORDED, first), SimpleNamespace()]
    told = crash_points({"passed": called, "": ended})
    assert told == "crash points: 120 (aws x bearer-token: 120); deaths walked: 42"
    assert crash_points({"passed": [reported("call", "other", 1)]}) == ""


def test_a_run_whose_claim_went_to_a_fresh_start_is_not_shown_as_running(patch: pytest.MonkeyPatch) -> None:
    combo, story = ("aws", "postgres-alternating"), STORIES["second rotation"]
    walk = undisturbed(combo, story, patch)
    at = next(n for n, call in enumerate(walk.calls, start=1) if call == "prepare: aws.put_secret_value")
    world = died(combo, story, patch, Fate.KILLED, Moment(at, after=True))
    world.trap.at = 0
    world.ask("rotate")
    assert world.runs[-1].status == "succeeded"
    assert [run.status for run in world.runs if run.run_id != world.head.run_id and run.status == "running"] == []
