"""The storm over runs that wait: people who agree or do not, instances that come, acknowledge, fall back and die.

A class of its own, so that its rules do not thin out those of the others. Not here: what must hold of the rest
(`invariants`), which holds here too.
"""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from rotation.control.versions import known_ids
from rotation.ledger.approvals import Status
from tests.model.world import NAME, OVERLAP_S
from tests.property import quiet
from tests.property.any_order_world import AnyOrderWorld
from tests.property.invariants import Watch
from tests.property.storm import ANY, Storm, room
from tests.property.waiting_world import ANSWERERS, INSTANCES, LEASE_S, WaitingWorld, person

# Instances fall back seldom: each that does holds up every retirement for the rest of its lease.
_FALLS_BACK = st.sampled_from([False, False, True])
# An overlap that is open, one that is over, and one that outlasts every lease.
_LASTED = st.sampled_from([0, OVERLAP_S, LEASE_S])


class WaitingWatch(Watch):
    """And nobody is cut off, nothing begins that nobody agreed to, and nobody agrees to what he asked for."""

    world: WaitingWorld

    def look(self) -> None:
        super().look()
        self.rest()

    def rest(self) -> None:
        assert not self.world.cut_off, f"the old credential was revoked: {self.world.cut_off}"
        for run in self.world.whole_ledger.history(NAME):
            self._agreed(run.run_id)

    def _agreed(self, run_id: str) -> None:
        run, steps = self.world.whole_ledger.run(run_id)
        request = self.world.whole_ledger.approvals.of(run_id)
        if run.machine == "rotate" and "stage" in steps:
            assert request is not None, "a run began that asked nobody"
            assert request.status == Status.APPROVED, f"a run began that was {request.status}"
        if request is not None and request.status == Status.APPROVED:
            assert person(request.by) != person(run.requested_by), "whoever asked for a run agreed to it"
            assert "/lead/" in request.by, "a run was agreed to by nobody who may"


class WaitingStorm(Storm):
    """Every rotation waits for a person, every retirement for whoever lives."""

    world: WaitingWorld
    world_class: ClassVar[type[AnyOrderWorld]] = WaitingWorld
    watch_class: ClassVar[type[Watch]] = WaitingWatch

    @precondition(room)
    @rule(
        which=ANY,
        actor=st.sampled_from(ANSWERERS),
        verb=st.sampled_from(["approve", "approve", "deny"]),
        slowly=st.booleans(),
    )
    def answer(self, which: int, actor: str, verb: str, slowly: bool) -> None:
        waiting = self.world.whole_ledger.approvals.waiting() or self.world.whole_ledger.history(NAME)[-3:]
        self.step("answer", verb)
        one = waiting[which % len(waiting)]
        self._begun(self.world.ask(verb, run_id=one.run_id, requested_by=actor), slowly)

    @precondition(room)
    @rule(instance=st.sampled_from(INSTANCES), back=_FALLS_BACK, slowly=st.booleans())
    def instance(self, instance: str, back: bool, slowly: bool) -> None:
        """It comes, says so again, catches up, or starts from an old cache; it dies by saying no more."""
        ids = known_ids(self.world.whole_ledger, NAME)
        version = ids.before if back and ids.before else ids.current
        self.step("instance", "starts from an old cache" if version == ids.before else "uses what is current")
        self._begun(self.world.acknowledges(instance, version), slowly)

    @rule(instance=st.sampled_from(INSTANCES), uses=st.sampled_from(["", "old", "new"]), lasted=_LASTED)
    def scene(self, instance: str, uses: str, lasted: int) -> None:
        """An overlap is open that was agreed to: sequences alone seldom get there. One instance has been heard."""
        world = self.world
        quiet.finish_all(world)
        quiet.brakes_off(world)
        if world.whole_ledger.head(NAME).overlap is None:
            self._begun(world.ask("rotate"), slowly=False)
            while world.agree():
                quiet.finish_all(world)
        ids = known_ids(world.whole_ledger, NAME)
        came = world.whole_ledger.head(NAME).overlap is not None and bool(ids.before)
        self.step("scene", f"{uses or 'none'} in use" if came else "not to be had")
        if came:
            world.advance(lasted)
            if uses:
                quiet.finish(world, world.acknowledges(instance, ids.before if uses == "old" else ids.current))
        world.settle()
