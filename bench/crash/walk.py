"""One lane: each story once undisturbed, then each of its deaths, with everything that has to hold behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from bench.crash.checks import broken, refused
from bench.crash.lane import Trap
from bench.crash.mending import mend_by_hand
from bench.crash.runs import Runs, Started
from bench.crash.stores import Seen
from bench.crash.stories import ROTATION, Point, Story, points
from bench.crash.witness import Witness
from rotation.errors import KeyturnError, Refused

# Leaves some of a story's points.
Choose = Callable[[list[Point]], list[Point]]
# A start is answered long before the first call of its function.
_START_S = 10.0


@dataclass(kw_only=True)
class Result:
    """What came of one death. died: how often. ended_by: what brought the run to its end. wrong: what does not hold."""

    store: str
    story: str
    kind: str
    call: str
    edge: str
    fate: str
    died: int = 0
    status: str = ""
    ended_by: str = ""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Walk:
    """The lane that `seen` looks at; `tell` is called with each result, and may raise to end the walk."""

    def __init__(self, seen: Witness, tell: Callable[[Result], None]) -> None:
        self._seen, self._tell = seen, tell
        self._lane = seen.place.lanes[seen.lane]
        self._runs = Runs(seen.place, self._lane.secret)
        # what readers got before the open overlap began
        self._old: Seen | None = None

    def all(self, stories: Sequence[Story], choose: Choose) -> list[Result]:
        """Every point that `choose` leaves of each story's; a story that ends badly undisturbed is one bad result."""
        self._runs.plain("rotate")
        results: list[Result] = []
        for story in stories:
            try:
                self._story(story, choose, results)
            except KeyturnError as exc:
                results.append(self._unwalked(story, exc))
        return results

    def _story(self, story: Story, choose: Choose, results: list[Result]) -> None:
        try:
            found = choose(self._recorded(story))
        except KeyturnError as exc:
            results.append(self._unwalked(story, exc))
            self._start_afresh()
            return
        # one after the other: what was walked stays, whatever comes then
        results.extend(map(self._point, found))

    def _unwalked(self, story: Story, why: KeyturnError) -> Result:
        """A story that went wrong before, or between, its points."""
        bad = Result(store=self._seen.lane, story=story.name, kind="none", call="", edge="", fate="undisturbed")
        bad.wrong.append(str(why))
        self._tell(bad)
        return bad

    def _recorded(self, story: Story) -> list[Point]:
        self._set_up(story)
        run = self._runs.wait(self._run(story, None))
        passed = list(self._lane.passed)
        self._lane.begin(None)
        self._seen.target.heal(valid=self._runs.overlap is not None)
        wrong = broken(self._seen)
        if run.status != story.ends or wrong:
            told = f"{story.name} of {self._seen.lane}, undisturbed: {run.status} {run.failure} {wrong}"
            raise Refused("bad_story", told)
        self._life_goes_on(story, run.status)
        return points(story, passed)

    def _point(self, point: Point) -> Result:
        result = Result(
            store=self._seen.lane,
            story=point.story.name,
            kind=point.kind,
            call=str(point.trap.call),
            edge=point.trap.edge,
            fate=point.fate,
        )
        try:
            self._set_up(point.story)
            began = time.monotonic()
            self._die(point, result)
            result.seconds = time.monotonic() - began
            self._life_goes_on(point.story, result.status)
        except KeyturnError as exc:
            result.wrong.append(str(exc))
            self._start_afresh()
        self._tell(result)
        return result

    def _die(self, point: Point, result: Result) -> None:
        """The run with its death, to its end; what does not hold then is noted."""
        story, kills = point.story, point.trap.kills
        started = self._run(story, point.trap, stopped=point.stopped)
        self._runs.wait(started)
        if point.stopped:
            # its execution has ended a moment before the function is killed
            self._lane.dead.wait(_START_S)
        result.died = self._lane.kills
        self._unspring(story)
        run, how = self._runs.go_on(started)
        self._lane.begin(None)
        self._seen.target.heal(valid=self._runs.overlap is not None)
        result.status, result.ended_by = run.status, how or ("catch" if kills > 1 else "retry")
        if result.died != kills:
            result.wrong.append(f"died {result.died} times instead of {kills}")
        if kills == 1 and run.status != story.ends:
            result.wrong.append(f"ended {run.status} instead of {story.ends}: {dict(run.failure)}")
        result.wrong += broken(self._seen, settled=kills == 1)
        if run.machine == "retire" and run.status == "succeeded" and self._old:
            result.wrong += refused(self._seen, self._old)

    def _unspring(self, story: Story) -> None:
        """No trap any more; the target stays as unwell as it was."""
        told = self._lane.on_step
        self._lane.begin(None, story.fails)
        self._lane.on_step = told

    def _set_up(self, story: Story) -> None:
        """An overlap, or none."""
        if story.overlap and self._runs.overlap is None:
            self._rotate()
        if not story.overlap and self._runs.overlap is not None:
            self._runs.plain("retire")
        if story.machine == "retire":
            self._runs.close_overlap()
        self._seen.store.tidy()

    def _run(self, story: Story, trap: Trap | None, *, stopped: bool = False) -> Started:
        live = self._seen.store.live().text
        fails = story.fails.step if story.fails else ""
        going: Future[Started] = Future()
        self._lane.begin(trap, story.fails)
        self._lane.on_step = lambda step: self._seen.target.spoil(live) if step == fails else None
        self._lane.on_kill = lambda: self._runs.stop(going.result(_START_S)) if stopped else None
        started = self._runs.start(story.machine)
        going.set_result(started)
        return started

    def _life_goes_on(self, story: Story, status: str) -> None:
        """The overlap ends, and the next rotation succeeds: where this was one that did, it is the next story's."""
        if self._runs.overlap is not None:
            self._runs.plain("retire")
        if story is not ROTATION or status != ROTATION.ends:
            self._rotate()
        wrong = broken(self._seen)
        if wrong:
            raise Refused("wrong_afterwards", "; ".join(wrong))

    def _start_afresh(self) -> None:
        self._lane.begin(None)
        mend_by_hand(self._seen)
        self._rotate()

    def _rotate(self) -> None:
        self._old = self._seen.store.live()
        self._runs.plain("rotate")
