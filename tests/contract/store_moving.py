"""Promises about the pivot and its undoing: compare-and-set, both ways, and what is done with the old version."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

import pytest
from store_bench import MARKER, Rotations, StoreBench, new_run, value

from rotation.contract import Version
from rotation.errors import Conflict, KeyturnError, NotFound, Refused


class StoreMoving:
    """From the pivot on."""

    # reads and writes of one credential's life, from the look to disposal
    budget: ClassVar[Mapping[str, int]]

    def test_promotion_makes_the_staged_value_what_readers_get(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        assert bench.readers_get(rotations.ref) == value("new")
        assert bench.store().read_live(rotations.ref) == (life.live, value("new"))
        assert bench.store().read(rotations.ref, life.live) == value("new")

    def test_the_old_version_is_still_readable_after_promotion(self, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        assert rotations.store.read(rotations.ref, life.seen.current) == value("old")

    def test_a_repeated_promotion_gives_the_same_version_and_changes_nothing(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        life = rotations.rotate(value("new"))
        made = bench.versions_made(rotations.ref)
        again = bench.store().promote(rotations.ref, life.run_id, life.staged, life.seen.current)
        assert again == life.live
        assert bench.versions_made(rotations.ref) == made
        assert bench.readers_get(rotations.ref) == value("new")

    def test_the_whole_life_replayed_makes_one_version(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        made, store = bench.versions_made(rotations.ref), bench.store()
        found = store.find_staged(rotations.ref, life.run_id, life.hint) or life.staged
        assert store.promote(rotations.ref, life.run_id, found, life.seen.current) == life.live
        assert bench.versions_made(rotations.ref) == made

    def test_current_moved_by_somebody_else_stops_the_promotion_and_stays(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        bench.somebody_writes(rotations.ref, value("foreign"))
        with pytest.raises(Conflict) as refusal:
            rotations.promote(life)
        assert rotations.store.capabilities.fenced_promotion
        assert refusal.value.reason == "current_moved"
        assert bench.readers_get(rotations.ref) == value("foreign")

    def test_a_first_value_is_promoted_where_nothing_was_current(self, bench: StoreBench) -> None:
        rotations = Rotations(bench)
        life = rotations.rotate(value("first"))
        assert life.seen.current is None
        assert bench.readers_get(rotations.ref) == value("first")

    def test_a_first_value_does_not_overwrite_one_that_somebody_wrote_meanwhile(self, bench: StoreBench) -> None:
        rotations = Rotations(bench)
        seen = rotations.observe()
        bench.somebody_writes(rotations.ref, value("foreign"))
        run_id = new_run()
        staged = rotations.store.stage(rotations.ref, run_id, value("first"), seen)
        with pytest.raises(Conflict) as refusal:
            rotations.store.promote(rotations.ref, run_id, staged, None)
        assert refusal.value.reason == "current_moved"
        assert bench.readers_get(rotations.ref) == value("foreign")

    def test_rotation_after_rotation_works_with_what_the_ledger_remembers(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        for name in ("one", "two", "three"):
            rotations.rotate(value(name))
            assert bench.readers_get(rotations.ref) == value(name)

    def test_rotation_works_when_the_ledger_remembers_nothing(self, bench: StoreBench, rotations: Rotations) -> None:
        rotations.rotate(value("one"))
        Rotations(bench, rotations.ref).rotate(value("two"))
        assert bench.readers_get(rotations.ref) == value("two")

    def test_rotation_works_after_a_promotion_was_taken_back(self, bench: StoreBench, rotations: Rotations) -> None:
        for turn in range(2):
            life = rotations.rotate(value(f"bad {turn}"))
            assert life.seen.current is not None
            back = rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
            rotations.remembered = replace(rotations.remembered, current=back)
        rotations.rotate(value("good"))
        assert bench.readers_get(rotations.ref) == value("good")

    def test_demotion_gives_readers_the_old_value_again(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        back = rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        assert bench.readers_get(rotations.ref) == value("old")
        assert bench.store().read_live(rotations.ref) == (back, value("old"))

    def test_a_repeated_demotion_gives_the_same_version(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        back = rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        made = bench.versions_made(rotations.ref)
        assert bench.store().demote(rotations.ref, life.run_id, life.live, life.seen.current) == back
        assert bench.versions_made(rotations.ref) == made

    def test_demotion_stops_when_somebody_else_moved_current(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        bench.somebody_writes(rotations.ref, value("foreign"))
        with pytest.raises(Conflict) as refusal:
            rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        assert refusal.value.reason == "current_moved"
        assert bench.readers_get(rotations.ref) == value("foreign")

    def test_demotion_to_a_version_that_is_gone_changes_nothing(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        gone = new_run() if len(life.seen.current.id) == len(new_run()) else "999"
        with pytest.raises(NotFound):
            rotations.store.demote(rotations.ref, life.run_id, life.live, Version(id=gone))
        assert bench.readers_get(rotations.ref) == value("new")

    def test_the_next_run_works_after_a_rollback(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("bad"))
        rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        rotations.store.abandon(rotations.ref, life.run_id, life.staged)
        Rotations(bench, rotations.ref).rotate(value("good"))
        assert bench.readers_get(rotations.ref) == value("good")

    def test_an_abandoned_value_is_pending_no_more(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        rotations.abandon(life)
        seen = bench.store().observe(rotations.ref, rotations.remembered)
        assert seen.pending is None
        assert bench.readers_get(rotations.ref) == value("old")
        rotations.abandon(life)
        assert rotations.rotate(value("next")).live == rotations.store.read_live(rotations.ref)[0]

    def test_abandoning_nothing_succeeds(self, bench: StoreBench, rotations: Rotations) -> None:
        rotations.store.abandon(rotations.ref, new_run(), None)
        assert bench.readers_get(rotations.ref) == value("old")

    def test_abandoning_does_not_touch_another_runs_pending_value(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        bench.store().abandon(rotations.ref, new_run(), None)
        assert rotations.store.read(rotations.ref, life.staged) == value("new")

    def test_abandoning_after_promotion_leaves_current_alone(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        rotations.store.abandon(rotations.ref, life.run_id, life.staged)
        assert bench.readers_get(rotations.ref) == value("new")

    def test_of_two_runs_that_saw_the_same_one_is_promoted(self, bench: StoreBench, rotations: Rotations) -> None:
        loser = rotations.stage(value("loser"))
        bench.somebody_writes(rotations.ref, value("winner"))
        with pytest.raises(Conflict):
            rotations.promote(loser)
        rotations.abandon(loser)
        assert bench.readers_get(rotations.ref) == value("winner")

    def test_the_old_version_is_given_up_only_where_the_store_can(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        life = rotations.rotate(value("new"))
        done = rotations.store.dispose(rotations.ref, life.seen.current)
        if not rotations.store.capabilities.disposes:
            assert done == "kept"
            assert rotations.store.read(rotations.ref, life.seen.current) == value("old")
            return
        assert done in ("destroyed", "scheduled")
        with pytest.raises(NotFound):
            rotations.store.read(rotations.ref, life.seen.current)
        assert rotations.store.dispose(rotations.ref, life.seen.current) == done
        assert bench.readers_get(rotations.ref) == value("new")

    def test_after_retirement_a_rollback_gives_readers_the_old_value_or_is_refused_as_beyond_the_horizon(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        life = rotations.rotate(value("new"))
        rotations.store.dispose(rotations.ref, life.seen.current)
        undo = (rotations.ref, life.run_id, life.live, life.seen.current)
        if rotations.store.capabilities.disposes:
            for attempt in (lambda: rotations.store.read(*undo[::3]), lambda: rotations.store.demote(*undo)):
                with pytest.raises(NotFound) as refusal:
                    attempt()
                assert refusal.value.reason == "beyond_rollback_horizon"
            assert bench.readers_get(rotations.ref) == value("new")
            return
        assert rotations.store.read(*undo[::3]) == value("old")
        back = rotations.store.demote(*undo)
        assert bench.store().demote(*undo) == back, "a repeated demotion is the same one"
        assert bench.readers_get(rotations.ref) == value("old")

    def test_what_readers_get_is_never_disposed_of(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        if rotations.store.capabilities.disposes:
            with pytest.raises(Refused) as refusal:
                rotations.store.dispose(rotations.ref, life.live)
            assert refusal.value.reason == "version_is_current"
            with pytest.raises(Refused):
                rotations.store.dispose(rotations.ref, life.live, rotations.store.read_live(rotations.ref)[0])
        else:
            assert rotations.store.dispose(rotations.ref, life.live) == "kept"
        assert bench.readers_get(rotations.ref) == value("new")

    def test_no_error_shows_a_value(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        foreign = Rotations(bench, rotations.ref)
        bench.somebody_writes(rotations.ref, value("foreign"))
        store, ref = rotations.store, rotations.ref
        attempts: list[Callable[[], object]] = [
            lambda: store.promote(ref, life.run_id, life.staged, life.seen.current),
            lambda: store.demote(ref, life.run_id, life.staged, life.seen.current),
            lambda: store.stage(ref, life.run_id, value("differs"), life.seen),
            lambda: foreign.stage(value("second")),
            lambda: store.stage(bench.absent, new_run(), value("lost"), life.seen),
        ]
        errors = [error for error in map(_error_of, attempts) if error]
        assert errors
        for error in errors:
            assert error.reason
            assert MARKER not in "".join(traceback.format_exception(error))

    def test_a_whole_life_at_debug_logs_no_value(
        self, bench: StoreBench, rotations: Rotations, unredacted_logs: list[str]
    ) -> None:
        logging.getLogger("keyturn").debug("listening")
        life = rotations.rotate(value("new"))
        rotations.store.read_live(rotations.ref)
        rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        assert "listening" in unredacted_logs
        assert [line for line in unredacted_logs if MARKER in line] == []

    def test_a_whole_life_keeps_its_budget_of_calls(self, bench: StoreBench, rotations: Rotations) -> None:
        rotations.rotate(value("one"))
        before = dict(bench.caller.meter.totals())
        life = rotations.rotate(value("two"))
        live, _ = rotations.store.read_live(rotations.ref)
        rotations.store.read(rotations.ref, life.seen.current)
        if rotations.store.capabilities.disposes:
            rotations.store.dispose(rotations.ref, life.seen.current, live)
        else:
            rotations.store.dispose(rotations.ref, life.seen.current)
        spent = {kind: count - before.get(kind, 0) for kind, count in bench.caller.meter.totals().items()}
        assert spent["read"] <= self.budget["read"]
        assert spent["write"] <= self.budget["write"]


def _error_of(attempt: Callable[[], object]) -> KeyturnError | None:
    try:
        attempt()
    except KeyturnError as error:
        return error
    return None
