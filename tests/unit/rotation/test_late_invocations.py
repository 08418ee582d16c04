"""An invocation that comes late, or twice, writes nothing over what came after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotation.contract import Version
from rotation.errors import Fenced, Unavailable
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import Run, StepRecord

SECRET = "payments/postgres"


def a_run(run_id: str) -> Run:
    return Run(
        run_id=run_id,
        secret=SECRET,
        machine="rotate",
        epoch=0,
        execution=f"arn:{run_id}",
        function="f:1",
        policy="{}",
        policy_digest="d",
        reason="test",
        requested_by="somebody",
        started_at="2026-01-01T00:00:00.000000Z",
    )


def a_step(ledger: Ledger, name: str) -> StepRecord:
    return StepRecord(step=name, phase="prepare", intent_at=ledger.now())


@pytest.fixture
def old(ledger: Ledger) -> Run:
    """A run that has the claim."""
    return ledger.claim(ledger.head(SECRET), a_run("old"))


def test_no_step_goes_forward_once_the_run_is_being_undone(ledger: Ledger, old: Run) -> None:
    ledger.begin(old, a_step(ledger, "restore"), undoing=True)
    with pytest.raises(Unavailable):
        ledger.begin(old, a_step(ledger, "promote"))
    assert set(ledger.run("old")[1]) == {"restore"}


def test_a_claim_that_comes_again_after_its_run_has_ended_begins_it_no_second_time(ledger: Ledger, old: Run) -> None:
    ledger.end(replace(old, status="succeeded"), ledger.head(SECRET), overlap=None)
    with pytest.raises(Fenced):
        ledger.claim(ledger.head(SECRET), a_run("old"))
    assert (ledger.run("old")[0].status, ledger.head(SECRET).run_id) == ("succeeded", "")


def test_of_two_executions_that_saw_the_same_lost_run_one_continues_it(ledger: Ledger, old: Run) -> None:
    ledger.claim(ledger.head(SECRET), replace(old, takeovers=1, execution="arn:one"))
    with pytest.raises(Fenced):
        ledger.claim(ledger.head(SECRET), replace(old, takeovers=1, execution="arn:two"))
    assert ledger.run("old")[0].execution == "arn:one"


def test_a_late_promotion_does_not_move_the_head_of_a_newer_claim(ledger: Ledger, old: Run) -> None:
    step = a_step(ledger, "promote")
    ledger.begin(old, step)
    ledger.claim(ledger.head(SECRET), a_run("new"))
    with pytest.raises(Fenced):
        # it reads the head anew, as a repeated invocation does
        ledger.promoted(old, replace(step, outcome_at=ledger.now()), ledger.head(SECRET), Version(id="v2"), "")
    assert ledger.head(SECRET).current is None


def test_a_late_end_does_not_free_a_newer_claim(ledger: Ledger, old: Run) -> None:
    ledger.claim(ledger.head(SECRET), a_run("new"))
    with pytest.raises(Fenced):
        ledger.end(replace(old, status="succeeded"), ledger.head(SECRET), overlap=None)
    assert (ledger.head(SECRET).run_id, ledger.run("old")[0].status) == ("new", "running")


def test_a_late_end_of_a_run_does_not_free_it_from_the_execution_that_took_it_over(ledger: Ledger, old: Run) -> None:
    ledger.claim(ledger.head(SECRET), replace(old, takeovers=1, execution="arn:newer"))
    with pytest.raises(Fenced):
        ledger.end(replace(old, status="succeeded"), ledger.head(SECRET), overlap=None)
    assert ledger.head(SECRET).execution == "arn:newer"
