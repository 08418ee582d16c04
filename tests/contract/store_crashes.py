"""Promises about crashes and lost answers: at every call of every verb, a repetition converges and makes nothing twice.

The calls of a verb are enumerated by failing the first, the second and so on until none is left to fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from store_bench import Crash, Life, Rotations, StoreBench, new_run, value

from rotation.contract import Version

# Far above the calls of any verb: reaching it means that a verb never ends.
MOST_CALLS = 20


class _Story:
    """A fresh secret, a run on it, and each verb as the steps of a run repeat it after a crash."""

    def __init__(self, bench: StoreBench) -> None:
        self.bench = bench
        self.rotations = Rotations(bench)
        bench.somebody_writes(self.rotations.ref, value("old"))
        self.ref = self.rotations.ref
        self.run_id = new_run()
        self.seen = self.rotations.observe()
        self.hint = {"expected": self.seen.current.id, "fingerprint": value("new").fingerprint()}
        self.life: Life | None = None
        self.live: Version | None = None

    def stage(self) -> Version:
        """As a run does it: what an open intent may have made is looked for first."""
        store = self.bench.store()
        found = None if store.capabilities.idempotent_stage else store.find_staged(self.ref, self.run_id, self.hint)
        staged = found or store.stage(self.ref, self.run_id, value("new"), self.seen)
        self.life = Life(run_id=self.run_id, value=value("new"), seen=self.seen, staged=staged)
        return staged

    def promote(self) -> Version:
        """Promote what is staged."""
        return self.bench.store().promote(self.ref, self.run_id, self.life.staged, self.seen.current)

    def abandon(self) -> None:
        """Abandon what is staged."""
        self.bench.store().abandon(self.ref, self.run_id, self.life.staged)

    def clear(self) -> None:
        """Clear it as repair does, which knows no run."""
        self.bench.store().abandon(self.ref, "", self.life.staged)

    def demote(self) -> Version:
        """Undo the promotion."""
        return self.bench.store().demote(self.ref, self.run_id, self.live, self.seen.current)


class StoreCrashes:
    """Faults at every call."""

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_crash_at_any_call_of_stage_leaves_one_version(self, bench: StoreBench, after: bool) -> None:
        for story in _crashed(bench, lambda story: None, _Story.stage, after=after):
            made = bench.versions_made(story.ref)
            assert bench.readers_get(story.ref) == value("old")
            assert bench.store().read(story.ref, story.life.staged) == value("new")
            story.stage()
            assert bench.versions_made(story.ref) == made

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_crash_at_any_call_of_promote_ends_with_the_new_value_live_once(
        self, bench: StoreBench, after: bool
    ) -> None:
        for story in _crashed(bench, _Story.stage, _Story.promote, after=after):
            assert bench.readers_get(story.ref) == value("new")
            assert bench.store().observe(story.ref, story.rotations.remembered).pending is None
            _is_clean(story)

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_crash_at_any_call_of_demote_ends_with_the_old_value_live_once(
        self, bench: StoreBench, after: bool
    ) -> None:
        def promoted(story: _Story) -> None:
            story.stage()
            story.live = story.promote()

        for story in _crashed(bench, promoted, _Story.demote, after=after):
            assert bench.readers_get(story.ref) == value("old")

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_crash_at_any_call_of_abandon_leaves_nothing_pending(self, bench: StoreBench, after: bool) -> None:
        for story in _crashed(bench, _Story.stage, _Story.abandon, after=after):
            assert bench.readers_get(story.ref) == value("old")
            _is_clean(story)

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_crash_at_any_call_of_clearing_leaves_nothing_pending(self, bench: StoreBench, after: bool) -> None:
        for story in _crashed(bench, _Story.stage, _Story.clear, after=after):
            assert bench.store().survey(story.ref, story.seen.current).pendings == ()
            assert bench.readers_get(story.ref) == value("old")
            _is_clean(story)

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_crash_at_any_call_of_abandon_in_a_secret_rotated_before_leaves_nothing_pending(
        self, bench: StoreBench, after: bool
    ) -> None:
        for story in _crashed(bench, _staged_after_two_rotations, _Story.abandon, after=after):
            assert bench.store().survey(story.ref, story.seen.current).pendings == ()
            assert bench.readers_get(story.ref) == value("two")
            _is_clean(story)

    def test_a_lost_answer_at_any_call_of_stage_makes_one_version(self, bench: StoreBench) -> None:
        for story in _answers_lost(bench, lambda story: None, _Story.stage):
            assert bench.readers_get(story.ref) == value("old")
            assert bench.store().read(story.ref, story.life.staged) == value("new")

    def test_a_lost_answer_at_any_call_of_promote_promotes_once(self, bench: StoreBench) -> None:
        for story in _answers_lost(bench, _Story.stage, _Story.promote):
            assert bench.readers_get(story.ref) == value("new")
            _is_clean(story)

    def test_a_lost_answer_at_any_call_of_demote_demotes_once(self, bench: StoreBench) -> None:
        def promoted(story: _Story) -> None:
            story.stage()
            story.live = story.promote()

        for story in _answers_lost(bench, promoted, _Story.demote):
            assert bench.readers_get(story.ref) == value("old")

    def test_a_lost_answer_at_any_call_of_abandon_abandons(self, bench: StoreBench) -> None:
        for story in _answers_lost(bench, _Story.stage, _Story.abandon):
            assert bench.readers_get(story.ref) == value("old")
            _is_clean(story)

    def test_a_lost_answer_at_any_call_of_clearing_clears(self, bench: StoreBench) -> None:
        for story in _answers_lost(bench, _Story.stage, _Story.clear):
            assert bench.store().survey(story.ref, story.seen.current).pendings == ()
            assert bench.readers_get(story.ref) == value("old")
            _is_clean(story)


def _staged_after_two_rotations(story: _Story) -> None:
    """What earlier rotations leave behind must not be in the way."""
    for name in ("one", "two"):
        story.rotations.rotate(value(name))
    story.seen = story.rotations.observe()
    story.hint = {"expected": story.seen.current.id, "fingerprint": value("new").fingerprint()}
    story.stage()


def _is_clean(story: _Story) -> None:
    """Nothing is in the way of the next run, which remembers nothing."""
    after = Rotations(story.bench, story.ref)
    after.rotate(value("next"))
    assert story.bench.readers_get(story.ref) == value("next")


def _crashed(
    bench: StoreBench, before: Callable[[_Story], object], verb: Callable[[_Story], object], *, after: bool
) -> Iterator[_Story]:
    """A story per call of `verb`: the process died at that call, and the verb was repeated."""
    for at in range(1, MOST_CALLS):
        story = _Story(bench)
        before(story)
        fault = bench.caller.crash(at, after=after)
        try:
            verb(story)
        except Crash:
            verb(story)
        bench.caller.fault = None
        if not fault.fired:
            assert at > 1, "the verb made no call at all"
            return
        yield story
    pytest.fail("the verb never ended")


def _answers_lost(
    bench: StoreBench, before: Callable[[_Story], object], verb: Callable[[_Story], object]
) -> Iterator[_Story]:
    """A story per call of `verb`: the answer to that call was lost, and the verb went on by itself."""
    for at in range(1, MOST_CALLS):
        story = _Story(bench)
        before(story)
        fault = bench.caller.lose_answer(at)
        verb(story)
        bench.caller.fault = None
        if not fault.fired:
            assert at > 1, "the verb made no call at all"
            return
        yield story
    pytest.fail("the verb never ended")
