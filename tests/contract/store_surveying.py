"""Promises to repair: a survey says what is there, whoever put it there, and a clearing takes only what is pending.

The ledger may know nothing, or something that is not so: a survey trusts the store alone.
"""

from __future__ import annotations

import itertools
from typing import ClassVar

import pytest
from store_bench import MARKER, Life, Rotations, StoreBench, new_run, value

from rotation.contract import Survey, Version
from rotation.errors import NotFound


class StoreSurveying:
    """For somebody who remembers nothing."""

    # whether a version tells which run staged it
    tells_owner: ClassVar[bool] = True

    def test_a_survey_of_a_settled_secret_shows_what_readers_get_and_nothing_pending(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        for shown in _surveys(bench, rotations):
            assert bench.store().read(rotations.ref, shown.current) == bench.readers_get(rotations.ref) == value("old")
            assert shown.pendings == ()

    def test_a_survey_of_a_declared_secret_without_a_value_shows_nothing(self, bench: StoreBench) -> None:
        assert bench.store().survey(bench.new_secret(), None) == Survey(current=None)

    def test_a_survey_of_a_secret_that_was_never_declared_is_not_found(self, bench: StoreBench) -> None:
        with pytest.raises(NotFound):
            bench.store().survey(bench.absent, None)

    def test_a_survey_shows_a_staged_value_its_fingerprint_and_its_owner_where_the_store_tells(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        for shown in _surveys(bench, rotations):
            [pending] = shown.pendings
            assert pending.version == life.staged
            assert pending.owner == (life.run_id if self.tells_owner else "")
            assert (pending.empty, pending.fingerprint) == (False, value("new").fingerprint())
            assert bench.store().read(rotations.ref, pending.version) == value("new")
            assert shown.current == life.seen.current
            assert MARKER not in repr(shown)

    def test_a_survey_shows_the_candidate_of_a_run_that_crashed_before_its_first_value_was_current(
        self, bench: StoreBench
    ) -> None:
        rotations = Rotations(bench)
        life = rotations.stage(value("first"))
        shown = bench.store().survey(rotations.ref, None)
        # AWS makes the first version of a secret current by itself
        assert [pending.version for pending in shown.pendings] == ([life.staged] if shown.current is None else [])

    @pytest.mark.parametrize("end", ["promoted", "abandoned", "rolled back", "cleared"])
    def test_a_survey_shows_nothing_pending_once_a_candidate_is(
        self, bench: StoreBench, rotations: Rotations, end: str
    ) -> None:
        life = rotations.stage(value("new"))
        if end in ("promoted", "rolled back"):
            life = rotations.promote(life)
        if end == "rolled back":
            rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        if end in ("abandoned", "rolled back"):
            rotations.abandon(life)
        if end == "cleared":
            rotations.store.abandon(rotations.ref, "", life.staged)
        shown = bench.store().survey(rotations.ref, life.live)
        assert shown.pendings == ()
        assert bench.store().read(rotations.ref, shown.current) == bench.readers_get(rotations.ref)

    def test_a_survey_says_what_somebody_else_made_current_whatever_the_ledger_knows(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        life = rotations.rotate(value("new"))
        bench.somebody_writes(rotations.ref, value("foreign"))
        shown = bench.store().survey(rotations.ref, life.live)
        assert shown.current not in (None, life.live)
        assert bench.store().read(rotations.ref, shown.current) == value("foreign")

    def test_a_survey_says_what_is_current_though_the_ledger_knows_a_version_that_never_was(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        current, life = rotations.observe().current, rotations.stage(value("new"))
        shown = bench.store().survey(rotations.ref, _never(life))
        assert shown.current == current
        assert [pending.version for pending in shown.pendings] == [life.staged]

    def test_a_survey_writes_nothing(self, bench: StoreBench, rotations: Rotations) -> None:
        rotations.stage(value("new"))
        made, before = bench.versions_made(rotations.ref), bench.caller.meter.totals()
        first, second = itertools.islice(_surveys(bench, rotations), 2)
        assert first == second
        assert bench.caller.meter.totals()["write"] == before["write"]
        assert bench.versions_made(rotations.ref) == made

    def test_clearing_a_strangers_candidate_leaves_current_alone_and_the_way_free(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        rotations.rotate(value("one"))
        current = rotations.store.read_live(rotations.ref)
        Rotations(bench, rotations.ref).stage(value("stranger"))
        [pending] = bench.store().survey(rotations.ref, current[0]).pendings
        for _ in range(2):
            bench.store().abandon(rotations.ref, "", pending.version)
            assert rotations.store.read_live(rotations.ref) == current
            assert bench.readers_get(rotations.ref) == value("one")
        assert bench.store().survey(rotations.ref, current[0]).pendings == ()
        Rotations(bench, rotations.ref).rotate(value("two"))
        assert bench.readers_get(rotations.ref) == value("two")

    def test_clearing_a_candidate_that_became_current_meanwhile_does_not_touch_it(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        [pending] = bench.store().survey(rotations.ref, life.seen.current).pendings
        life = rotations.promote(life)
        bench.store().abandon(rotations.ref, "", pending.version)
        assert bench.readers_get(rotations.ref) == value("new")
        assert rotations.store.read(rotations.ref, life.live) == value("new")
        assert rotations.store.read_live(rotations.ref) == (life.live, value("new"))
        assert rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        assert bench.readers_get(rotations.ref) == value("old")

    def test_clearing_what_was_never_there_changes_nothing(self, bench: StoreBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        rotations.store.abandon(rotations.ref, "", None)
        for gone in (_never(life), life.seen.current):
            rotations.store.abandon(rotations.ref, "", gone)
        assert rotations.store.read(rotations.ref, life.staged) == value("new")
        assert bench.readers_get(rotations.ref) == value("old")

    def test_a_candidate_staged_after_an_earlier_rotation_is_abandoned_and_the_next_run_works(
        self, bench: StoreBench, rotations: Rotations
    ) -> None:
        for name in ("one", "two"):
            rotations.rotate(value(name))
        life = rotations.stage(value("bad"))
        rotations.abandon(life)
        shown = bench.store().survey(rotations.ref, rotations.remembered.current)
        assert (shown.current, shown.pendings) == (rotations.remembered.current, ())
        assert bench.readers_get(rotations.ref) == value("two")
        Rotations(bench, rotations.ref).rotate(value("three"))
        assert bench.readers_get(rotations.ref) == value("three")


def _surveys(bench: StoreBench, rotations: Rotations) -> tuple[Survey, Survey]:
    """As the ledger of this secret asks, and as one does that knows nothing."""
    store, known = bench.store(), rotations.observe().current
    return store.survey(rotations.ref, known), store.survey(rotations.ref, None)


def _never(life: Life) -> Version:
    """A version that does not exist, written as the store writes them, on the path of what is pending."""
    like_a_run = len(life.staged.id) == len(new_run())
    return Version(id=new_run() if like_a_run else "999", path=life.staged.path)
