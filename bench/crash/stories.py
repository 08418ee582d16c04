"""What is walked: a run, what has to be there before it, and which of its calls are crash points.

A failing story is walked up to its failure by another one; only what undoes it is killed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.crash.lane import Edge, Fault, Passed, Trap
from bench.crash.words import Party
from rotation.definition import RETRY_ATTEMPTS
from rotation.phases import TABLES, UNDO

# The first try, and every retry of the task.
EVERY_TRY = RETRY_ATTEMPTS + 1
# How the targets that speak HTTP refuse a credential, and how they show that they hold none.
_REFUSED, _NOTHING = (401, '{"error": "refused"}'), (200, "{}")


@dataclass(frozen=True, kw_only=True)
class Story:
    """overlap: whether one is open before. fails: step at which the target is unwell. undoes: its steps that count."""

    name: str
    machine: str
    overlap: bool
    ends: str = "succeeded"
    fails: Fault | None = None
    undoes: frozenset[str] = frozenset()


def _fault(step: str, answer: tuple[int, str]) -> Fault:
    return Fault(step=step, status=answer[0], body=answer[1])


ROTATION = Story(name="rotation", machine="rotate", overlap=False)
STORIES = (
    ROTATION,
    Story(name="retirement", machine="retire", overlap=True),
    Story(
        name="failing test",
        machine="rotate",
        overlap=False,
        ends="failed",
        fails=_fault("test", _REFUSED),
        undoes=frozenset({"restore", "withdraw", "abandon"}),
    ),
    Story(
        name="failing health",
        machine="rotate",
        overlap=False,
        ends="failed",
        fails=_fault("health", _NOTHING),
        undoes=frozenset({"restore", "demote", "withdraw", "abandon"}),
    ),
    Story(name="rollback", machine="rollback", overlap=True),
    Story(
        name="failing rollback",
        machine="rollback",
        overlap=True,
        ends="failed",
        fails=_fault("retest", _REFUSED),
        undoes=frozenset({"forgo"}),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One death. stopped: the execution is ended with it, so that nobody tries again by himself."""

    story: Story
    kind: str
    trap: Trap
    stopped: bool = False

    @property
    def fate(self) -> str:
        """What becomes of the execution."""
        if self.stopped:
            return "execution stopped"
        return "every try killed" if self.trap.kills > 1 else "killed once"

    def __str__(self) -> str:
        return f"{self.story.name}, {self.trap.edge} {self.trap.call}, {self.fate}"


def points(story: Story, passed: Sequence[Passed]) -> list[Point]:
    """Every death of a story that was recorded undisturbed: each effect before and after, and what else may follow."""
    chosen = [call for call in _chosen(passed) if _counts(story, call)]
    once = [_point(story, call, edge) for call, edge in _different(chosen)]
    outside = [call for call in chosen if _outside(call)]
    # one of each step is enough where every try, or the execution, is lost with it
    firsts = list({call.step: call for call in reversed(outside)}.values())[::-1]
    spent = [_point(story, call, Edge.AFTER, kills=EVERY_TRY) for call in firsts]
    stopped = [_point(story, call, Edge.AFTER, stopped=True) for call in firsts]
    return once + spent + stopped


def _different(chosen: Sequence[Passed]) -> list[tuple[Passed, Edge]]:
    """Before and after each call, but once where one is after a call and before the next of the same invocation.

    It is then named by the effect on store or target, if one of both is such.
    """
    found = [(chosen[0], Edge.BEFORE)] if chosen else []
    for call, following in pairwise(chosen):
        if _phase(call) != _phase(following):
            found += [(call, Edge.AFTER), (following, Edge.BEFORE)]
        elif _outside(following) and not _outside(call):
            found.append((following, Edge.BEFORE))
        else:
            found.append((call, Edge.AFTER))
    return found + [(call, Edge.AFTER) for call in chosen[-1:]]


def _phase(call: Passed) -> str:
    """The phase that makes it: a write that opens a step is made in the step's phase, claim and end by control."""
    if call.word.kind in ("claim", "end"):
        return call.word.kind
    step = call.word.opens or call.step
    return next((p.name for table in (*TABLES.values(), UNDO) for p in table if step in p.steps), step)


def _outside(call: Passed) -> bool:
    return call.word.effect and call.word.party is not Party.LEDGER


def _point(story: Story, call: Passed, edge: Edge, *, kills: int = 1, stopped: bool = False) -> Point:
    kind = f"ledger: {call.word.kind}" if call.word.party is Party.LEDGER else call.step
    return Point(story=story, kind=kind, trap=Trap(call=call, edge=edge, kills=kills), stopped=stopped)


def _chosen(passed: Sequence[Passed]) -> list[Passed]:
    """All effects; of a step that only asks, its last question."""
    effective = {call.step for call in passed if call.word.effect and call.word.party is not Party.LEDGER}
    asked = {
        call.step: call
        for call in passed
        if call.step not in effective and call.word.party in (Party.STORE, Party.TARGET) and call.step != "claim"
    }
    return [call for call in passed if call.word.effect or call in asked.values()]


def _counts(story: Story, call: Passed) -> bool:
    """In a failing story: what undoes, its intents and the end."""
    if not story.undoes:
        return True
    return call.step in story.undoes or call.word.opens in story.undoes or call.word.kind == "end"
