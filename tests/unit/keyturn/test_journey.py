"""One credential's way through a rotation, driven look by look with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from control_model import BEGAN, ModelControl, Secret

from keyturn.answers import Execution
from keyturn.control import Control
from keyturn.journey import Journey, Stage, Wish
from keyturn.outcome import row
from keyturn.retirement import EXPECTED_WITHIN_S, GATE_PATIENCE_S
from rotation.errors import Throttled

NAME = "payments/postgres"
# More looks than any journey here needs.
_ENOUGH = 200


class Clock:
    """Monotonic seconds that move when told."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def journey_of(model: ModelControl, clock: Clock, now: Callable[[], datetime] = lambda: BEGAN) -> Journey:
    control = Control(model)
    return Journey(control, control.status([NAME])[0], "because", clock, now)


def until(journey: Journey, stage: Stage, clock: Clock, step_s: float = 0.0) -> None:
    """Advance until the journey is at `stage`; fails when it never gets there."""
    for _ in range(_ENOUGH):
        if journey.stage is stage:
            return
        journey.advance()
        clock.seconds += step_s
    pytest.fail(f"still at {journey.stage}")


def test_retirement_is_not_asked_for_before_the_overlap_is_over_by_the_ledgers_own_times(clock: Clock) -> None:
    model = ModelControl(Secret(NAME, current="v1", overlap_s=3))
    journey = journey_of(model, clock)
    until(journey, Stage.OVERLAP, clock)
    clock.seconds += 2.9
    journey.advance()
    assert "retire" not in model.asked
    clock.seconds += 0.2
    until(journey, Stage.DONE, clock)
    assert row(journey).outcome == "rotated"


def test_a_gate_whose_clock_is_behind_is_asked_again(clock: Clock) -> None:
    secret = Secret(NAME, current="v1")
    model = ModelControl(secret)
    journey = journey_of(model, clock)
    until(journey, Stage.RETIRE, clock)
    secret.refuse = ["overlap_not_over", "overlap_not_over"]
    until(journey, Stage.DONE, clock, step_s=0.5)
    assert [run["status"] for run in secret.runs] == ["succeeded", "failed", "failed", "succeeded"]
    assert row(journey).outcome == "rotated"


def test_a_gate_that_never_opens_ends_the_journey_with_its_reason(clock: Clock) -> None:
    secret = Secret(NAME, current="v1")
    journey = journey_of(ModelControl(secret), clock)
    until(journey, Stage.RETIRE, clock)
    secret.refuse = ["overlap_not_over"] * _ENOUGH
    until(journey, Stage.DONE, clock, step_s=GATE_PATIENCE_S / 10)
    assert row(journey).reason == "overlap_not_over"


def test_a_retirement_that_the_schedule_started_first_is_watched_instead(clock: Clock) -> None:
    secret = Secret(NAME, current="v1")
    model = ModelControl(secret)
    journey = journey_of(model, clock)
    until(journey, Stage.RETIRE, clock)
    model.ask("retire", {"secret": NAME, "reason": "overlap over", "requested_by": "sweep"})
    secret.refuse = ["claim_held"]
    until(journey, Stage.DONE, clock)
    ended = row(journey)
    assert (ended.outcome, ended.runs["retire"]) == ("rotated", secret.runs[1]["run_id"])


def test_an_overlap_that_an_interrupted_command_left_open_is_ended_first(clock: Clock) -> None:
    secret = Secret(NAME, current="v1")
    model = ModelControl(secret)
    first = journey_of(model, clock)
    until(first, Stage.OVERLAP, clock)
    again = journey_of(model, clock, now=lambda: model.now + timedelta(seconds=1))
    until(again, Stage.DONE, clock)
    assert [run["machine"] for run in secret.runs] == ["rotate", "retire", "rotate", "retire"]
    assert row(again).outcome == "rotated"


def left_open(retire_at: datetime, overlap_s: int = 4 * 3_600) -> Secret:
    """A secret with the long overlap of an earlier rotation."""
    versions = {"old": {"id": "v0"}, "new": {"id": "v1"}}
    overlap = {"run_id": "earlier", "retire_at": retire_at.isoformat(), **versions}
    return Secret(NAME, current="v1", overlap_s=overlap_s, overlap=overlap)


@pytest.mark.parametrize("past", [timedelta(0), timedelta(days=2)])
def test_a_long_overlap_that_is_over_is_ended_first_and_the_new_one_left_to_the_schedule(
    clock: Clock, past: timedelta
) -> None:
    secret = left_open(BEGAN - past)
    journey = journey_of(ModelControl(secret), clock)
    until(journey, Stage.DONE, clock)
    assert [(run["machine"], run["status"]) for run in secret.runs] == [
        ("retire", "succeeded"),
        ("rotate", "succeeded"),
    ]
    assert row(journey).outcome == "overlap open"


@pytest.mark.parametrize(("overlap_s", "left"), [(4 * 3_600, timedelta(minutes=5)), (1, timedelta(hours=24))])
def test_an_overlap_that_lasts_is_refused_at_once_and_never_retired_also_where_a_person_drew_out_a_short_one(
    clock: Clock, overlap_s: int, left: timedelta
) -> None:
    secret = left_open(BEGAN + left, overlap_s)
    journey = journey_of(ModelControl(secret), clock)
    until(journey, Stage.DONE, clock)
    assert [run["machine"] for run in secret.runs] == ["rotate"]
    assert (row(journey).reason, row(journey).exit) == ("overlap_open", 15)
    assert f"keyturn overlap close {NAME}" in row(journey).remedy


