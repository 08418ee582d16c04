"""Every external call is numbered here; at one number the process dies, before or after the call's effect.

Calls are counted only while a task of a machine is at work, which arms the trap: what a test looks at is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Died(BaseException):
    """The process is gone; nothing that catches exceptions may stop it."""


class Trap:
    """`at`: the number of the call at which the process dies, 0 never.

    names: of the calls so far, in order, `phase: party.call`, with a number from the second on. firsts: the numbers of
    those that are the first of their invocation. changed: of those that changed something that `outside` shows. phase:
    that of the invocation which is at work, "" between two.
    """

    def __init__(self, at: int = 0, *, after: bool = False, outside: Callable[[], str] | None = None) -> None:
        self.at, self.after = at, after
        self.outside = outside
        self.changed: set[int] = set()
        self.names: list[str] = []
        self.firsts: set[int] = set()
        self.sprung = ""
        self.phase = ""
        self._seen: Counter[str] = Counter()

    @contextmanager
    def armed(self, phase: str) -> Iterator[None]:
        """Count, and die, inside: one invocation for a phase."""
        self.phase = phase
        self._seen.clear()
        self.firsts.add(len(self.names) + 1)
        try:
            yield
        finally:
            self.phase = ""

    def around(self, name: str, call: Callable[[], T]) -> T:
        """One call, and perhaps the end."""
        if not self.phase:
            return call()
        self._seen[name] += 1
        again = f" #{self._seen[name]}" if self._seen[name] > 1 else ""
        self.names.append(f"{self.phase}: {name}{again}")
        if self.outside:
            return self._watched(self.outside, call)
        here = len(self.names) == self.at
        if here and not self.after:
            self.sprung = f"before {self.names[-1]}"
            raise Died(self.sprung)
        try:
            return call()
        finally:
            if here:
                self.sprung = f"after {self.names[-1]}"
                # also where the call was refused: the answer is lost either way
                raise Died(self.sprung)

    def _watched(self, outside: Callable[[], str], call: Callable[[], T]) -> T:
        number, before = len(self.names), outside()
        try:
            return call()
        finally:
            if outside() != before:
                self.changed.add(number)


class Trapped:
    """Passes everything on, every call through the trap."""

    def __init__(self, inner: Any, trap: Trap, label: str) -> None:
        self._inner, self._trap, self._label = inner, trap, label

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found
        return lambda *given, **named: self._trap.around(f"{self._label}.{name}", lambda: found(*given, **named))
