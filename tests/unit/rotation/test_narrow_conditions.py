"""Conditions that only a rare order of events meets: each test fails when its condition is taken away."""

from __future__ import annotations

import copy
from dataclasses import asdict, replace

import pytest

from rotation.control import brakes, claims, repair, starts, verbs
from rotation.control.desk import run_id_of
from rotation.errors import Conflict, Halted, Refused, Unavailable
from rotation.ledger.ledger import LOOK_AFTER, Ledger
from rotation.ledger.records import StepRecord
from rotation.ledger.rows import Put, Rows
from rotation.ledger.switch import AUDIT, AUDIT_SHOWN, SWITCH, Switch, Who
from rotation.phases import Outcome, phase_named
from rotation.steps import STEPS
from rotation.steps.step import StepResult
from tests.model.clock import Clock
from tests.model.store import MemoryStore
from tests.model.world import NAME, OVERLAP_S, World

WHO = {"requested_by": "on-call", "reason": "alarm"}
# The machine whose run has each of these steps, and how that is claimed.
PIVOTS = {"promote": "rotate", "revoke": "retire", "reinstate": "rollback", "revert": "rollback"}
CLAIMS = {"rotate": claims.claim, "retire": claims.gate, "rollback": claims.claim_rollback}


def begun(world: World, machine: str, step: str) -> str:
    """A run whose execution is gone, with this step begun and another minute passed."""
    if machine != "rotate":
        assert world.rotate("arn:2") == "succeeded"
        world.clock.advance(OVERLAP_S)
    claimed = CLAIMS[machine](world.desk, world.request("arn:x"))
    assert claimed["outcome"] == Outcome.PASSED
    run, _ = world.ledger.run(claimed["run_id"])
    world.ledger.begin(run, StepRecord(step=step, phase=machine, intent_at=world.ledger.now(), epoch=run.epoch))
    world.clock.advance(66)
    return run.run_id


@pytest.mark.parametrize("step", PIVOTS)
def test_no_run_takes_the_place_of_one_that_may_have_moved_current_or_killed_a_credential(
    world: World, step: str
) -> None:
    held = begun(world, PIVOTS[step], step)
    for claim in CLAIMS.values():
        answer = claim(world.desk, world.request("arn:next"))
        assert (answer["outcome"], answer["reason"]) == ("failed", "run_unfinished")
    assert world.ledger.head(NAME).run_id == held


@pytest.mark.parametrize(("machine", "step"), [("rotate", "apply"), ("retire", "witness")])
def test_a_run_that_has_done_none_of_that_gives_its_place_up(world: World, machine: str, step: str) -> None:
    begun(world, machine, step)
    assert CLAIMS[machine](world.desk, world.request("arn:next"))["outcome"] == Outcome.PASSED


def test_an_invocation_that_was_overtaken_by_another_attempt_does_not_write_its_outcome(
    world: World,
) -> None:
    run_id = begun(world, "rotate", "apply")
    run, steps = world.ledger.run(run_id)
    late = replace(steps["apply"], outcome_at=world.ledger.now(), facts={"outcome": "failed", "reason": "late"})
    world.ledger.begin(run, replace(steps["apply"], attempts=2))
    with pytest.raises(Unavailable) as taken:
        world.ledger.finish(run, late)
    assert taken.value.reason == "step_taken"
    assert not world.ledger.run(run_id)[1]["apply"].done


@pytest.mark.parametrize("flag", ["engaged", "report_only"])
@pytest.mark.parametrize("said", ["no", "yes", "", None])
def test_a_switch_whose_flag_is_no_truth_value_is_unreadable_and_never_taken_at_its_word(
    ledger: Ledger, rows: Rows, flag: str, said: object
) -> None:
    rows.write([Put(key=SWITCH, row={**asdict(Switch(actor="somebody", reason="by hand")), flag: said})])
    with pytest.raises(Halted) as halted:
        ledger.switchboard.state()
    assert halted.value.reason == "switch_unreadable"
    assert ledger.switchboard.stopped(NAME) == "switch_unreadable"
    assert ledger.switchboard.stop_of(NAME).reason == "switch_unreadable"