def test_a_new_overlap_is_waited_for_as_long_as_it_lasts_not_as_its_policy_says(clock: Clock) -> None:
    secret = Secret(NAME, current="v1", overlap_s=1)
    model = ModelControl(secret)
    journey = journey_of(model, clock)
    until(journey, Stage.ROTATE, clock)
    secret.overlap_s = 86_400
    until(journey, Stage.DONE, clock)
    assert row(journey).outcome == "overlap open"
    assert [run["machine"] for run in secret.runs] == ["rotate"]


def test_a_run_that_died_without_a_record_is_told_from_one_that_waits(clock: Clock) -> None:
    secret = Secret(NAME, current="v1", stuck=True)
    model = ModelControl(secret)
    journey = journey_of(model, clock)
    for _ in range(5):
        journey.advance()
        clock.seconds += 1.0
    assert not journey.done
    model.executions[secret.runs[0]["execution"]] = Execution(status="TIMED_OUT")
    until(journey, Stage.DONE, clock, step_s=1.0)
    assert row(journey).reason == "execution_timed_out"


def test_an_error_that_the_machine_retries_is_known_while_it_does(clock: Clock) -> None:
    secret = Secret(NAME, current="v1", stuck=True)
    model = ModelControl(secret)
    journey = journey_of(model, clock)
    journey.advance()
    trouble = "Vault did not answer [vault_unreachable]"
    model.executions[secret.runs[0]["execution"]] = Execution(status="RUNNING", trouble=trouble)
    for _ in range(5):
        journey.advance()
        clock.seconds += 1.0
    assert journey.rotation
    assert journey.rotation.trouble == trouble


def test_a_phase_that_broke_is_given_the_providers_own_reason(clock: Clock) -> None:
    secret = Secret(NAME, current="v1", fails={"stage": {"outcome": "failed", "reason": "prepare_broke"}})
    model = ModelControl(secret)
    journey = journey_of(model, clock)
    journey.advance()
    trouble = "Vault did not answer [vault_unreachable]"
    model.executions[secret.runs[0]["execution"]] = Execution(status="FAILED", trouble=trouble)
    until(journey, Stage.DONE, clock)
    ended = row(journey)
    assert (ended.reason, ended.exit) == ("vault_unreachable", 6)


def test_what_control_refuses_in_between_ends_the_journey_with_that_error(clock: Clock) -> None:
    model = ModelControl(Secret(NAME, current="v1"))
    journey = journey_of(model, clock)
    journey.advance()
    model.broken = Throttled("aws_throttled", "AWS asked to slow down", "wait a minute")
    until(journey, Stage.DONE, clock)
    ended = row(journey)
    assert (ended.reason, ended.exit, ended.remedy) == ("aws_throttled", 8, "wait a minute")
    assert ended.runs == {"rotate": "rotate1-payments-postgres"}


def emergency_of(model: ModelControl, clock: Clock) -> Journey:
    control = Control(model)
    return Journey(control, control.status([NAME])[0], Wish(reason="leaked", emergency=True), clock)


def test_an_emergency_whose_retirement_control_did_not_start_asks_for_it_after_a_while(clock: Clock) -> None:
    secret = Secret(NAME, current="v1", overlap_s=4 * 3_600, forgotten=True)
    model = ModelControl(secret)
    journey = emergency_of(model, clock)
    until(journey, Stage.RETIRE, clock)
    journey.advance()
    assert "retire" not in model.asked
    until(journey, Stage.DONE, clock, step_s=EXPECTED_WITHIN_S / 5)
    assert model.asked.count("retire") == 1
    assert row(journey).outcome == "rotated"


def test_an_overlap_that_somebody_closed_before_we_looked_still_ends_with_its_proof(clock: Clock) -> None:
    secret = Secret(NAME, current="v1")
    model = ModelControl(secret)
    journey = emergency_of(model, clock)
    until(journey, Stage.ROTATE, clock)
    while len(secret.runs) < 2:
        model.ask("run", {"run_id": secret.runs[0]["run_id"]})
    while secret.overlap:
        model.ask("run", {"run_id": secret.runs[1]["run_id"]})
    until(journey, Stage.DONE, clock)
    assert (row(journey).outcome, row(journey).proof) == ("rotated", "new accepted, old refused (28P01)")


def test_a_run_that_a_switch_stopped_says_so_with_both_ways_on(clock: Clock) -> None:
    model = ModelControl(Secret(NAME, current="v1"))
    journey = journey_of(model, clock)
    for _ in range(4):
        journey.advance()
    model.switch.engaged = True
    until(journey, Stage.DONE, clock)
    ended = row(journey, "prod")
    assert (ended.outcome, ended.reason, ended.exit) == ("halted", "kill_switch", 15)
    assert f"`keyturn resume {ended.runs['rotate']} --reason WHY --stack prod` goes on" in ended.remedy
    assert f"`keyturn rollback {NAME} --reason WHY --stack prod` undoes it" in ended.remedy


def test_a_run_that_only_reported_is_not_called_rotated(clock: Clock) -> None:
    model = ModelControl(Secret(NAME, current="v1"))
    model.switch.report_only = True
    journey = journey_of(model, clock)
    until(journey, Stage.DONE, clock)
    ended = row(journey)
    assert (ended.outcome, ended.reason, ended.exit) == ("reported", "report_only", 15)
    assert "keyturn report-only off" in ended.remedy
    assert "keyturn resume" not in ended.remedy


def test_a_credential_without_a_target_ends_well_and_says_that_nobody_refuses_the_old_one(clock: Clock) -> None:
    model = ModelControl(Secret(NAME, current="v1", facts={"prove": {"proof": "not-applicable"}}))
    journey = journey_of(model, clock)
    until(journey, Stage.DONE, clock)
    ended = row(journey)
    assert (ended.outcome, ended.exit) == ("rotated", 0)
    assert ended.proof == "not applicable: no target is there to refuse the old one"
