"""The ledger fences every write by the claim, and the kill switch by the write that opens a step."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from rotation.contract import Version
from rotation.errors import Fenced, Halted, NotFound
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import RETIRE, Overlap, Run, StepRecord
from rotation.ledger.rows import Put, Rows
from rotation.ledger.switch import SWITCH, Switch
from tests.model.clock import Clock

SECRET = "payments/postgres"


def a_run(run_id: str = "r1", machine: str = "rotate") -> Run:
    return Run(
        run_id=run_id,
        secret=SECRET,
        machine=machine,
        epoch=0,
        execution=f"arn:{run_id}",
        function="f:1",
        policy="{}",
        policy_digest="d",
        reason="test",
        requested_by="somebody",
        started_at=f"2026-01-01T00:00:0{run_id[-1]}.000000Z",
    )


def claimed(ledger: Ledger, run_id: str = "r1") -> Run:
    return ledger.claim(ledger.head(SECRET), a_run(run_id))


def a_step(name: str, ledger: Ledger) -> StepRecord:
    return StepRecord(step=name, phase="prepare", intent_at=ledger.now(), intent={"fingerprint": "ab"})


def done(step: StepRecord, ledger: Ledger, **facts: str) -> StepRecord:
    return replace(step, outcome_at=ledger.now(), facts=facts, calls={"read": 2, "write": 1})


def engage(rows: Rows, *, engaged: object = True) -> None:
    row = {**asdict(Switch(actor="on-call")), "engaged": engaged}
    rows.write([Put(key=SWITCH, row=row)])


def test_each_claim_raises_the_epoch(ledger: Ledger) -> None:
    assert claimed(ledger, "r1").epoch == 1
    assert claimed(ledger, "r2").epoch == 2


def test_of_two_claims_that_saw_the_same_head_one_is_fenced_and_writes_nothing(ledger: Ledger) -> None:
    seen = ledger.head(SECRET)
    ledger.claim(seen, a_run("r1"))
    with pytest.raises(Fenced) as lost:
        ledger.claim(seen, a_run("r2"))
    assert lost.value.reason == "claim_lost"
    assert ledger.head(SECRET).run_id == "r1"
    with pytest.raises(NotFound):
        ledger.run("r2")


def test_a_run_reads_back_whole_with_its_steps(ledger: Ledger) -> None:
    run = claimed(ledger)
    step = a_step("stage", ledger)
    ledger.begin(run, step)
    ledger.finish(run, done(step, ledger, version="v2", path=""))
    found, steps = ledger.run("r1")
    assert found == run
    assert steps["stage"].facts == {"version": "v2", "path": ""}
    assert steps["stage"].calls == {"read": 2, "write": 1}
    assert steps["stage"].intent == {"fingerprint": "ab"}


def test_one_write_closes_a_step_and_opens_the_next(ledger: Ledger) -> None:
    run = claimed(ledger)
    stage = a_step("stage", ledger)
    ledger.begin(run, stage)
    ledger.begin(run, a_step("apply", ledger), closing=done(stage, ledger))
    _, steps = ledger.run("r1")
    assert steps["stage"].done
    assert not steps["apply"].done


def test_a_run_that_lost_its_claim_can_neither_begin_nor_finish_a_step(ledger: Ledger) -> None:
    old = claimed(ledger, "r1")
    step = a_step("stage", ledger)
    ledger.begin(old, step)
    claimed(ledger, "r2")
    with pytest.raises(Fenced):
        ledger.begin(old, a_step("apply", ledger))
    with pytest.raises(Fenced):
        ledger.finish(old, done(step, ledger))
    assert not ledger.run("r1")[1]["stage"].done


@pytest.mark.parametrize("engaged", [True, "yes", None])
def test_the_switch_stops_a_step_before_its_intent_is_written(ledger: Ledger, rows: Rows, engaged: object) -> None:
    run = claimed(ledger)
    engage(rows, engaged=engaged)
    with pytest.raises(Halted):
        ledger.begin(run, a_step("stage", ledger))
    assert ledger.run("r1")[1] == {}


def test_the_switch_stops_a_claim(ledger: Ledger, rows: Rows) -> None:
    engage(rows)
    with pytest.raises(Halted):
        claimed(ledger)


def test_the_switch_never_stops_an_outcome_nor_an_undoing_step(ledger: Ledger, rows: Rows) -> None:
    run = claimed(ledger)
    step = a_step("apply", ledger)
    ledger.begin(run, step)
    engage(rows)
    ledger.finish(run, done(step, ledger))
    ledger.begin(run, a_step("withdraw", ledger), undoing=True)
    assert set(ledger.run("r1")[1]) == {"apply", "withdraw"}


def test_a_switch_that_cannot_be_read_counts_as_engaged(ledger: Ledger, rows: Rows) -> None:
    run = claimed(ledger)
    rows.write([Put(key=SWITCH, row={"engaged": False})])
    with pytest.raises(Halted) as halted:
        ledger.begin(run, a_step("stage", ledger))
    assert halted.value.reason == "switch_unreadable"


def test_a_switch_that_was_disengaged_lets_runs_through(ledger: Ledger, rows: Rows) -> None:
    engage(rows, engaged=False)
    assert claimed(ledger).epoch == 1


def test_promotion_moves_the_head_with_the_step(ledger: Ledger) -> None:
    run = claimed(ledger)
    step = a_step("promote", ledger)
    ledger.begin(run, step)
    ledger.promoted(run, done(step, ledger), ledger.head(SECRET), Version(id="v2"), "v2")
    head = ledger.head(SECRET)
    assert (head.current, head.pending_token, head.run_id) == (Version(id="v2"), "v2", "r1")


def test_the_end_of_a_run_frees_the_claim_opens_the_overlap_and_lists_it_as_due(ledger: Ledger, clock: Clock) -> None:
    run = claimed(ledger)
    overlap = Overlap(run_id="r1", old=Version(id="v1"), new=Version(id="v2", path="p"), retire_at=ledger.now())
    ledger.end(replace(run, status="succeeded"), ledger.head(SECRET), overlap=overlap)
    head = ledger.head(SECRET)
    assert (head.run_id, head.overlap) == ("", overlap)
    assert ledger.due(RETIRE, ledger.now()) == [SECRET]
    assert ledger.due(RETIRE, "2025-12-31T00:00:00.000000Z") == []


def test_a_closed_overlap_is_due_no_more(ledger: Ledger) -> None:
    run = claimed(ledger, "r1")
    overlap = Overlap(run_id="r1", old=Version(id="v1"), new=Version(id="v2"), retire_at=ledger.now())
    ledger.end(run, ledger.head(SECRET), overlap=overlap)
    retiring = claimed(ledger, "r2")
    ledger.end(retiring, ledger.head(SECRET), overlap=None)
    assert ledger.due(RETIRE, ledger.now()) == []
    assert ledger.head(SECRET).overlap is None


def test_history_lists_runs_oldest_first_without_the_policys_text(ledger: Ledger) -> None:
    for name in ("r1", "r2"):
        run = claimed(ledger, name)
        ledger.end(replace(run, status="succeeded"), ledger.head(SECRET), overlap=None)
    listed = ledger.history(SECRET)
    assert [(run.run_id, run.status, run.policy) for run in listed] == [
        ("r1", "succeeded", ""),
        ("r2", "succeeded", ""),
    ]
