"""A version that somebody else made current is adopted or alarmed as the policy says, found by event or by sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from incident_events import OURS, label_moved, trigger
from sweep_world import DAY
from test_repair import moved_to_one_that_does_not, moved_to_one_that_works

from rotation.control import outside, repair
from rotation.control.signals import Finding
from rotation.control.triggers import respond
from rotation.errors import Unavailable
from rotation.policy import Policy
from rotation.probing import Subject
from rotation.value import SecretValue
from tests.model.store import MemoryStore
from tests.model.world import NAME, OVERLAP_S, POLICY, ModelCatalogue, World


def watched(on_outside_change: str) -> World:
    """A rotated secret without an open overlap, whose store shows its pointer."""
    world = World()
    policy = replace(POLICY, on_outside_change=on_outside_change)
    world.desk = replace(world.desk, catalogue=ModelCatalogue({NAME: policy}))  # type: ignore[arg-type]
    world.desk.functions.subject = lambda _: subject(world, policy)  # type: ignore[attr-defined]
    assert world.rotate("arn:1") == "succeeded"
    world.clock.advance(OVERLAP_S)
    return world


def subject(world: World, policy: Policy) -> Subject:
    context = world.context(next(iter(world.ledger.history(NAME))).run_id)
    return Subject(
        policy=policy,
        store=context.store,
        issuer=context.issuer,
        authority=lambda: SecretValue.of({}),
        ledger=world.ledger,
        meter=world.meter,
    )


def current(world: World) -> str:
    head = world.ledger.head(NAME)
    assert head.current is not None
    return head.current.id


def by_event(world: World) -> str:
    """As whoever ships the store's log reports it."""
    event = trigger("outside-change", secrets=[NAME], version=str(world.secret.current))
    secrets: dict[str, str] = respond(world.desk, event, OURS)["secrets"]
    return secrets[NAME]


def by_sweep(world: World) -> str:
    found = outside.look_around(world.desk)
    known = current(world) == str(world.secret.current)
    return "unchanged" if not found else "adopted" if known else "alarmed"


FOUND: dict[str, Callable[[World], str]] = {"event": by_event, "sweep": by_sweep}
each_way = pytest.mark.parametrize("way", FOUND)


@each_way
def test_one_that_works_is_adopted_where_the_policy_says_so_and_the_one_before_retired(way: str) -> None:
    world = watched("adopt")
    before = current(world)
    moved_to_one_that_works(world)
    assert FOUND[way](world) == "adopted"
    head = world.ledger.head(NAME)
    assert head.overlap is not None
    assert (head.overlap.old.id, head.overlap.new.id) == (before, str(world.secret.current))
    assert world.told.findings == []
    assert FOUND[way](world) in ("unchanged", "own_move"), "once"
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"


@each_way
def test_where_the_policy_says_alarm_the_ledger_stays_and_somebody_is_told_until_it_is_well(way: str) -> None:
    world = watched("alarm")
    before = current(world)
    moved_to_one_that_works(world)
    assert [FOUND[way](world), FOUND[way](world)] == ["alarmed", "alarmed"]
    assert current(world) == before
    assert world.told.findings == [Finding.OUTSIDE_CHANGE] * 2


@each_way
def test_one_that_the_target_refuses_is_never_adopted(way: str) -> None:
    world = watched("adopt")
    before = current(world)
    moved_to_one_that_does_not(world)
    assert FOUND[way](world) == "alarmed"
    assert current(world) == before


@each_way
def test_nothing_is_adopted_while_the_kill_switch_is_engaged(way: str) -> None:
    world = watched("adopt")
    moved_to_one_that_works(world)
    world.engage()
    assert FOUND[way](world) == "alarmed"
    world.release()
    assert FOUND[way](world) == "adopted"


@each_way
def test_what_keyturn_itself_made_current_is_nobody_elses(way: str) -> None:
    world = watched("adopt")
    assert FOUND[way](world) in ("unchanged", "own_move")
    assert world.told.findings == []


