"""A world whose process dies at one chosen call, before or after the call's effect, and is then retried as a whole.

Every call of store, target, ledger and machines is a crash point. Step Functions repeats the task that died with the
same input: the phase is entered again, with nothing left but what store, target and ledger hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from rotation.context import Context
from rotation.control.claims import Claimed
from rotation.definition import RETRY_INTERVAL_S
from rotation.ledger.ledger import Ledger
from rotation.phases import Outcome, Phase
from tests.model.world import World

T = TypeVar("T")


class Died(BaseException):
    """The process is gone; nothing that catches exceptions may stop it."""


@dataclass
class Trap:
    """Counts calls; at number `at` the process dies, after the effect if `after`. 0 never does."""

    at: int = 0
    after: bool = False
    calls: int = 0
    sprung: str = ""
    armed: bool = False

    def around(self, name: str, function: Any, arguments: Any, named: Any) -> Any:
        self.calls += self.armed
        here = self.armed and self.calls == self.at
        if here and not self.after:
            self.sprung = f"before {name}"
            raise Died(self.sprung)
        try:
            return function(*arguments, **named)
        finally:
            if here:
                self.sprung = f"after {name}"
                raise Died(self.sprung)


class Trapped:
    """Passes everything on, every call through the trap."""

    def __init__(self, inner: Any, trap: Trap, label: str) -> None:
        self._inner, self._trap, self._label = inner, trap, label

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found
        return lambda *arguments, **named: self._trap.around(f"{self._label}.{name}", found, arguments, named)


class CrashingWorld(World):
    """A world with a trap. `spring` sets it; a phase that died is entered again, once.

    gives_up: the retries are spent instead, and the machine goes where its Catch says.
    """

    def __init__(self, *, gives_up: bool = False) -> None:
        super().__init__()
        self.gives_up = gives_up
        self.died_in = ""
        self.trap = Trap()
        self.whole_ledger = self.ledger
        self.ledger = Ledger(Trapped(self.rows, self.trap, "ledger"), self.clock)
        self.desk = replace(
            self.desk,
            ledger=self.ledger,
            machines=Trapped(self.machines, self.trap, "machines"),
            functions=Trapped(self.desk.functions, self.trap, "functions"),
        )

    def spring(self, at: int, *, after: bool) -> None:
        """Die at the call number `at` from here."""
        self.trap.at, self.trap.after, self.trap.calls, self.trap.sprung = at, after, 0, ""

    def context(self, run_id: str) -> Context:
        made = super().context(run_id)
        store: Any = Trapped(made.store, self.trap, "store")
        issuer: Any = Trapped(made.issuer, self.trap, "target")
        return replace(made, store=store, issuer=issuer)

    def _answer(self, phase: Phase, given: Mapping[str, str]) -> Claimed | Mapping[str, str]:
        broke: Claimed | Mapping[str, str] = {"outcome": Outcome.FAILED.value, "reason": f"{phase.name}_broke"}
        return self._task(lambda: super(CrashingWorld, self)._answer(phase, given), phase.name, broke)

    def _end(self, how: str, phase: Phase, reason: str, given: Mapping[str, str]) -> None:
        self._task(lambda: super(CrashingWorld, self)._end(how, phase, reason, given), how, None)

    def _task(self, work: Callable[[], T], name: str, broke: T) -> T:
        """One task of the machine; what the test itself looks at is no crash point."""
        self.trap.armed = True
        try:
            return work()
        except Died:
            self.died_in = name
            if self.gives_up:
                return broke
            # the retry comes later
            self.clock.advance(RETRY_INTERVAL_S)
            return work()
        finally:
            self.trap.armed = False
