"""One credential's calls as they pass: what each is, in which step, and the trap that one of them springs.

A call is named by the step under way, which the ledger's own writes tell, and by how often it came in it. So a trap
finds its call again although other calls differ from run to run (a cold function logs in, a warm one does not).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from bench.crash.killing import Connection, Killer
from bench.crash.words import Party, Word

T = TypeVar("T")


class Gone(Exception):
    """The caller was killed: nobody is there to be answered."""


class Edge(StrEnum):
    """Which side of an effect."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, kw_only=True)
class Passed:
    """One call: `again` counts calls of the same name in the same step, from 0."""

    step: str
    word: Word
    again: int

    def __str__(self) -> str:
        often = f" #{self.again + 1}" if self.again else ""
        return f"{self.step}: {self.word.party} {self.word.name}{often}"


@dataclass(frozen=True, kw_only=True)
class Trap:
    """Where the function is killed, and how often: what is above one hits the first calls of its next invocations."""

    call: Passed
    edge: Edge
    kills: int = 1


@dataclass(frozen=True, kw_only=True)
class Fault:
    """While `step` is under way an HTTP target answers this instead of its own answer."""

    step: str
    status: int
    body: str


class Lane:
    """`secret`: the credential. `on_step` is called when a step was opened, before anything of it."""

    def __init__(self, secret: str, killer: Killer) -> None:
        self.secret = secret
        self._killer = killer
        self._lock = threading.Lock()
        self.begin(None)

    def begin(self, trap: Trap | None, fault: Fault | None = None) -> None:
        """Forget what passed and who was to be told; from now on this trap and this fault."""
        with self._lock:
            self.on_step: Callable[[str], None] = lambda _: None
            self.on_kill: Callable[[], None] = lambda: None
            self.passed: list[Passed] = []
            self.kills = 0
            self.dead = threading.Event()
            self._trap, self._fault = trap, fault
            self._step = "start"
            self._often: Counter[tuple[str, Word]] = Counter()

    def around(self, word: Word, connection: Connection, forward: Callable[[], T]) -> T:
        """One call; raises Gone when its caller was killed."""
        with self._lock:
            edge = self._met(word)
        if edge is Edge.BEFORE:
            self._kill(connection)
        answer = forward()
        if word.opens:
            with self._lock:
                self._step = word.opens
            self.on_step(word.opens)
        if edge is Edge.AFTER:
            self._kill(connection)
        return answer

    def spoilt(self, word: Word) -> Fault | None:
        """What a target says instead of its own answer, if anything."""
        with self._lock:
            hit = self._fault and word.party is Party.TARGET and self._fault.step == self._step
            return self._fault if hit else None

    def _met(self, word: Word) -> Edge | None:
        """Note the call; whether, and on which side of it, its caller is killed."""
        call = Passed(step=self._step, word=word, again=self._often[self._step, word])
        self._often[self._step, word] += 1
        self.passed.append(call)
        trap = self._trap
        if trap is None:
            return None
        if self.kills:
            return Edge.BEFORE if self.kills < trap.kills else None
        return trap.edge if call == trap.call else None

    def _kill(self, connection: Connection) -> None:
        # first, so that nobody hears of the death who should not
        self.on_kill()
        self._killer.kill(connection)
        with self._lock:
            self.kills += 1
        self.dead.set()
        raise Gone
