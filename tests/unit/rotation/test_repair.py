"""Each diagnosis is produced for real in store, target and ledger, and mended by its one safe action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rotation.contract import Fence, Verdict, Version
from rotation.control import repair
from rotation.control.desk import run_id_of
from rotation.errors import NotFound, Refused, Unavailable
from rotation.ledger.records import head_key, to_row
from rotation.ledger.rows import Put
from rotation.phases import Outcome, phase_named
from rotation.value import SecretValue
from tests.model.store import MemoryStore
from tests.model.world import NAME, OVERLAP_S, World

WHO = {"requested_by": "on-call", "reason": "alarm"}
FOREIGN = {"slot": "b", "token": "somebody-elses"}


def entered(world: World, *phases: str, execution: str = "arn:x") -> None:
    for phase in phases:
        assert world.enter(phase_named(phase), execution)[0] == Outcome.PASSED


def dead_claim(world: World) -> None:
    entered(world, "claim")


def half_applied(world: World) -> None:
    entered(world, "claim", "prepare")


def ledger_behind(world: World) -> None:
    entered(world, "claim", "prepare")
    context = world.context(run_id_of("arn:x"))
    staged = context.staged
    assert staged is not None
    context.ledger.begin(context.run, replace(context.steps["test"], step="promote", outcome_at="", facts={}))
    context.store.promote(context.policy.ref, context.run.run_id, staged, context.expected)


def half_retired(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    entered(world, "gate", execution="arn:r")
    context = world.context(run_id_of("arn:r"))
    old = context.run.overlap
    assert old is not None
    witness = replace(a_step(world), step="witness", facts={"outcome": "passed", "old_verdict": "accepted"})
    context.ledger.begin(context.run, replace(witness, outcome_at="", facts={}))
    context.ledger.begin(context.run, replace(a_step(world), step="revoke", outcome_at="", facts={}), closing=witness)
    context.issuer.revoke(context.read(old.old), context.fence)


def a_step(world: World) -> Any:
    return replace(
        world.ledger.run(run_id_of("arn:2"))[1]["test"], outcome_at=world.ledger.now(), phase="retire", epoch=9
    )


def leftover(world: World) -> None:
    world.target.broken = {"apply": Refused("no", "no"), "withdraw": Refused("no", "no")}
    assert world.rotate("arn:x") == "failed"
    world.target.broken.clear()


def candidate_promoted_by_hand(world: World) -> None:
    world.target.broken["probe"] = Verdict.REFUSED
    world.target.broken["withdraw"] = Refused("no", "no")
    assert world.rotate("arn:x") == "failed"
    world.target.broken.clear()
    world.secret.current, world.secret.pending = world.secret.pending, None


def foreign_pending(world: World) -> None:
    world.secret.pending = world.secret.add(SecretValue.of(FOREIGN))


def moved_to_one_that_works(world: World) -> None:
    world.target.set("b", FOREIGN["token"], Fence(run_id="them", epoch=1), "apply")
    world.secret.current = world.secret.add(SecretValue.of(FOREIGN))


def moved_to_one_that_does_not(world: World) -> None:
    world.secret.current = world.secret.add(SecretValue.of(FOREIGN))


def current_refused(world: World) -> None:
    world.target.tokens.pop(world.current()["slot"])


def current_refused_with_a_way_back(world: World) -> None:
    world.rotate("arn:2")
    current_refused(world)


def restored(world: World) -> None:
    """The ledger of before the second rotation, with store and target after it."""
    before = to_row(world.ledger.head(NAME))
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.retire("arn:r")
    world.rows.write([Put(key=head_key(NAME), row=before)])
    world.rows.table_id = "another table"


def lost(world: World) -> None:
    """The ledger is empty, and a run has met the newer generation at the target."""
    for turn in range(2):
        world.rotate(f"arn:before{turn}")
        world.clock.advance(OVERLAP_S)
        world.retire(f"arn:retired{turn}")
    world.rows._rows.clear()
    assert world.rotate("arn:2") == "failed"


def old_alive(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.target.broken["probe"] = Verdict.ACCEPTED
    assert world.retire("arn:r") == "failed"
    world.target.broken.clear()


def overdue(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S + 1300)


Break = Callable[[World], None]
CASES: dict[str, tuple[Break, str, str]] = {
    "dead claim": (dead_claim, "dead_claim", "resume"),
    "half-applied target": (half_applied, "half_applied_target", "resume"),
    "ledger behind": (ledger_behind, "ledger_behind", "resume"),
    "half-retired": (half_retired, "half_applied_target", "resume"),
    "candidate left behind": (leftover, "orphan_pending", "undo"),
    "candidate promoted by hand": (candidate_promoted_by_hand, "label_moved", "adopt"),
    "foreign pending": (foreign_pending, "orphan_pending", "clear"),
    "label moved, works": (moved_to_one_that_works, "label_moved", "adopt"),
    "label moved, does not": (moved_to_one_that_does_not, "label_moved", "adopt_and_roll_back"),
    "current refused": (current_refused, "current_not_accepted", "rotate"),
    "current refused, way back": (current_refused_with_a_way_back, "current_not_accepted", "roll_back"),
    "ledger restored": (restored, "ledger_restored", "adopt"),
    "ledger lost": (lost, "ledger_restored", "adopt"),
    "old alive": (old_alive, "old_alive", "retire"),
    "overlap overdue": (overdue, "overlap_overdue", "retire"),
}


def mended(world: World) -> list[str]:
    """Repair as the command does it: look, do the one safe action, look again; the kinds that were seen."""
    kinds: list[str] = []
    for _ in range(4):
        seen = repair.diagnose(world.desk, NAME)
        first = seen["diagnoses"][0]
        kinds.append(first["kind"])
        if first["action"] is None:
            break
        repair.mend(world.desk, NAME, seen["digest"], WHO)
        world.follow()
        world.clock.advance(1)
    return kinds


@pytest.mark.parametrize("case", CASES)
def test_a_diagnosis_is_made_and_mended(world: World, case: str) -> None:
    breaks, kind, action = CASES[case]
    breaks(world)
    seen = repair.diagnose(world.desk, NAME)["diagnoses"][0]
    assert (seen["kind"], (seen["action"] or {}).get("name")) == (kind, action)
    assert seen["evidence"]
    assert mended(world)[-1] == "healthy"
    assert world.current()["token"] in world.target.tokens.values()
    assert world.secret.pending is None
    head = world.ledger.head(NAME)
    assert (head.run_id, head.leftover) == ("", "")
    if head.overlap:
        world.clock.advance(OVERLAP_S)
        assert world.retire("arn:after") == "succeeded"
    assert world.rotate("arn:again") == "succeeded", "a mended secret can be rotated"


def test_a_look_changes_nothing(world: World) -> None:
    for breaks, _, _ in CASES.values():
        world = World()
        world.rotate("arn:first")
        breaks(world)
        rows, effects = dict(world.rows._rows), list(world.target.effects)
        values, current = list(world.secret.values), world.secret.current
        repair.diagnose(world.desk, NAME)
        assert (world.rows._rows, world.target.effects) == (rows, effects)
        assert (world.secret.values, world.secret.current) == (values, current)


def test_nothing_of_a_diagnosis_holds_a_value(world: World) -> None:
    moved_to_one_that_does_not(world)
    said = repr(repair.diagnose(world.desk, NAME))
    assert FOREIGN["token"] not in said
    assert world.target.tokens["a"] not in said


def test_what_has_changed_since_it_was_looked_at_is_not_acted_on(world: World) -> None:
    foreign_pending(world)
    seen = repair.diagnose(world.desk, NAME)
    moved_to_one_that_does_not(world)
    with pytest.raises(Refused) as refused:
        repair.mend(world.desk, NAME, seen["digest"], WHO)
    assert refused.value.reason == "diagnosis_changed"
    assert world.machines.started == []


def test_a_healthy_secret_has_nothing_to_mend(world: World) -> None:
    seen = repair.diagnose(world.desk, NAME)
    assert [one["kind"] for one in seen["diagnoses"]] == ["healthy"]
    with pytest.raises(Refused) as refused:
        repair.mend(world.desk, NAME, seen["digest"], WHO)
    assert refused.value.reason == "nothing_to_mend"


def test_a_run_under_way_is_left_alone(world: World) -> None:
    half_applied(world)
    world.machines.alive.add("arn:x")
    assert [one["kind"] for one in repair.diagnose(world.desk, NAME)["diagnoses"]] == ["running"]


def undecided(world: World) -> dict[str, Any]:
    seen = repair.diagnose(world.desk, NAME)
    first: dict[str, Any] = seen["diagnoses"][0]
    assert first["action"] is None
    assert first["ask"], "the commands that would decide"
    with pytest.raises(Refused) as refused:
        repair.mend(world.desk, NAME, seen["digest"], WHO)
    assert refused.value.reason == "undecidable"
    return first


def test_a_foreign_pending_value_that_the_target_accepts_is_nobodys_to_remove(world: World) -> None:
    foreign_pending(world)
    world.target.set("b", FOREIGN["token"], Fence(run_id="them", epoch=1), "apply")
    assert undecided(world)["kind"] == "undecidable"


def test_a_pending_value_that_the_target_accepts_by_the_time_of_the_repair_stays(world: World) -> None:
    foreign_pending(world)
    seen = repair.diagnose(world.desk, NAME)
    repair.mend(world.desk, NAME, seen["digest"], WHO)
    world.target.set("b", FOREIGN["token"], Fence(run_id="them", epoch=1), "apply")
    assert world.follow() == ["failed"]
    assert world.secret.pending is not None
    assert world.ledger.history(NAME)[-1].failure["reason"] == "pending_accepted"


@pytest.mark.parametrize("breaks", [moved_to_one_that_does_not, current_refused])
def test_a_target_that_cannot_be_asked_decides_nothing(world: World, breaks: Break) -> None:
    breaks(world)
    world.target.broken["probe"] = Verdict.UNPROVEN
    undecided(world)


def test_a_store_that_cannot_be_asked_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> None:
        raise Unavailable("store_down", "down")

    monkeypatch.setattr(MemoryStore, "survey", down)
    assert "store_down" in undecided(world)["says"]


def test_a_dead_claim_is_gone_on_with_although_the_store_cannot_be_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise NotFound("no_shell", "the secret is not declared")

    half_applied(world)
    monkeypatch.setattr(MemoryStore, "survey", gone)
    assert repair.diagnose(world.desk, NAME)["diagnoses"][0]["action"]["name"] == "resume"


def test_a_halted_run_is_not_gone_on_with_while_the_switch_stops_it(world: World) -> None:
    half_applied(world)
    world.engage()
    world._end("record_halt", phase_named("promote"), "kill_switch", world.given("arn:x"))
    assert undecided(world)["kind"] == "halted"
    world.release()
    assert mended(world) == ["halted", "healthy"]


def test_a_placeholder_without_a_value_is_removed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign_pending(world)
    survey = MemoryStore.survey

    def emptied(store: MemoryStore, *arguments: Any) -> Any:
        shown = survey(store, *arguments)
        return replace(shown, pendings=tuple(replace(one, empty=True, fingerprint="") for one in shown.pendings))

    monkeypatch.setattr(MemoryStore, "survey", emptied)
    assert mended(world) == ["empty_pending", "healthy"]
    assert world.secret.pending is None


def test_while_the_ledger_is_behind_a_backup_no_run_begins(world: World) -> None:
    restored(world)
    assert world.rotate("arn:3") == "failed"
    assert world.ledger.run(run_id_of("arn:3"))[0].failure["reason"] == "ledger_restored"
    mended(world)
    head = world.ledger.head(NAME)
    assert (head.current, head.table) == (Version(id="2"), "another table")
    assert head.epoch > max(world.target.generations.values()), "the target would refuse every later run"


def test_an_adopted_version_retires_the_one_before_it_after_an_overlap(world: World) -> None:
    before = world.current()["token"]
    moved_to_one_that_works(world)
    mended(world)
    head = world.ledger.head(NAME)
    assert head.overlap is not None
    assert (head.overlap.old, head.overlap.new) == (Version(id="1"), Version(id="2"))
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    assert before not in world.target.tokens.values()


def test_what_was_done_by_hand_is_kept_with_who_and_why(world: World) -> None:
    moved_to_one_that_works(world)
    mended(world)
    (entry,) = world.ledger.switchboard.audit()
    assert (entry["verb"], entry["actor"], entry["reason"], entry["about"]) == ("adopt 2", "on-call", "alarm", NAME)


def test_three_valid_credentials_are_for_a_person_to_decide(world: World) -> None:
    world.rotate("arn:2")
    number = world.secret.add(SecretValue.of({"slot": "c", "token": "third"}))
    world.target.set("c", "third", Fence(run_id="them", epoch=1), "apply")
    world.secret.current = number
    assert undecided(world)["kind"] == "label_moved"
