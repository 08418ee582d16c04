"""What a review found: each story ends with a credential that works and none that nobody knows of."""

from __future__ import annotations

import pytest

from rotation.contract import Verdict
from rotation.control import brakes, repair, starts, verbs
from rotation.control.claims import claim
from rotation.control.desk import run_id_of
from rotation.control.signals import Finding
from rotation.errors import Refused, Unavailable
from rotation.ledger.records import RETIRE, claim_key, head_key, to_row
from rotation.ledger.rows import Put
from rotation.phases import Outcome, phase_named
from tests.model.store import MemoryStore
from tests.model.world import NAME, OVERLAP_S, ModelCatalogue, World

WHO = {"requested_by": "on-call", "reason": "alarm"}


def first(world: World) -> tuple[str, str]:
    seen = repair.diagnose(world.desk, NAME)["diagnoses"][0]
    return seen["kind"], (seen["action"] or {}).get("name", "")


def mended(world: World) -> None:
    repair.mend(world.desk, NAME, repair.diagnose(world.desk, NAME)["digest"], WHO)
    world.follow()


def test_an_overlap_whose_old_value_is_gone_ends_unproven_and_is_told(world: World) -> None:
    world.rotate("arn:2")
    world.secret.values[0] = None
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    _, steps = world.ledger.run(run_id_of("arn:r"))
    assert (steps["prove"].facts["proof"], steps["dispose"].facts["disposed"]) == ("unproven", "gone")
    assert world.told.findings == [Finding.OLD_ALIVE]
    assert world.rotate("arn:3") == "succeeded", "a secret that nobody could rotate any more"


def test_readers_pointed_at_what_leaked_are_led_back_and_it_dies_at_once(world: World) -> None:
    leaked = world.current()["token"]
    world.rotate("arn:2", flags="emergency")
    world.machines.started.clear()
    good = world.current()
    world.secret.current = 1
    assert first(world) == ("label_moved", "adopt_and_roll_back")
    mended(world)
    world.clock.advance(1)
    starts.sweep(world.desk)
    world.follow()
    assert world.current() == good
    assert leaked not in world.target.tokens.values()


def test_what_leaked_is_never_adopted_although_the_good_one_is_refused(world: World) -> None:
    world.rotate("arn:2", flags="emergency")
    world.target.tokens.pop(world.current()["slot"])
    world.secret.current = 1
    assert first(world) == ("label_moved", "")


def test_a_rollback_that_could_not_be_taken_back_is_stuck_and_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: "kept")
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.retire("arn:r")
    world.clock.advance(1)
    world.target.broken = {"probe": Verdict.UNPROVEN, "revoke": Refused("no", "no")}
    verbs.rollback(world.desk, NAME, WHO)
    assert world.follow() == ["stuck"]
    assert world.told.findings == [Finding.STUCK]
    world.target.broken.clear()
    world.clock.advance(601)
    assert starts.sweep(world.desk) == [NAME]
    assert world.follow() == ["failed"]
    assert set(world.target.tokens.values()) == {world.current()["token"]}


def test_a_current_version_that_cannot_be_read_is_not_healthy(world: World) -> None:
    world.secret.values[0] = None
    assert first(world) == ("current_not_accepted", "")


def test_an_emergency_that_breaks_the_glass_kills_the_old_one_during_a_freeze(world: World) -> None:
    leaked = world.current()["token"]
    brakes.freeze(world.desk, WHO, [], "2026-06-01T00:00:00Z")
    assert world.rotate("arn:2", flags="emergency break_glass") == "succeeded"
    assert world.follow() == ["succeeded"]
    assert leaked not in world.target.tokens.values()


def test_one_bad_secret_does_not_stop_the_sweep_for_the_others(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    bad = {**to_row(world.ledger.head(NAME)), "secret": "bad", "run_id": "nobody", "execution": "arn:gone"}
    due = {"secret": "bad", "due_shard": "0", "due_at": "2026-01-01T00:00:00.000000Z"}
    world.rows.write([Put(key=head_key("bad"), row=bad), Put(key=claim_key("bad"), row=due)])
    assert starts.sweep(world.desk) == [NAME]
    assert world.told.findings == [Finding.STUCK]
    assert world.ledger.due(RETIRE, world.ledger.now()) == [NAME]


def test_the_brake_works_while_the_catalogue_cannot_be_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_: object) -> None:
        raise Unavailable("s3_down", "down")

    monkeypatch.setattr(ModelCatalogue, "names", down)
    assert brakes.engage(world.desk, WHO)["engaged"] is True


def test_a_halted_emergency_is_not_undone_to_what_leaked(world: World) -> None:
    given = world.given("arn:2", flags="emergency")
    for phase in ("claim", "prepare", "promote"):
        assert world.enter(phase_named(phase), given)[0] == Outcome.PASSED
    with pytest.raises(Refused) as refused:
        verbs.rollback(world.desk, NAME, WHO)
    assert refused.value.reason == "old_leaked"


def test_a_revert_that_comes_again_after_it_was_given_up_moves_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: "kept")
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.retire("arn:r")
    before = world.current()
    world.enter(phase_named("claim_rollback"), "arn:b")
    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "demote", lambda *_: (_ for _ in ()).throw(Refused("no", "no")))
        world.enter(phase_named("revert"), "arn:b")
    world.enter(phase_named("forgo"), "arn:b")
    assert world.enter(phase_named("revert"), "arn:b") == (Outcome.FAILED, "undo_begun")
    assert world.current() == before


def test_what_could_not_be_settled_stops_the_next_run(world: World) -> None:
    world.target.broken = {"apply": Refused("no", "no"), "withdraw": Refused("no", "no")}
    world.rotate("arn:2")
    world.target.broken = {"check": Verdict.ACCEPTED}
    assert world.secret.pending is not None
    world.secret.values[world.secret.pending - 1] = None
    assert world.rotate("arn:3") == "failed"
    assert world.ledger.head(NAME).leftover == run_id_of("arn:2")


def test_a_dead_run_with_an_open_store_write_is_not_replaced_while_it_may_still_come(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(*_: object) -> None:
        raise KeyboardInterrupt

    world.enter(phase_named("claim"), "arn:2")
    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "stage", hangs)
        with pytest.raises(KeyboardInterrupt):
            world.enter(phase_named("prepare"), "arn:2")
    assert claim(world.desk, world.request("arn:3"))["reason"] == "earlier_invocation_may_work"
    world.clock.advance(65)
    assert claim(world.desk, world.request("arn:3"))["outcome"] == Outcome.PASSED


def test_a_run_of_a_restored_ledger_is_not_continued_either(world: World) -> None:
    world.enter(phase_named("claim"), "arn:2")
    world.rows.table_id = "another"
    assert claim(world.desk, world.request("arn:3", resume=run_id_of("arn:2")))["reason"] == "ledger_restored"


def test_a_run_that_broke_the_glass_keeps_it_when_it_is_continued(world: World) -> None:
    world.enter(phase_named("claim"), world.given("arn:2", flags="break_glass"))
    world.enter(phase_named("claim"), world.given("arn:3", resume=run_id_of("arn:2")))
    assert world.ledger.run(run_id_of("arn:2"))[0].break_glass


def test_what_leaked_and_is_not_retired_is_a_finding_at_once_and_not_when_the_sweep_is_late(world: World) -> None:
    world.rotate("arn:2", flags="emergency")
    world.machines.started.clear()
    world.clock.advance(1)
    assert first(world) == ("overlap_overdue", "retire")
    mended(world)
    assert first(world) == ("healthy", "")
