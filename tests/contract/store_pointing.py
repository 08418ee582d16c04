"""Promises to the sweep, which asks often: which version readers get, told without its value."""

from __future__ import annotations

import pytest
from store_bench import Rotations, StoreBench, value

from rotation.errors import NotFound
from rotation.value import SecretValue


class StorePointing:
    """The store's own pointer."""

    def test_the_pointer_follows_what_readers_get_and_nothing_that_is_pending(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        assert bench.store().pointed(rotations.ref) == life.seen.current
        life = rotations.promote(life)
        assert bench.store().pointed(rotations.ref) == life.live
        bench.somebody_writes(rotations.ref, value("foreign"))
        foreign = bench.store().pointed(rotations.ref)
        assert foreign not in (None, life.live)
        assert bench.store().read(rotations.ref, foreign) == value("foreign")

    def test_the_pointer_is_told_by_one_read_and_without_a_value(
        self, bench: StoreBench, rotations: Rotations, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def seen(*_: object) -> None:
            pytest.fail("a value was read")

        life, before = rotations.rotate(value("new")), bench.caller.meter.totals()
        monkeypatch.setattr(SecretValue, "__init__", seen)
        assert bench.store().pointed(rotations.ref) == life.live
        after = bench.caller.meter.totals()
        assert (after["read"] - before["read"], after["write"] - before["write"]) == (1, 0)

    def test_the_pointer_of_a_declared_secret_without_a_value_names_nothing(self, bench: StoreBench) -> None:
        assert bench.store().pointed(bench.new_secret()) is None

    def test_the_pointer_of_a_secret_that_was_never_declared_is_not_found(self, bench: StoreBench) -> None:
        with pytest.raises(NotFound):
            bench.store().pointed(bench.absent)