@each_way
def test_a_pointer_that_lags_behind_our_own_promotion_is_no_change_for_a_day_and_then_is(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(MemoryStore, "capabilities", replace(MemoryStore.capabilities, lagging_pointer=True))
    world = watched("adopt")
    before = world.secret.current
    assert world.rotate("arn:2") == "succeeded"
    world.secret.current = before
    assert FOUND[way](world) == "unchanged"
    world.clock.advance(DAY + 1)
    assert FOUND[way](world) != "unchanged"


@each_way
def test_a_pointer_that_does_not_lag_and_was_moved_back_is_found_at_once(way: str) -> None:
    world = watched("adopt")
    before = world.secret.current
    assert world.rotate("arn:2") == "succeeded"
    world.secret.current = before
    assert FOUND[way](world) != "unchanged"


@each_way
def test_a_strangers_version_is_not_what_lags(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(MemoryStore, "capabilities", replace(MemoryStore.capabilities, lagging_pointer=True))
    world = watched("adopt")
    moved_to_one_that_works(world)
    assert FOUND[way](world) == "adopted"


def test_an_event_is_delivered_again_when_the_store_cannot_be_asked() -> None:
    world = watched("adopt")

    def down(_: str) -> Subject:
        raise Unavailable("store_down", "the store does not answer")

    moved_to_one_that_works(world)
    world.desk.functions.subject = down  # type: ignore[attr-defined]
    with pytest.raises(Unavailable):
        by_event(world)


def test_what_changes_while_it_is_looked_at_is_left_to_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    world = watched("adopt")
    moved_to_one_that_works(world)
    diagnose = repair.diagnose
    monkeypatch.setattr(repair, "diagnose", lambda desk, name: {**diagnose(desk, name), "digest": "another"})
    assert by_event(world) == "busy"
    monkeypatch.undo()
    assert by_event(world) == "adopted"
    assert world.told.findings == []


def test_who_did_it_and_by_what_event_is_kept_with_what_was_adopted() -> None:
    world = watched("adopt")
    moved_to_one_that_works(world)
    by_event(world)
    (entry, *_) = world.ledger.switchboard.audit()
    assert entry["actor"] == "event:keyturn.triggers"
    assert "outside-change by scanner" in entry["reason"]


def test_a_label_that_aws_says_has_moved_is_only_a_reason_to_look() -> None:
    world = watched("adopt")
    event = {**label_moved("99"), "detail": {"name": NAME, "labelUpdated": "AWSCURRENT", "versionId": "99"}}
    answer = respond(world.desk, event, OURS)
    # the model's store is not AWS: no policy lies there
    assert answer["outcome"] == "ignored"
    assert respond(world.desk, trigger("outside-change", version="99"), OURS)["secrets"] == {NAME: "unchanged"}


def test_the_sweep_looks_at_a_few_secrets_at_a_time_and_comes_round_to_all() -> None:
    world = watched("alarm")
    names = [f"group/s{i:02}" for i in range(30)]
    catalogue = ModelCatalogue({name: replace(POLICY, name=name) for name in names})
    world.desk = replace(world.desk, catalogue=catalogue)  # type: ignore[arg-type]
    asked: list[list[str]] = []
    some = world.desk.catalogue.some

    def noted(after: str, most: int) -> list[str]:
        asked.append(some(after, most))
        return asked[-1]

    world.desk.catalogue.some = noted  # type: ignore[method-assign]
    for _ in range(4):
        outside.look_around(world.desk)
    assert [len(one) for one in asked] == [12, 12, 6, 12]
    assert [name for one in asked[:3] for name in one] == names
    assert asked[3] == asked[0]


def test_a_look_that_takes_too_long_goes_on_there_at_the_next_sweep() -> None:
    world = watched("alarm")
    names = [f"group/s{i:02}" for i in range(5)]
    catalogue = ModelCatalogue({name: replace(POLICY, name=name) for name in names})
    world.desk = replace(world.desk, catalogue=catalogue)  # type: ignore[arg-type]
    clock = iter([0.0, 0.0, 9.0, 11.0])
    outside.look_around(world.desk, lambda: next(clock))
    assert world.ledger.surveyed.after() == names[1]


def test_a_store_that_cannot_be_asked_hides_no_other_secret_and_is_no_change() -> None:
    world = watched("adopt")

    def down(_: str) -> Subject:
        raise Unavailable("store_down", "the store does not answer")

    world.desk.functions.subject = down  # type: ignore[attr-defined]
    moved_to_one_that_works(world)
    assert outside.look_around(world.desk) == []
    assert world.told.findings == []
