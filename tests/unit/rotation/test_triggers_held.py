"""What stops, holds or slows runs does so for those that an event asks for, and approval waits for a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from approval_world import APPROVED, ApprovalWorld
from incident_events import OURS, label_moved, trigger
from sweep_world import DAY, HOUR, MINUTE, SweepWorld
from test_triggers import NAME, became, starts, told, watched

from rotation.control import triggers
from rotation.control.signals import Finding
from rotation.control.table import PHASES
from rotation.control.triggers import respond
from rotation.errors import Unavailable
from rotation.ledger.switch import Who
from rotation.phases import Outcome
from rotation.policy import Policy

PERSON = Who(actor="on-call", reason="test", verb="test")


@pytest.fixture
def world() -> SweepWorld:
    made = SweepWorld(watched())
    made.clock.advance(DAY)
    return made


@pytest.mark.parametrize("stop", ["kill switch", "freeze of the secret", "freeze of all", "report only"])
def test_what_stops_runs_stops_this_one_until_it_is_lifted(world: SweepWorld, stop: str) -> None:
    board = world.desk.ledger.switchboard
    stops = {
        "kill switch": (lambda: board.set(PERSON, engaged=True), lambda: board.set(PERSON, engaged=False)),
        "report only": (lambda: board.set(PERSON, report_only=True), lambda: board.set(PERSON, report_only=False)),
        "freeze of the secret": (
            lambda: board.freeze(PERSON, [NAME], "2030-01-01T00:00:00.000000Z"),
            lambda: board.unfreeze(PERSON, [NAME]),
        ),
        "freeze of all": (
            lambda: board.set(PERSON, frozen_until="2030-01-01T00:00:00.000000Z"),
            lambda: board.set(PERSON, frozen_until=""),
        ),
    }
    engage, lift = stops[stop]
    engage()
    assert became(world, trigger()) == "asked"
    assert world.look() == []
    assert world.told.findings == []
    world.clock.advance(HOUR)
    assert world.look() == []
    assert world.told.findings == [Finding.EMERGENCY_HELD], "a leak that waits is told, whatever it waits for"
    lift()
    assert world.look() == [NAME]


def test_a_leak_during_an_earlier_run_that_does_not_end_is_told_after_an_hour_and_rotated_after_it(
    world: SweepWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.look()
    world.due_now(NAME)
    assert world.look() == [NAME]
    world.clock.advance(MINUTE)
    leak = trigger(occurred_at=world.clock.moment.isoformat())
    assert became(world, leak) == "asked"
    world.clock.advance(HOUR - 1)
    world.look()
    assert world.told.findings == []
    world.clock.advance(1)
    world.look()
    assert world.told.findings == [Finding.EMERGENCY_HELD]
    assert caplog.records[-1].__dict__["fields"] == {"secret": NAME, "reason": "earlier_run"}
    world.end(NAME)
    assert world.look() == [NAME]
    world.clock.advance(HOUR)
    world.told.findings.clear()
    world.look()
    assert world.told.findings == [], "the run that is under way is the answer to the leak"


def test_the_stores_budget_holds_for_many_at_once() -> None:
    many = [watched(f"group/s{i:03}", store="gcp") for i in range(120)]
    world = SweepWorld(*many)
    answer = told(world, trigger("offboarding", secrets=None))
    assert len(answer["secrets"]) == len(many)
    assert 0 < len(starts(world)) < len(many)
    assert set(answer["secrets"].values()) == {"started", "asked"}


def test_a_group_rotates_one_at_a_time_for_events_too() -> None:
    world = SweepWorld(watched("group/a", group="g"), watched("group/b", group="g"))
    answer = told(world, trigger("offboarding", secrets=None))
    assert sorted(answer["secrets"].values()) == ["asked", "started"]


def test_an_off_boarding_of_more_than_there_is_time_for_says_that_some_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(triggers, "MOST_POLICIES", 2)
    world = SweepWorld(*(watched(f"group/{letter}") for letter in "abc"))
    assert sorted(told(world, trigger("offboarding", secrets=None))["secrets"]) == ["group/a", "group/b"]
    assert world.told.findings == [Finding.EVENT_REFUSED]


def test_a_moved_version_of_a_place_that_the_sealed_policy_does_not_confirm_is_not_looked_at(world: SweepWorld) -> None:
    places = world.catalogue.places()
    world.catalogue.places = lambda: [replace(one, path="another/place") for one in places]  # type: ignore[method-assign]
    assert told(world, label_moved("v2", secret="another/place"))["secrets"] == {NAME: "another_place"}


def test_trouble_of_a_provider_is_raised_so_that_the_event_is_delivered_again(world: SweepWorld) -> None:
    def down(_: str) -> Policy:
        raise Unavailable("aws_unreachable", "AWS did not answer")

    sealed, world.catalogue.policy = world.catalogue.policy, down  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        told(world, trigger())
    world.catalogue.policy = sealed  # type: ignore[method-assign]
    assert became(world, trigger()) == "started"


def test_an_approval_is_waited_for_and_the_event_is_who_asked() -> None:
    world = ApprovalWorld(replace(APPROVED, triggers=("leak",)))
    assert respond(world.desk, trigger(), OURS)["secrets"] == {NAME: "started"}
    ((_, name, given),) = world.machines.started
    claimed = PHASES["claim"](world.desk, {**given, "execution": f"arn:{name}"})
    assert claimed["outcome"] == Outcome.APPROVAL
    run, _ = world.ledger.run(claimed["run_id"])
    assert (run.emergency, run.requested_by) == (True, "event:keyturn.triggers")
