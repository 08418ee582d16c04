"""What somebody has to hear of although no machine may have failed, and that hearing of it breaks no run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotation.calls import Caller, Meter, NullBreaker
from rotation.contract import Verdict
from rotation.control import starts
from rotation.control.signals import NAMESPACE, Finding, MetricSignals
from rotation.errors import Denied, KeyturnError
from rotation.phases import Outcome, phase_named
from rotation.steps import STEPS
from rotation.steps.step import StepResult
from tests.model.world import OVERLAP_S, PERSON, World


def test_a_run_that_ends_well_tells_nobody(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.retire("arn:r")
    assert world.told.findings == []


def test_an_old_credential_that_is_still_accepted_is_told(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.target.broken["probe"] = Verdict.ACCEPTED
    world.retire("arn:r")
    assert world.told.findings == [Finding.OLD_ALIVE]


@pytest.mark.parametrize("proof", ["alive", "unproven"])
def test_what_a_replacement_in_place_left_alive_is_told(
    world: World, proof: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the store replaces the credential in one, and the proof comes with the promotion
    promote = STEPS["promote"].act
    shown = replace(STEPS["promote"], act=lambda context: _with(promote(context), proof))
    monkeypatch.setitem(STEPS, "promote", shown)
    assert world.rotate("arn:2") == "succeeded"
    assert world.told.findings == [Finding.OLD_ALIVE]


def _with(result: StepResult, proof: str) -> StepResult:
    return replace(result, facts={**result.facts, "proof": proof})


def test_a_passed_freeze_is_told(world: World) -> None:
    world.ledger.switchboard.set(PERSON, frozen_until="2027-01-01T00:00:00.000000Z")
    world.rotate("arn:2", flags="break_glass")
    assert world.told.findings == [Finding.BREAK_GLASS]


def test_a_halted_run_is_told_and_one_that_never_began_is_not(world: World) -> None:
    world.engage()
    world.rotate("arn:2")
    assert world.told.findings == []
    world.release()
    world.enter(phase_named("claim"), "arn:3")
    world.engage()
    world._end("record_halt", phase_named("prepare"), "kill_switch", world.given("arn:3"))
    assert world.told.findings == [Finding.HALTED]


def test_a_run_that_could_not_be_undone_is_told(world: World) -> None:
    world.target.broken["check"] = Verdict.REFUSED
    world.broken_store.add("demote")
    assert world.rotate("arn:2") == "stuck"
    assert world.told.findings == [Finding.STUCK]


def test_a_run_that_keeps_losing_its_execution_is_told_at_every_sweep(world: World) -> None:
    assert world.enter(phase_named("claim"), "arn:2")[0] == Outcome.PASSED
    (run_id,) = {world.ledger.head("group/secret").run_id}
    for attempt in range(starts.MAX_TAKEOVERS):
        world.enter(phase_named("claim"), world.given(f"arn:{attempt}", resume=run_id))
    world.clock.advance(601)
    starts.sweep(world.desk)
    starts.sweep(world.desk)
    assert world.told.findings == [Finding.STUCK, Finding.STUCK]


class Client:
    """CloudWatch, as far as findings need it."""

    def __init__(self, refusal: KeyturnError | None = None) -> None:
        self.put: list[dict[str, object]] = []
        self._refusal = refusal

    def put_metric_data(self, **asked: object) -> None:
        if self._refusal:
            raise self._refusal
        self.put.append(asked)


def told(client: Client) -> MetricSignals:
    caller = Caller(
        "cloudwatch",
        translate=lambda exc: exc if isinstance(exc, KeyturnError) else None,
        meter=Meter(),
        breaker=NullBreaker(),
        sleep=lambda _: None,
    )
    return MetricSignals(client, "prod", caller)


def test_a_finding_is_one_count_of_its_own_metric_in_its_stack() -> None:
    client = Client()
    told(client).tell(Finding.OLD_ALIVE)
    datum = {"MetricName": "OldCredentialAlive", "Dimensions": [{"Name": "Stack", "Value": "prod"}], "Value": 1.0}
    assert client.put == [{"Namespace": NAMESPACE, "MetricData": [datum]}]


def test_a_finding_that_cannot_be_published_is_logged_and_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told(Client(Denied("aws_denied", "no"))).tell(Finding.STUCK)
    (record,) = caplog.records
    assert record.fields == {"finding": "RunStuck", "reason": "aws_denied"}  # type: ignore[attr-defined]
