"""Any history of runs, strangers, repairs and crashes leaves readers with the value that was last made current.

The histories are random but the same each time; the model and the Google server, which run in this process, live them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest
from gcp_bench import google
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from store_bench import Crash, Life, Rotations, StoreBench, value
from test_store_memory import MemoryBench

from rotation.errors import Conflict
from rotation.value import SecretValue

# Long enough for a rollback of a rotation that a stranger's write preceded; the model lives hundreds in a second.
_STEPS = 20
_EXAMPLES = 40


class History(RuleBasedStateMachine):
    """One secret; `truth` is what readers must get."""

    make_bench: Callable[[], AbstractContextManager[StoreBench]]

    def __init__(self) -> None:
        super().__init__()
        self.context = type(self).make_bench()
        self.bench = self.context.__enter__()
        self.rotations = Rotations(self.bench)
        self.count = 0
        self.open: Life | None = None
        self.done: Life | None = None
        self.truth = self.fresh()
        self.bench.somebody_writes(self.rotations.ref, self.truth)
        # whether current still is what the open run saw, or what the last run made
        self.undisturbed = True

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)

    def fresh(self) -> SecretValue:
        """A value never seen before."""
        self.count += 1
        return value(str(self.count))

    @rule()
    def somebody_writes(self) -> None:
        self.truth = self.fresh()
        self.bench.somebody_writes(self.rotations.ref, self.truth)
        self.undisturbed = False

    @precondition(lambda self: self.open is None)
    @rule()
    def a_run_stages(self) -> None:
        # a run looks afresh, as one does after somebody wrote
        self.rotations = Rotations(self.bench, self.rotations.ref)
        self.open, self.done, self.undisturbed = self.rotations.stage(self.fresh()), None, True

    @precondition(lambda self: self.open is not None)
    @rule(at=strategies.integers(1, 4), after=strategies.booleans())
    def the_run_promotes_through_a_crash(self, at: int, after: bool) -> None:
        run = self.open
        if self.undisturbed:
            self.through_crash(at, after, lambda: self.promote(run))
            self.truth = run.value
        else:
            with pytest.raises(Conflict, match="current_moved"):
                self.through_crash(at, after, lambda: self.promote(run))
            self.rotations.abandon(run)
        self.open = None

    def promote(self, run: Life) -> None:
        """Promote the open run; `done` is what can be rolled back."""
        self.done = self.rotations.promote(run)

    @precondition(lambda self: self.open is not None)
    @rule(at=strategies.integers(1, 4), after=strategies.booleans())
    def the_run_is_abandoned_through_a_crash(self, at: int, after: bool) -> None:
        run, self.open = self.open, None
        self.through_crash(at, after, lambda: self.rotations.abandon(run))

    @precondition(lambda self: self.open is not None)
    @rule(at=strategies.integers(1, 4), after=strategies.booleans())
    def repair_finds_and_clears_the_candidate_through_a_crash(self, at: int, after: bool) -> None:
        run, self.open = self.open, None
        store, ref = self.bench.store(), self.rotations.ref
        shown = store.survey(ref, run.seen.current)
        assert store.read(ref, shown.current) == self.truth
        assert run.staged in [pending.version for pending in shown.pendings]
        self.through_crash(at, after, lambda: self.bench.store().abandon(ref, "", run.staged))
        left = store.survey(ref, run.seen.current)
        assert left.current == shown.current
        assert run.staged not in [pending.version for pending in left.pendings]

    @precondition(lambda self: self.open is None and self.done is not None and self.undisturbed)
    @rule(at=strategies.integers(1, 4), after=strategies.booleans())
    def the_last_run_is_rolled_back_through_a_crash(self, at: int, after: bool) -> None:
        run, self.done = self.done, None
        store, ref = self.rotations.store, self.rotations.ref
        before = store.read(ref, run.seen.current)
        self.through_crash(at, after, lambda: store.demote(ref, run.run_id, run.live, run.seen.current))
        store.abandon(ref, run.run_id, run.staged)
        self.truth = before

    def through_crash(self, at: int, after: bool, verb: Callable[[], object]) -> None:
        """The process dies at that call, if there is one, and the verb is repeated."""
        self.bench.caller.crash(at, after=after)
        try:
            verb()
        except Crash:
            verb()
        finally:
            self.bench.caller.fault = None

    @invariant()
    def readers_get_what_was_made_current_last(self) -> None:
        assert self.bench.readers_get(self.rotations.ref) == self.truth


@pytest.mark.parametrize("make", [lambda: nullcontext(MemoryBench()), google], ids=["memory", "gcp"])
def test_readers_always_get_the_value_that_was_made_current_last(
    make: Callable[[], AbstractContextManager[StoreBench]],
) -> None:
    machine = type("ThisHistory", (History,), {"make_bench": staticmethod(make)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=_EXAMPLES,
            stateful_step_count=_STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
