"""What is walked, and the moments at which a process may die in it.

Between two calls of one invocation nothing outside changes, nor by a call that only reads: whenever the process dies
there, what it leaves is the same. So a story's deaths fall into few different ones (`different`): before the first call
of an invocation, and after every call that changed something, as a comparison of ledger, store and target shows.
`every` has a death after each call too; one before a call is the one after the call before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from rotation.control.takeover import LATE
from rotation.errors import Refused
from tests.unit.crash.crash_trap import Trap
from tests.unit.crash.crash_world import OVERLAP_S, CrashWorld, Fate, Killed

Combo = tuple[str, str]


def _nothing(world: Any) -> None:
    del world


@dataclass(frozen=True, kw_only=True)
class Story:
    """A run and what came before it. `refuses`: what its target is unwell in. `ends`: its status, undisturbed.

    made: the world in which it happens. setting: what is done to it last of all before the verb, which is given
    `fields`. then: what belongs to the story after it.
    """

    before: tuple[str, ...]
    verb: str
    refuses: str = ""
    ends: str = "succeeded"
    made: Callable[..., Any] = CrashWorld
    setting: Callable[[Any], None] = _nothing
    fields: Mapping[str, Any] = field(default_factory=dict)
    then: Callable[[Any], None] = _nothing


STORIES = {
    "first rotation": Story(before=(), verb="rotate"),
    "second rotation": Story(before=("rotate",), verb="rotate"),
    "retirement": Story(before=("rotate", "rotate"), verb="retire"),
    "failing test": Story(before=("rotate",), verb="rotate", refuses="probe", ends="failed"),
    "failing health": Story(before=("rotate",), verb="rotate", refuses="check", ends="failed"),
    "rollback": Story(before=("rotate", "rotate"), verb="rollback"),
}


@dataclass(frozen=True)
class Moment:
    """The process dies at the call number `at`, before or after its effect."""

    at: int
    after: bool


@dataclass(frozen=True)
class Walk:
    """A story that was walked undisturbed: its calls, and the moments that are walked for all others."""

    world: CrashWorld
    calls: tuple[str, ...]
    every: tuple[Moment, ...]
    different: tuple[Moment, ...]

    def named(self, moment: Moment) -> str:
        """As the trap names it."""
        return f"{'after' if moment.after else 'before'} {self.calls[moment.at - 1]}"


def at_its_start(combo: Combo, story: Story, patch: pytest.MonkeyPatch) -> CrashWorld:
    """A world in which the story is about to begin."""
    world: CrashWorld = story.made(*combo, patch)
    for verb in story.before:
        world.ask(verb)
        # the history is in order of start
        world.clock.advance(1)
    if story.verb == "retire":
        world.clock.advance(OVERLAP_S)
    world.refuses = story.refuses
    story.setting(world)
    world.trap = Trap()
    return world


def undisturbed(combo: Combo, story: Story, patch: pytest.MonkeyPatch) -> Walk:
    """The story without a death."""
    world = at_its_start(combo, story, patch)
    world.trap = trap = Trap(outside=world.outside)
    world.ask(story.verb, **story.fields)
    story.then(world)
    trap.outside = None
    firsts = [Moment(at, after=False) for at in sorted(trap.firsts) if at <= len(trap.names)]
    every = [*firsts, *(Moment(at, after=True) for at in range(1, len(trap.names) + 1))]
    different = [*firsts, *(Moment(at, after=True) for at in sorted(trap.changed))]
    return Walk(world, tuple(trap.names), tuple(every), tuple(different))


def died(combo: Combo, story: Story, patch: pytest.MonkeyPatch, fate: Fate, moment: Moment) -> CrashWorld:
    """The story with a death in it, as far as the execution gets by itself."""
    world = at_its_start(combo, story, patch)
    world.fate, world.trap = fate, Trap(moment.at, after=moment.after)
    try:
        world.ask(story.verb, **story.fields)
        story.then(world)
    except Killed:
        assert fate is Fate.KILLED
    assert world.trap.sprung, "nothing happened at that call"
    return world


def by_the_sweep(world: CrashWorld, story: Story) -> None:
    """The sweep goes on with what lost its execution; what an undoing gave up on, the next run settles first."""
    world.settle()
    if world.head.leftover:
        _try(world, "rotate")


def by_a_fresh_start(world: CrashWorld, story: Story) -> None:
    """Somebody asks for the same again at once; what is refused to him is left to the sweep."""
    world.trap.at = 0
    _try(world, story.verb, **story.fields)
    by_the_sweep(world, story)


def by_undoing(world: CrashWorld, story: Story) -> None:
    """Somebody takes the unfinished run back; only what nothing leads back from is left to the sweep, and says so.

    A retirement that was given up is no more than an open overlap, and a rollback leads back over that.
    """
    world.trap.at = 0
    if world.head.run_id:
        _undone(world)
    by_the_sweep(world, story)


def _undone(world: CrashWorld) -> None:
    run, steps = world.whole_ledger.run(world.head.run_id)
    if run.machine == "retire" and "revoke" in steps:
        # where nobody can fence it: an earlier invocation has certainly ended
        world.clock.advance(LATE.total_seconds())
    if run.machine == "retire" and "dispose" in steps:
        with pytest.raises(Refused, match="cannot_undo"):
            world.ask("rollback")
        return
    world.ask("rollback")
    if run.machine == "retire":
        assert world.whole_ledger.run(run.run_id)[0].status == "undone"
        _back(world)


def _back(world: CrashWorld) -> None:
    """What the retirement had begun to kill is what readers have again, applied again first."""
    before = world.head.current
    # history is in order of start
    world.clock.advance(1)
    world.ask("rollback")
    assert (world.runs[-1].status, world.runs[-1].failure) == ("succeeded", {})
    assert world.head.current != before


def _try(world: CrashWorld, verb: str, **fields: Any) -> None:
    """Ask, where the answer may be no."""
    try:
        world.ask(verb, **fields)
    except Refused:
        return


# What becomes of the execution, and what is done then, so that the run ends.
ENDINGS: dict[str, tuple[Fate, Callable[[CrashWorld, Story], None]]] = {
    "the retries are spent": (Fate.GAVE_UP, by_the_sweep),
    "killed, the sweep resumes": (Fate.KILLED, by_the_sweep),
    "killed, somebody starts again": (Fate.KILLED, by_a_fresh_start),
    "killed, somebody undoes it": (Fate.KILLED, by_undoing),
}
