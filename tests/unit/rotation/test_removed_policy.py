"""A policy that is removed while something of its secret is open: that is ended all the same, nothing new begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rotation.control import brakes, repair, starts, verbs
from rotation.control.desk import run_id_of
from rotation.control.followed import left_open
from rotation.errors import Refused
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME, OVERLAP_S, PERSON, POLICY, ModelCatalogue, World

WHO = {"requested_by": "on-call", "reason": "the service is gone"}
OTHER = replace(POLICY, name="group/another")


@pytest.fixture
def world() -> World:
    """An open overlap, and a catalogue that knows nothing of it any more."""
    made = World()
    assert made.rotate("arn:1") == "succeeded"
    made.clock.advance(1)
    assert made.rotate("arn:2") == "succeeded"
    made.clock.advance(1)
    assert len(made.target.tokens) == 2
    remove(made)
    return made


def remove(world: World) -> None:
    catalogue: Any = ModelCatalogue({OTHER.name: OTHER})
    world.desk = replace(world.desk, catalogue=catalogue)


def retired(world: World) -> bool:
    return world.ledger.head(NAME).overlap is None and len(world.target.tokens) == 1


def test_the_sweep_ends_the_overlap_under_the_policy_of_the_run_that_opened_it(world: World) -> None:
    world.clock.advance(OVERLAP_S)
    assert starts.sweep(world.desk) == [NAME]
    assert world.follow() == ["succeeded"]
    assert retired(world)
    ended = world.ledger.history(NAME)[-1]
    assert (ended.machine, ended.policy_digest) == ("retire", POLICY.digest())


def test_a_person_closes_it_before_its_time(world: World) -> None:
    verbs.overlap_close(world.desk, NAME, WHO)
    assert world.follow() == ["succeeded"]
    assert retired(world)


def test_a_person_makes_it_longer(world: World) -> None:
    verbs.overlap_extend(world.desk, NAME, WHO, 600)
    world.clock.advance(OVERLAP_S)
    assert starts.sweep(world.desk) == []


def test_status_lists_it_with_the_policy_that_it_follows_until_it_is_ended(world: World) -> None:
    shown = {one["secret"]: one for one in verbs.status(world.desk, [])}
    assert {name: one["removed"] for name, one in shown.items()} == {OTHER.name: False, NAME: True}
    assert shown[NAME]["policy"]["digest"] == POLICY.digest()
    assert shown[NAME]["head"]["overlap"]["retire_at"]
    verbs.overlap_close(world.desk, NAME, WHO)
    world.follow()
    assert [one["secret"] for one in verbs.status(world.desk, [])] == [OTHER.name]


def test_a_row_that_the_index_still_shows_is_no_secret(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.ledger, "due", lambda *_: ["long/ended"])
    assert left_open(world.desk, [OTHER.name]) == ["long/ended"]
    assert [one["secret"] for one in verbs.status(world.desk, [])] == [OTHER.name]


def test_repair_says_that_it_is_overdue_and_ends_it(world: World) -> None:
    world.clock.advance(OVERLAP_S + 1300)
    seen = repair.diagnose(world.desk, NAME)
    assert seen["diagnoses"][0]["kind"] == "overlap_overdue"
    repair.mend(world.desk, NAME, seen["digest"], WHO)
    assert world.follow() == ["succeeded"]
    assert retired(world)


def test_an_overlap_that_was_adopted_follows_the_last_policy_of_its_secret(world: World) -> None:
    head = world.ledger.head(NAME)
    assert head.overlap is not None
    world.ledger.amend(head, verbs._who(WHO, "adopt"), overlap=replace(head.overlap, run_id=""))
    verbs.overlap_close(world.desk, NAME, WHO)
    assert world.follow() == ["succeeded"]
    assert retired(world)


def test_a_freeze_that_holds_its_end_is_shown_and_lifted(world: World) -> None:
    world.ledger.switchboard.freeze(PERSON, [NAME], "2999-01-01T00:00:00.000000Z")
    assert [one["secret"] for one in brakes.show(world.desk)["freezes"]] == [NAME]
    world.clock.advance(OVERLAP_S)
    assert starts.sweep(world.desk) == []
    assert brakes.unfreeze(world.desk, WHO, [NAME])["freezes"] == []
    assert starts.sweep(world.desk) == [NAME]
    assert world.follow() == ["succeeded"]
    assert retired(world)


def test_its_end_can_be_frozen(world: World) -> None:
    assert brakes.freeze(world.desk, WHO, [NAME], "2999-01-01T00:00:00Z")["freezes"][0]["secret"] == NAME
    world.clock.advance(OVERLAP_S)
    assert starts.sweep(world.desk) == []


def test_nothing_new_begins(world: World) -> None:
    with pytest.raises(Refused, match="unknown_secret"):
        verbs.rotate(world.desk, NAME, WHO)
    assert world.rotate("arn:3") == "failed"
    assert world.ledger.run(run_id_of("arn:3"))[0].failure["reason"] == "unknown_secret"


def test_a_run_that_is_not_ended_is_listed_and_taken_back(world: World) -> None:
    made = World()
    assert made.rotate("arn:1") == "succeeded"
    before = made.current()
    for phase in ("claim", "prepare"):
        assert made.enter(phase_named(phase), "arn:2")[0] == Outcome.PASSED
    remove(made)
    assert [one["secret"] for one in verbs.status(made.desk, []) if one["removed"]] == [NAME]
    verbs.rollback(made.desk, NAME, WHO)
    assert made.follow() == ["undone"]
    assert (made.current(), set(made.target.tokens.values())) == (before, {before["token"]})


def test_once_nothing_is_open_the_secret_is_unknown_and_its_history_is_not(world: World) -> None:
    verbs.overlap_close(world.desk, NAME, WHO)
    world.follow()
    for verb in (verbs.retire, verbs.overlap_close, verbs.rollback):
        with pytest.raises(Refused, match="unknown_secret"):
            verb(world.desk, NAME, WHO)
    assert [one["machine"] for one in verbs.history(world.desk, NAME)] == ["rotate", "rotate", "retire"]
    with pytest.raises(Refused, match="unknown_secret"):
        verbs.history(world.desk, "never/known")


def test_a_policy_that_the_catalogue_shows_and_cannot_vouch_for_is_not_replaced_by_an_older_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsealed(_: str) -> None:
        raise Refused("policy_not_sealed", "nobody deployed it")

    monkeypatch.setattr(world.desk.catalogue, "policy", unsealed)
    with pytest.raises(Refused, match="policy_not_sealed"):
        verbs.overlap_close(world.desk, NAME, WHO)
