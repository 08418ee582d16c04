"""Promises about looking, reading and staging: nobody who reads current ever sees a candidate."""

from __future__ import annotations

import pytest
from store_bench import MARKER, Rotations, StoreBench, new_run, value

from rotation.contract import Observation, Remembered, Version
from rotation.errors import Conflict, NotFound, Refused
from rotation.value import SecretValue


class StoreStaging:
    """Before the pivot."""

    @pytest.fixture
    def rotations(self, bench: StoreBench) -> Rotations:
        """A secret that somebody gave the value `old`, and a store on it."""
        made = Rotations(bench)
        bench.somebody_writes(made.ref, value("old"))
        return made

    def test_a_declared_secret_without_a_value_has_nothing_current(self, bench: StoreBench) -> None:
        seen = Rotations(bench).observe()
        assert (seen.current, seen.value) == (None, None)

    def test_a_secret_that_was_never_declared_is_not_found(self, bench: StoreBench) -> None:
        with pytest.raises(NotFound):
            bench.store().observe(bench.absent, Remembered())

    def test_a_look_shows_the_current_version_and_its_value(self, rotations: Rotations) -> None:
        seen = rotations.observe()
        assert seen.current is not None
        assert rotations.store.read(rotations.ref, seen.current) == value("old")
        assert seen.value in (None, value("old"))

    def test_the_live_version_is_the_current_one_with_its_value(self, rotations: Rotations) -> None:
        live, shown = rotations.store.read_live(rotations.ref)
        assert (live, shown) == (rotations.observe().current, value("old"))

    def test_a_secret_without_a_value_has_no_live_version(self, bench: StoreBench) -> None:
        with pytest.raises(NotFound):
            bench.store().read_live(bench.new_secret())

    def test_a_look_changes_nothing(self, bench: StoreBench, rotations: Rotations) -> None:
        before = bench.versions_made(rotations.ref)
        rotations.observe()
        rotations.store.find_staged(rotations.ref, new_run(), {})
        assert bench.versions_made(rotations.ref) == before
        assert "write" not in bench.caller.meter.totals()

    def test_a_version_that_never_was_is_not_found(self, rotations: Rotations) -> None:
        current = rotations.observe().current
        never = new_run() if len(current.id) == len(new_run()) else "999"
        with pytest.raises(NotFound):
            rotations.store.read(rotations.ref, Version(id=never))

    def test_a_staged_value_is_read_by_its_version(self, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        assert rotations.store.read(rotations.ref, life.staged) == value("new")

    def test_readers_of_current_never_see_a_staged_value(self, bench: StoreBench, rotations: Rotations) -> None:
        rotations.stage(value("new"))
        assert rotations.store.capabilities.hidden_pending
        assert bench.readers_get(rotations.ref) == value("old")
        assert rotations.store.read_live(rotations.ref)[1] == value("old")

    def test_the_same_run_and_value_staged_again_are_one_version(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        made = bench.versions_made(rotations.ref)
        if rotations.store.capabilities.idempotent_stage:
            again = bench.store().stage(rotations.ref, life.run_id, value("new"), life.seen)
        else:
            again = bench.store().find_staged(rotations.ref, life.run_id, life.hint)
        assert again == life.staged
        assert bench.versions_made(rotations.ref) == made

    def test_another_value_under_the_same_run_is_refused(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        if rotations.store.capabilities.idempotent_stage:
            with pytest.raises(Conflict) as refusal:
                bench.store().stage(rotations.ref, life.run_id, value("other"), life.seen)
            assert refusal.value.reason == "staged_differs"
        other = life.hint | {"fingerprint": value("other").fingerprint()}
        if not rotations.store.capabilities.idempotent_stage:
            assert rotations.store.find_staged(rotations.ref, life.run_id, other) is None
        assert rotations.store.read(rotations.ref, life.staged) == value("new")

    def test_another_runs_pending_value_is_not_overwritten(self, bench: StoreBench, rotations: Rotations) -> None:
        first = rotations.stage(value("first"))
        second = Rotations(bench, rotations.ref)
        if rotations.store.capabilities.idempotent_stage:
            with pytest.raises(Conflict) as refusal:
                second.stage(value("second"))
            assert refusal.value.reason == "pending_foreign"
        else:
            assert second.stage(value("second")).staged != first.staged
        assert rotations.store.read(rotations.ref, first.staged) == value("first")
        assert bench.readers_get(rotations.ref) == value("old")

    def test_recovery_finds_what_this_run_staged_and_nothing_else(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        seen, run_id = rotations.observe(), new_run()
        hint = {"expected": seen.current.id, "fingerprint": value("new").fingerprint()}
        assert bench.store().find_staged(rotations.ref, run_id, hint) is None
        life = rotations.stage(value("new"), run_id)
        assert bench.store().find_staged(rotations.ref, run_id, hint) == life.staged
        foreign = hint | {"fingerprint": value("other").fingerprint()}
        assert bench.store().find_staged(rotations.ref, new_run(), foreign) is None

    def test_a_value_above_the_limit_is_refused_before_any_call(self, bench: StoreBench, rotations: Rotations) -> None:
        seen = rotations.observe()
        before = bench.caller.meter.totals()
        limit = rotations.store.capabilities.max_value_bytes
        with pytest.raises(Refused) as refusal:
            rotations.store.stage(rotations.ref, new_run(), value("x", filler="x" * limit), seen)
        assert refusal.value.reason == "value_too_large"
        assert bench.caller.meter.totals() == before

    def test_a_large_value_comes_back_whole(self, rotations: Rotations) -> None:
        room = rotations.store.capabilities.max_value_bytes - len(value("x", filler="").unsafe_reveal()) - 1024
        large = value("x", filler="x" * room)
        assert rotations.store.read(rotations.ref, rotations.stage(large).staged) == large

    def test_text_of_any_language_comes_back_as_it_was(self, rotations: Rotations) -> None:
        life = rotations.stage(value("grüße-鍵-\N{KEY}"))
        assert rotations.store.read(rotations.ref, life.staged) == life.value
        assert rotations.store.read(rotations.ref, life.staged).fingerprint() == life.value.fingerprint()

    def test_nothing_of_a_staged_value_shows_in_what_is_remembered(self, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        for kept in (life.seen, life.staged, rotations.observe()):
            assert MARKER not in repr(kept)

    def test_staging_in_a_secret_that_was_never_declared_is_refused(self, bench: StoreBench) -> None:
        with pytest.raises(NotFound):
            bench.store().stage(bench.absent, new_run(), value("new"), Observation(current=None))

    def test_a_value_is_never_part_of_what_a_store_prints(self, rotations: Rotations) -> None:
        assert isinstance(rotations.stage(value("new")).value, SecretValue)
        assert MARKER not in repr(rotations.store)
