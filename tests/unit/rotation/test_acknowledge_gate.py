"""The old credential is only retired when every consumer is known to have let go of it, or a person says why not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from acknowledge_world import ACKNOWLEDGE_S, ACTOR, LEASE_S, STRANGER, WHO, Replicas, awaiting, client

from rotation.control import starts
from rotation.control.desk import run_id_of
from rotation.control.signals import Finding
from rotation.control.table import VERBS
from rotation.errors import Denied, Refused
from rotation.ledger.due import Due
from rotation.ledger.records import Run
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME, PERSON, POLICY

TEN = [f"replica-{i}" for i in range(10)]


@pytest.fixture
def world() -> Replicas:
    return Replicas()


def told(world: Replicas, execution: str = "arn:r") -> dict[str, str]:
    """What the retirement kept of the consumers."""
    run = last(world)
    assert run.execution == execution
    return world.ledger.run(run.run_id)[1]["acknowledge"].facts


def last(world: Replicas) -> Run:
    return world.ledger.history(NAME)[-1]


def ends(world: Replicas) -> str:
    """Walk the retirement as the machine does, whatever the sweep would say."""
    world.over()
    return world.retire("arn:r")


def test_ten_replicas_of_which_nine_have_acknowledged_keep_the_old_credential_alive(world: Replicas) -> None:
    for name in TEN:
        world.say(name, world.old)
    for name in TEN[:9]:
        world.say(name, world.new)
    assert ends(world) == "failed"
    assert last(world).failure == {"phase": "acknowledge", "reason": "not_acknowledged"}
    assert [effect for effect in world.target.effects if effect.startswith("revoke")] == []
    facts = told(world)
    assert (facts["consumers"], facts["missing"]) == ("web 9 of 10: behind", "web/replica-9")
    world.say(TEN[9], world.new)
    assert world.retire("arn:again") == "succeeded"
    assert world.ledger.head(NAME).overlap is None


def test_a_forged_acknowledgement_opens_nothing(world: Replicas) -> None:
    world.say("one", world.old)
    with pytest.raises(Denied):
        world.say("one", world.new, actor=STRANGER)
    assert ends(world) == "failed"


def test_an_instance_that_died_after_it_had_acknowledged_does_not_keep_it_alive(world: Replicas) -> None:
    world.say("one", world.new)
    world.clock.advance(LEASE_S + 1)
    assert ends(world) == "succeeded"
    facts = told(world)
    assert (facts["consumers"], "web/one" in facts["died_after"]) == ("web 0 of 0: acknowledged", True)


def test_one_that_died_without_it_is_named_and_does_not_count_for_its_consumer(world: Replicas) -> None:
    world.say("one", world.old)
    world.clock.advance(LEASE_S + 1)
    assert ends(world) == "failed"
    assert (told(world)["ran_out"], told(world)["missing"]) == ("web/one", "web (silent)")
    world.say("two", world.new)
    assert world.retire("arn:again") == "succeeded"
    assert told(world, "arn:again")["ran_out"] == "web/one"


def test_an_instance_that_started_late_from_an_old_cache_keeps_it_alive(world: Replicas) -> None:
    world.say("one", world.new)
    world.over()
    world.say("late", world.old)
    assert world.retire("arn:r") == "failed"
    assert told(world)["missing"] == "web/late"


def test_a_consumer_that_was_never_seen_is_unknown_and_never_verified() -> None:
    world = Replicas(awaiting(client(), client("batch")))
    world.say("one", world.new)
    assert ends(world) == "failed"
    assert told(world)["missing"] == "batch (unknown)"


def test_what_ran_out_before_the_rotation_says_nothing_of_the_version_that_is_back(world: Replicas) -> None:
    world.say("long-ago", world.old)
    world.clock.advance(LEASE_S + 1)
    assert world.walk("rollback", "arn:back") == "succeeded"
    lease = world.ledger.leases.one(NAME, "web", "long-ago")
    assert lease is not None
    assert lease.version == world.new, "the same version, of long ago"
    assert ends(world) == "failed"
    assert told(world)["missing"] == "web (silent)"


@pytest.mark.parametrize(
    "policy",
    [POLICY, awaiting(client(kind="poll")), replace(awaiting(client()), acknowledge_s=0)],
    ids=["no consumer", "no client", "waits for nobody"],
)
def test_where_nobody_is_awaited_nothing_is_looked_at_or_kept(policy: object, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Replicas(policy)  # type: ignore[arg-type]
    monkeypatch.setattr(world.ledger, "leases", None)
    assert ends(world) == "succeeded"
    assert "acknowledge" not in world.ledger.run(last(world).run_id)[1]


def test_the_run_keeps_who_acknowledged_what_and_when(world: Replicas) -> None:
    world.say("one", world.new)
    at = world.ledger.now()
    new = world.new
    assert ends(world) == "succeeded"
    facts = told(world)
    assert facts == {
        "version": new,
        "consumers": "web 1 of 1: acknowledged",
        "acknowledged": f"web/one {at}",
        "outcome": "passed",
        "reason": "",
    }


def test_of_many_instances_the_run_names_some_and_counts_the_rest(world: Replicas) -> None:
    for i in range(60):
        world.say(f"replica-{i}", world.new)
    assert ends(world) == "succeeded"
    assert told(world)["acknowledged"].endswith("; and 20 more")


def test_the_sweep_starts_no_execution_that_its_gate_would_refuse(world: Replicas) -> None:
    world.say("one", world.old)
    world.over()
    assert starts.sweep(world.desk) == []
    world.say("one", world.new)
    assert starts.sweep(world.desk) == [NAME]
    assert world.follow() == ["succeeded"]


def test_at_the_deadline_it_escalates_at_every_sweep_and_never_retires_by_itself(world: Replicas) -> None:
    world.over()
    world.clock.advance(ACKNOWLEDGE_S - 1)
    starts.sweep(world.desk)
    assert world.told.findings == []
    world.clock.advance(1)
    for _ in range(2):
        assert starts.sweep(world.desk) == []
    assert world.told.findings == [Finding.NOT_ACKNOWLEDGED] * 2
    world.clock.advance(365 * 86_400)
    assert (starts.sweep(world.desk), world.machines.started) == ([], [])


def test_a_person_is_told_who_is_missing_before_anything_is_changed(world: Replicas) -> None:
    world.say("one", world.old)
    before = world.ledger.head(NAME)
    for verb in ("overlap_close", "retire"):
        with pytest.raises(Refused, match="web/one") as refused:
            VERBS[verb](world.desk, {"secret": NAME, **WHO})
        assert refused.value.reason == "not_acknowledged"
    assert (world.ledger.head(NAME), world.machines.started) == (before, [])


def test_a_person_passes_the_gate_with_a_reason_and_the_run_says_so(world: Replicas) -> None:
    world.say("one", world.old)
    VERBS["overlap_close"](world.desk, {"secret": NAME, "unacknowledged": True, **WHO})
    ((_, name, given),) = world.machines.started
    assert given["flags"] == "unacknowledged"
    assert world.retire(f"arn:{name}", **{key: given[key] for key in ("flags", "reason", "requested_by")}) == (
        "succeeded"
    )
    run = last(world)
    assert (run.unacknowledged, run.requested_by, run.reason) == (True, WHO["requested_by"], WHO["reason"])
    facts = told(world, f"arn:{name}")
    assert (facts["passed_by"], facts["why"], facts["missing"]) == (WHO["requested_by"], WHO["reason"], "web/one")


def test_no_other_verb_passes_the_gate(world: Replicas) -> None:
    with pytest.raises(Refused):
        VERBS["retire"](world.desk, {"secret": NAME, "unacknowledged": True, **WHO})


def test_an_emergency_waits_for_nobody_and_says_so() -> None:
    world = Replicas()
    world.say("one", world.new)
    world.over()
    assert world.retire("arn:r") == "succeeded"
    assert world.rotate("arn:leak", flags="emergency") == "succeeded"
    ((_, name, _),) = world.machines.started
    assert world.follow() == ["succeeded"]
    facts = world.ledger.run(run_id_of(f"arn:{name}"))[1]["acknowledge"].facts
    assert (facts["passed_by"], facts["missing"]) == ("emergency", "web/one")


def test_an_emergency_ends_an_overlap_that_waits_before_it_rotates(world: Replicas) -> None:
    world.say("one", world.old)
    VERBS["rotate"](world.desk, {"secret": NAME, "emergency": True, **WHO})
    ((_, name, _),) = world.machines.started
    assert world.follow() == ["succeeded"]
    facts = world.ledger.run(run_id_of(f"arn:{name}"))[1]["acknowledge"].facts
    assert (facts["passed_by"], facts["missing"]) == ("emergency", "web/one")
    assert world.follow() == ["succeeded"], "the rotation"


def test_what_an_earlier_retirement_began_to_revoke_is_ended_by_the_next_one(world: Replicas) -> None:
    world.say("one", world.old)
    begun = replace(world.overlap, witnessed_by="earlier")
    world.ledger.amend(world.ledger.head(NAME), PERSON, overlap=begun)
    world.over()
    assert starts.sweep(world.desk) == [NAME]
    ((_, name, _),) = world.machines.started
    assert world.follow() == ["succeeded"]
    assert told(world, f"arn:{name}")["passed_by"] == "earlier"


def test_a_retirement_forgets_the_instances_of_weeks_ago(world: Replicas) -> None:
    world.say("of-old", world.old)
    world.clock.advance(8 * 86_400)
    world.say("one", world.new)
    assert ends(world) == "succeeded"
    assert [one.instance for one in world.ledger.leases.of(NAME)] == ["one"]


def test_an_emergency_of_many_ends_an_overlap_that_waits(world: Replicas) -> None:
    world.over()
    due = Due(secret=NAME, due_at=world.ledger.now(), flags="emergency", reason="leak", requested_by="arn:duty")
    assert world.ledger.agenda.put(None, due)
    assert starts.sweep(world.desk) == [NAME]
    ((_, _, given),) = world.machines.started
    assert (given["flags"], given["reason"], given["requested_by"]) == ("unacknowledged", "leak", "arn:duty")
    assert world.follow() == ["succeeded"]


def test_a_retirement_that_began_to_revoke_goes_on_whoever_starts_late(world: Replicas) -> None:
    world.say("one", world.new)
    world.over()
    for phase in ("gate", "acknowledge", "retire"):
        assert world.enter(phase_named(phase), "arn:r")[0] == Outcome.PASSED
    world.say("late", world.old)
    assert world.enter(phase_named("acknowledge"), "arn:r")[0] == Outcome.PASSED


def test_the_gate_entered_again_judges_again(world: Replicas) -> None:
    world.over()
    assert world.enter(phase_named("gate"), "arn:r")[0] == Outcome.PASSED
    assert world.enter(phase_named("acknowledge"), "arn:r") == (Outcome.FAILED, "not_acknowledged")
    world.say("one", world.new)
    assert world.enter(phase_named("acknowledge"), "arn:r") == (Outcome.PASSED, "")


def test_a_kill_switch_stops_a_retirement_at_its_gate(world: Replicas) -> None:
    world.say("one", world.new)
    world.over()
    assert world.enter(phase_named("gate"), "arn:r")[0] == Outcome.PASSED
    world.engage()
    assert world.enter(phase_named("acknowledge"), "arn:r") == (Outcome.HALTED, "kill_switch")


def test_status_counts_the_instances_and_consumers_lists_them(world: Replicas) -> None:
    for name in TEN:
        world.say(name, world.old)
    for name in TEN[:9]:
        world.say(name, world.new)
    (standing,) = VERBS["status"](world.desk, {"secrets": [NAME]})
    assert standing["consumers"] == [{"name": "web", "state": "behind", "live": 10, "acknowledged": 9}]
    found = VERBS["consumers"](world.desk, {"secret": NAME})
    assert (found["version"], found["awaited"]) == (world.new, True)
    (web,) = found["consumers"]
    late = next(one for one in web["instances"] if one["instance"] == TEN[9])
    assert (late["version"], late["acknowledged_at"], late["live"], late["actor"]) == (world.old, "", True, ACTOR)
    world.clock.advance(LEASE_S)
    (standing,) = VERBS["status"](world.desk, {"secrets": [NAME]})
    assert standing["consumers"] == [{"name": "web", "state": "acknowledged", "live": 0, "acknowledged": 0}]


def test_long_after_an_overlap_a_silent_consumer_is_not_called_acknowledged(world: Replicas) -> None:
    assert VERBS["consumers"](world.desk, {"secret": NAME})["consumers"][0]["state"] == "unknown"
    world.say("one", world.new)
    assert ends(world) == "succeeded"
    assert VERBS["consumers"](world.desk, {"secret": NAME})["consumers"][0]["state"] == "acknowledged"
    world.clock.advance(LEASE_S)
    assert VERBS["consumers"](world.desk, {"secret": NAME})["consumers"][0]["state"] == "silent"