def stuck(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """A rotation that made its version current and could not take that back."""

    def refuses(_: object) -> StepResult:
        raise Conflict("store_says_no", "the label cannot be moved")

    for phase in ("claim", "prepare", "promote"):
        assert world.enter(phase_named(phase), "arn:2")[0] == Outcome.PASSED
    with monkeypatch.context() as broken:
        broken.setitem(STEPS, "restore", replace(STEPS["restore"], act=refuses))
        world._fail(phase_named("bake"), "health_refused", world.given("arn:2"))
    run_id = run_id_of("arn:2")
    assert world.ledger.run(run_id)[0].status == "stuck"
    return run_id


def test_a_run_that_could_not_be_undone_is_taken_up_by_the_sweep_and_a_halted_one_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = world.current()
    run_id = stuck(world, monkeypatch)
    world.clock.advance(LOOK_AFTER.total_seconds() + 1)
    assert starts.sweep(world.desk) == [NAME]
    assert world.follow() == ["failed"]
    assert (world.current(), world.ledger.run(run_id)[0].failure["reason"]) == (before, "health_refused")


def test_an_execution_that_broke_in_its_claim_after_taking_a_run_over_leaves_it_to_be_taken_over_again(
    world: World,
) -> None:
    for phase in ("claim", "prepare", "promote"):
        assert world.enter(phase_named(phase), "arn:2")[0] == Outcome.PASSED
    run_id = run_id_of("arn:2")
    given = world.given("arn:3", resume=run_id)
    assert world.enter(phase_named("claim"), given)[0] == Outcome.PASSED
    # the answer of the claim was lost, and the retries are spent
    world._end("record_failure", phase_named("claim"), "claim_broke", given)
    run, head = world.ledger.run(run_id)[0], world.ledger.head(NAME)
    assert (run.status, run.takeovers, head.run_id) == ("running", 1, run_id)
    assert world.rotate("arn:4", resume=run_id) == "succeeded"
    assert world.ledger.head(NAME).overlap is not None


def test_what_a_backup_says_of_a_claim_is_forgotten_when_what_readers_get_is_adopted(world: World) -> None:
    """The backup is of the middle of a run, which has long ended, and whose old credential is retired."""
    for phase in ("claim", "prepare"):
        assert world.enter(phase_named(phase), "arn:2")[0] == Outcome.PASSED
    backup = copy.deepcopy(world.rows._rows)
    for phase in ("promote", "bake", "record"):
        assert world.enter(phase_named(phase), "arn:2")[0] == Outcome.PASSED
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    world.rows._rows, world.rows.table_id = backup, "another table"
    seen = repair.diagnose(world.desk, NAME)
    assert seen["diagnoses"][0]["kind"] == "ledger_restored"
    repair.mend(world.desk, NAME, seen["digest"], WHO)
    head = world.ledger.head(NAME)
    assert (head.run_id, head.execution, head.leftover, head.pending_token) == ("", "", "", "")
    assert repair.diagnose(world.desk, NAME)["diagnoses"][0]["kind"] == "healthy"
    assert world.rotate("arn:again") == "succeeded"


def test_of_a_long_audit_only_the_newest_entries_are_read(ledger: Ledger, rows: Rows, clock: Clock) -> None:
    for number in range(AUDIT_SHOWN + 5):
        ledger.switchboard.set(Who(actor="on-call", reason=str(number), verb="engage"), engaged=True)
        clock.advance(1)
    shown = [entry["reason"] for entry in ledger.switchboard.audit()]
    assert shown == [str(number) for number in reversed(range(5, AUDIT_SHOWN + 5))]
    assert [row["reason"] for row in rows.partition(AUDIT, newest=2)] == ["23", "24"]
    assert len(rows.partition(AUDIT)) == AUDIT_SHOWN + 5


def test_a_rollback_and_a_repair_that_only_clears_are_done_while_the_stack_only_reports(world: World) -> None:
    old = world.current()
    assert world.rotate("arn:2") == "succeeded"
    brakes.report_only(world.desk, WHO, on=True)
    assert world.walk("rollback", "arn:back") == "succeeded"
    assert world.current() == old


def test_an_old_version_that_somebody_destroyed_leads_nobody_back(world: World) -> None:
    assert world.rotate("arn:2") == "succeeded"
    world.secret.values[0] = None
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    with pytest.raises(Refused, match="beyond_horizon"):
        verbs.rollback(world.desk, NAME, WHO)


def test_a_rollback_to_a_version_that_was_destroyed_meanwhile_ends_and_holds_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStore, "capabilities", replace(MemoryStore.capabilities, disposes=False))
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: "kept")
    assert world.rotate("arn:2") == "succeeded"
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    world.secret.values[0] = None
    assert world.walk("rollback", "arn:back") == "failed"
    head = world.ledger.head(NAME)
    assert (head.run_id, world.current()["token"] in world.target.tokens.values()) == ("", True)
