"""The rules: everything that people, clouds and strangers do to one secret, in any order. One rule is one step."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.model.world import NAME
from tests.property import quiet, weather
from tests.property.any_order_world import AnyOrderWorld
from tests.property.executions import Execution, Invocation
from tests.property.invariants import Watch
from tests.property.strands import Ending

# As many invocations at once as a bad night has; more only makes sequences longer.
CROWD = 6
# An index into whatever there is, taken modulo.
ANY = st.sampled_from(range(6))
# Calls that are answered before something happens: most phases make about ten.
CALLS = st.sampled_from(range(10))
# A clock is off by this much at most, to either side.
JUMPS = st.sampled_from([-90, -30, -5, 5, 30, 90])
FAULTS = [ending for ending in Ending if ending is not Ending.ANSWERED]
FLAGS = [(), (), ("emergency",), ("break_glass",), ("emergency", "break_glass")]
VERBS = ["retire", "overlap_close", "overlap_close", "overlap_extend", "rollback", "rollback"]


def at_work(machine: Storm) -> bool:
    """Something is under way."""
    return bool(machine.world.invocations)


def has_machines(machine: Storm) -> bool:
    """An execution is under way."""
    return bool(machine.world.executions)


def room(machine: Storm) -> bool:
    """Not yet a crowd."""
    return len(machine.world.invocations) < CROWD


class Storm(RuleBasedStateMachine):
    """`steps` counts every rule that ran, over all instances; `calls` the external calls."""

    world_class: ClassVar[type[AnyOrderWorld]] = AnyOrderWorld
    watch_class: ClassVar[type[Watch]] = Watch
    steps: ClassVar[Counter[str]] = Counter()
    calls: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world = self.world_class()
        self.seen = ""
        self.ok = True
        self.watch = self.watch_class(self.world)

    @initialize()
    def first_value(self) -> None:
        quiet.told(self.world, "rotate")
        self.world.advance(1)

    def step(self, by_rule: str, kind: str = "") -> None:
        """One more of a rule, of this kind."""
        type(self).steps[f"{by_rule}: {kind}" if kind else by_rule] += 1

    def _one(self, which: int) -> Invocation:
        return self.world.invocations[which % len(self.world.invocations)]

    def _execution(self, which: int) -> Execution:
        return self.world.executions[which % len(self.world.executions)]

    # what goes well

    @precondition(at_work)
    @rule(which=ANY, calls=CALLS)
    def work(self, which: int, calls: int) -> None:
        self.step("work")
        self._work(self._one(which), calls + 1)

    @precondition(at_work)
    @rule(which=ANY)
    def invocation_ends(self, which: int) -> None:
        self.step("invocation_ends")
        quiet.finish(self.world, self._one(which))

    @precondition(has_machines)
    @rule(which=ANY)
    def execution_ends(self, which: int) -> None:
        self.step("execution_ends")
        one = self._execution(which)
        for _ in range(quiet.MANY_CALLS):
            if one.over or one.waits_for is None:
                break
            quiet.finish(self.world, one.waits_for)

    # what clouds do

    @precondition(at_work)
    @rule(which=ANY, calls=CALLS, how=st.sampled_from(FAULTS), retries_spent=st.booleans())
    def fault(self, which: int, calls: int, how: Ending, retries_spent: bool) -> None:
        """At one of its next calls."""
        one = self._one(which)
        self._work(one, calls)
        if one.over and not self.world.invocations:
            self.step("fault", "came too late")
            return
        one = self._one(which) if one.over else one
        one.retries_spent = retries_spent
        self.step("fault", f"{how.value}{', retries spent' if retries_spent else ''}")
        self.world.move(one, how)

    @precondition(lambda self: self.world.events and room(self))
    @rule(which=ANY)
    def event_comes_again(self, which: int) -> None:
        self.step("event_comes_again")
        self.world.invoke(self.world.events[-1 - which % len(self.world.events)])

    @precondition(room)
    @rule(slowly=st.booleans())
    def sweep(self, slowly: bool) -> None:
        self.step("sweep")
        self._begun(self.world.invoke({"phase": "sweep", "execution": "arn:sweep"}), slowly)

    # what people do

    @precondition(has_machines)
    @rule(which=ANY, calls=CALLS, aborted=st.booleans())
    def left_alone(self, which: int, calls: int, aborted: bool) -> None:
        """A person stops the execution, or Step Functions repeats a call; the function that works for it works on."""
        one = self._execution(which)
        waited = one.waits_for
        if waited is not None:
            self._work(waited, calls)
            # not both: a machine that gives up on a call that still works undoes under the same epoch (a named gap)
            waited.awaited = waited.retries_spent = False
        self.step("left_alone", "aborted" if aborted else "its call is repeated beside itself")
        if aborted:
            one.abort()
        self.world.settle()

    @precondition(room)
    @rule(flags=st.sampled_from(FLAGS), slowly=st.booleans())
    def rotate(self, flags: tuple[str, ...], slowly: bool) -> None:
        self.step("rotate", " ".join(flags))
        self._begun(self.world.ask("rotate", **dict.fromkeys(flags, True)), slowly)

    @precondition(room)
    @rule(verb=st.sampled_from(VERBS), slowly=st.booleans())
    def ask(self, verb: str, slowly: bool) -> None:
        self.step("ask", verb)
        self._begun(self.world.ask(verb, seconds=600), slowly)

    @precondition(room)
    @rule(which=ANY, slowly=st.booleans())
    def resume(self, which: int, slowly: bool) -> None:
        self.step("resume")
        runs = self.world.whole_ledger.history(NAME)
        self._begun(self.world.ask("resume", run_id=runs[-1 - which % min(len(runs), 3)].run_id), slowly)

    @precondition(room)
    @rule(slowly=st.booleans())
    def repair(self, slowly: bool) -> None:
        """What is seen now, if anything, is acted on; or what was seen before."""
        one = self.world.ask("diagnose")
        self._begun(one, slowly=False)
        earlier, self.seen = self.seen, one.strand.result["digest"] if one.over else ""
        self.step("repair", "of what was seen before" if slowly else "")
        self._begun(self.world.ask("mend", digest=(earlier if slowly else "") or self.seen), slowly)

    # what happens around them

    @rule(kind=st.sampled_from(list(weather.KINDS)), seconds=JUMPS)
    def weather(self, kind: str, seconds: int) -> None:
        self.step("weather", kind)
        weather.KINDS[kind](self.world, seconds)
        self.world.settle()

    def _work(self, one: Invocation, calls: int) -> None:
        for _ in range(calls):
            if not one.over:
                self.world.move(one, Ending.ANSWERED)

    def _begun(self, one: Invocation, slowly: bool) -> None:
        """A verb is either answered at once, or stays at its first call."""
        if not slowly:
            quiet.finish(self.world, one)

    @invariant()
    def holds(self) -> None:
        if self.world.secret.current is None:
            return
        self.ok = False
        self.watch.look()
        self.ok = True

    @classmethod
    def missing(cls, steps: Counter[str]) -> set[str]:
        """Rules that never ran."""
        ran = {name.split(": ")[0] for name in steps}
        return {one.function.__name__ for one in cls().rules} - ran

    def teardown(self) -> None:
        try:
            if self.ok and self.world.secret.current is not None:
                quiet.come_to_rest(self.world)
                self.watch.rest()
        finally:
            type(self).calls.update(self.world.calls)
            self.world.close()
