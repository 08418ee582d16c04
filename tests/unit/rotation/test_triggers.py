"""An incident leads to one rotation, in an emergency, where the sealed policy says so; everything else says why not."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from incident_events import ACCOUNT, ALICE, OURS, ROLE, label_moved, read_call, trigger
from sweep_world import DAY, SweepWorld, policy
from test_sweep_twice import Interrupted

from rotation.contract import Version
from rotation.control.desk import run_id_of
from rotation.control.signals import Finding
from rotation.control.triggers import respond
from rotation.errors import Refused, Unavailable
from rotation.ledger.records import Overlap, head_key, to_row
from rotation.ledger.rows import Put
from rotation.policy import Consumer, Policy

NAME = "group/secret"
EVERY = ("leak", "human-read", "offboarding")
SEED, EVENTS = 20260101, 1_000


def watched(name: str = NAME, **changes: Any) -> Policy:
    return policy(name, **{"triggers": EVERY, **changes})


@pytest.fixture
def world() -> SweepWorld:
    made = SweepWorld(watched(), watched("group/other"), policy("group/deaf"))
    made.clock.advance(DAY)
    return made


def told(world: SweepWorld, event: dict[str, Any]) -> dict[str, Any]:
    return respond(world.desk, event, OURS)


def became(world: SweepWorld, event: dict[str, Any]) -> str:
    secrets: dict[str, str] = told(world, event)["secrets"]
    return secrets[NAME]


def starts(world: SweepWorld) -> list[str]:
    return [given["secret"] for machine, _, given in world.machines.started if machine == "rotate"]


@pytest.mark.parametrize("event", [trigger(), read_call(), trigger("offboarding")], ids=EVERY)
def test_an_incident_starts_an_emergency_rotation_at_once_and_the_run_says_who_and_why(
    world: SweepWorld, event: dict[str, Any]
) -> None:
    assert became(world, event) == "started"
    ((machine, _, given),) = world.machines.started
    assert (machine, given["secret"], given["flags"]) == ("rotate", NAME, "emergency")
    assert given["requested_by"] == f"event:{event['source']}"
    actor = ALICE["arn"] if event == read_call() else "scanner"
    assert f" by {actor} at 2026-01-01T00:00:00.000000Z" in given["reason"]
    assert world.told.findings == []


def test_the_same_event_twice_starts_one_run_also_when_the_first_has_failed(world: SweepWorld) -> None:
    assert became(world, trigger()) == "started"
    assert became(world, trigger()) == "repeated"
    world.end(NAME, "failed", "store_down")
    assert became(world, trigger()) == "repeated"
    assert starts(world) == [NAME]
    # the row is tried again by the sweep, after its pause
    world.clock.advance(DAY)
    assert world.look() == [NAME]


def test_a_later_incident_under_a_used_id_passes_for_no_repeat_and_is_told(world: SweepWorld) -> None:
    assert became(world, trigger()) == "started"
    world.end(NAME)
    rotated(world)
    # by as much as clocks may differ the same event may be ahead of us
    soon = (world.clock.moment + timedelta(minutes=4)).isoformat()
    assert became(world, trigger(occurred_at=soon)) == "repeated"
    assert world.told.findings == []
    world.clock.advance(DAY)
    assert became(world, trigger(occurred_at=world.clock.moment.isoformat())) == "incident_id_reused"
    assert world.told.findings == [Finding.EVENT_REFUSED]
    assert starts(world) == [NAME]


def delivered(at: int) -> tuple[SweepWorld, int]:
    """One delivery, in which another one of the same event comes before call number `at` to the table."""
    world = SweepWorld(watched())
    world.clock.advance(DAY)
    rows = Interrupted(world.rows, at, lambda: told(world, trigger()))
    respond(world.another_desk(rows), trigger(), OURS)  # type: ignore[arg-type]
    return world, rows.calls


def test_two_deliveries_at_once_start_one_run_wherever_one_overtakes_the_other() -> None:
    _, calls = delivered(0)
    assert calls
    for at in range(1, calls + 1):
        world, _ = delivered(at)
        assert starts(world) == [NAME], at


def test_many_readers_before_a_run_lead_to_that_run_and_one_that_comes_after_to_another(world: SweepWorld) -> None:
    assert became(world, read_call(eventID="e-1")) == "started"
    assert became(world, read_call(eventID="e-2")) == "waiting"
    world.end(NAME)
    rotated(world)
    assert became(world, read_call(eventID="e-3")) == "replaced"
    later = world.clock.moment.isoformat()
    assert became(world, read_call(eventID="e-4", eventTime=later)) == "started"
    assert starts(world) == [NAME, NAME]


def rotated(world: SweepWorld, *, retire_at: str = "") -> None:
    """The head as the last execution leaves it; with an overlap that ends then."""
    name = next(name for _, name, _ in reversed(world.machines.started))
    old, new = Version(id="1", path=""), Version(id="2", path="")
    opened = Overlap(run_id="r", old=old, new=new, retire_at=retire_at) if retire_at else None
    head = world.desk.ledger.head(NAME)
    made = replace(head, rev=1, current=new, version=run_id_of(f"arn:{name}"), overlap=opened)
    world.rows.write([Put(key=head_key(NAME), row=to_row(made))])


def test_a_leak_of_what_an_ordinary_overlap_keeps_alive_ends_that_overlap_first(world: SweepWorld) -> None:
    world.look()
    world.due_now(NAME)
    world.look()
    world.end(NAME)
    rotated(world, retire_at="2027-01-01T00:00:00.000000Z")
    world.machines.started.clear()
    assert became(world, trigger()) == "started"
    ((machine, _, given),) = world.machines.started
    assert (machine, given["flags"]) == ("retire", "emergency unacknowledged")
    assert given["reason"].startswith("leak by scanner")
    head = world.desk.ledger.head(NAME)
    assert head.overlap is not None
    assert head.overlap.retire_at <= world.desk.ledger.now()


def test_a_policy_without_the_trigger_is_left_alone_and_says_so(world: SweepWorld) -> None:
    answer = told(world, trigger(secrets=["group/deaf"]))
    assert answer["secrets"] == {"group/deaf": "not_a_trigger"}
    assert not starts(world)


@pytest.mark.parametrize(
    "changes",
    [
        {"readers": (f"{ROLE}/administrators",)},
        {"consumers": (Consumer(name="web", kind="client", lead_s=1, role=f"{ROLE}/administrators"),)},
    ],
    ids=["a reader", "a consumer"],
)
def test_a_read_by_whom_the_policy_declares_is_nobody_elses(changes: dict[str, Any]) -> None:
    world = SweepWorld(watched(**changes))
    assert became(world, read_call()) == "declared_reader"
    # declared for the secret, not for everything
    assert became(world, trigger()) == "started"


def test_an_off_boarding_without_names_is_about_every_policy_that_has_the_trigger(world: SweepWorld) -> None:
    answer = told(world, trigger("offboarding", secrets=None))
    assert answer["secrets"] == {NAME: "started", "group/other": "started"}


def test_reads_of_what_is_not_ours_are_passed_over_and_a_leak_of_it_is_told(world: SweepWorld) -> None:
    assert told(world, read_call(secret="somebody/elses"))["outcome"] == "ignored"
    assert world.told.findings == []
    assert told(world, trigger(secrets=None, store="aws", path="somebody/elses"))["reason"] == "unknown_secret"
    assert told(world, trigger(secrets=["somebody/elses"]))["secrets"] == {"somebody/elses": "unknown_secret"}
    assert world.told.findings == [Finding.EVENT_REFUSED] * 2


def test_what_cannot_be_followed_is_told_and_hides_no_other() -> None:
    world = SweepWorld(watched(), watched("group/native", scheduler="native"), watched("group/forged"))
    sealed = world.catalogue.policy

    def unsealed(name: str) -> Policy:
        if name == "group/forged":
            raise Refused("policy_not_sealed", "nobody who may has written it", "deploy again")
        return sealed(name)

    world.catalogue.policy = unsealed  # type: ignore[method-assign]
    answer = told(world, trigger(secrets=["group/forged", "group/native", NAME]))
    assert answer["secrets"] == {
        "group/forged": "policy_not_sealed",
        "group/native": "native_scheduler",
        NAME: "started",
    }
    assert world.told.findings == [Finding.EVENT_REFUSED] * 2


@pytest.mark.parametrize("path", ["signing-key", "projects/p/secrets/signing-key"])
def test_a_google_secret_is_known_by_the_id_that_its_policy_writes_and_by_its_whole_name(path: str) -> None:
    world = SweepWorld(replace(watched(store="gcp"), path="projects/p/secrets/signing-key"))
    assert became(world, trigger(secrets=None, store="gcp", path=path)) == "started"


def test_no_other_stores_secret_and_no_other_project_is_taken_for_googles_id() -> None:
    whole = "projects/p/secrets/signing-key"
    world = SweepWorld(replace(watched(), path=whole), replace(watched("group/google", store="gcp"), path=whole))
    for store, path in [("aws", "signing-key"), ("gcp", "projects/q/secrets/signing-key"), ("gcp", "key")]:
        assert told(world, trigger(secrets=None, store=store, path=path))["reason"] == "unknown_secret"
    assert not starts(world)


def test_a_place_that_the_sealed_policy_does_not_confirm_starts_nothing(world: SweepWorld) -> None:
    places = world.catalogue.places()
    world.catalogue.places = lambda: [replace(one, path="another/place") for one in places]  # type: ignore[method-assign]
    answer = told(world, trigger(secrets=None, store="aws", path="another/place"))
    assert set(answer["secrets"].values()) == {"another_place"}
    assert not starts(world)


def test_own_moves_of_a_label_are_told_from_others_by_the_ledger(world: SweepWorld) -> None:
    head = replace(world.desk.ledger.head(NAME), current=Version(id="v2", path=""))
    world.rows.write([Put(key=head_key(NAME), row=to_row(head))])
    assert became(world, label_moved("v2")) == "own_move"
    busy = replace(head, run_id="r", execution="arn:x")
    world.rows.write([Put(key=head_key(NAME), row=to_row(busy))])
    assert became(world, label_moved("v3")) == "own_move"


def spoilt(random_: random.Random, event: dict[str, Any]) -> dict[str, Any]:
    """A copy with one to three parts replaced, removed or added anywhere."""
    made = copy.deepcopy(event)
    for _ in range(random_.randint(1, 3)):
        held: Any = made
        while isinstance(held, dict) and held and random_.random() < 0.7:
            inner = held[random_.choice(list(held))]
            if not isinstance(inner, dict):
                break
            held = inner
        names = [*held, "value", "phase", "flags", "verb", "resume", "break_glass", "policy"]
        held[random_.choice(names)] = random_.choice(JUNK)
        if held and random_.random() < 0.3:
            held.pop(random_.choice(list(held)))
    return made


JUNK: tuple[Any, ...] = (
    *(None, True, -1, 2**70, 1.5, float("nan"), "", " ", "x" * 5_000, "\u0000", "'; drop", "../..", "group/deaf", NAME),
    *(
        [],
        {},
        [NAME],
        {"a": {"b": []}},
        "arn:aws:iam::1:root",
        "group/other\n",
        "emergency break_glass",
        "\uff41",
        "9999-12-31",
    ),
)


def nobody(function: str, run_id: str) -> Any:
    """There is no store to look at."""
    raise Unavailable("store_down", "the store does not answer")


def test_a_thousand_spoilt_events_start_nothing_that_a_whole_one_would_not() -> None:
    random_ = random.Random(SEED)  # noqa: S311 - no secret
    place = trigger(secrets=None, store="aws", path=NAME)
    whole = [trigger(), trigger("offboarding"), read_call(), label_moved("v2"), place]
    outcomes: dict[str, int] = {}
    for _ in range(EVENTS):
        world = SweepWorld(watched(), policy("group/deaf"))
        world.clock.advance(DAY)
        world.desk.functions.inspect = nobody  # type: ignore[method-assign]
        event = spoilt(random_, random_.choice(whole))
        answer = told(world, event)
        outcomes[answer["outcome"]] = outcomes.get(answer["outcome"], 0) + 1
        for machine, _, given in world.machines.started:
            # whatever was in it: of the one secret whose policy says so, in its place, and with no brake passed
            assert (machine, given["secret"], given["flags"], given["resume"]) == ("rotate", NAME, "emergency", "")
            assert event["account"] == ACCOUNT
            assert len(given["reason"]) < 5_000
        if answer["outcome"] == "refused":
            assert not world.machines.started
            assert world.told.findings == [Finding.EVENT_REFUSED]
    assert outcomes["refused"] > EVENTS / 4
    assert outcomes["followed"] > EVENTS / 50, "events that were hardly spoilt are followed"
