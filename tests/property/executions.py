"""Executions of the state machines as deployed: the generated definitions, walked, each task an invocation of its own.

An execution waits for the answer of its invocation. The invocation can outlive it: when a person aborts the execution,
or when Step Functions takes the call for lost and repeats it, the function works on until its own timeout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rotation.definition import DEFINITIONS
from rotation.errors import KeyturnError
from tests.model.step_functions import InvocationLost, Walker
from tests.property.strands import Strand

CONTROL = "arn:control"


class Aborted(BaseException):
    """A person stopped the execution."""


@dataclass(eq=False)
class Invocation:
    """One call of a function. `began`: seconds of the world when it was called. `awaited`: its answer is wanted."""

    strand: Strand
    began: float
    payload: Mapping[str, Any]
    execution: Execution | None = None
    awaited: bool = True
    retries_spent: bool = False

    @property
    def over(self) -> bool:
        return self.strand.over


class Execution:
    """One execution. `call` begins an invocation, `pauses.advance(seconds)` is a Wait or Retry.

    said: what task tokens were answered, by which it goes on where it `waits_by` one.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what Step Functions is given
        self,
        machine: str,
        arn: str,
        given: Mapping[str, str],
        call: Callable[..., Invocation],
        pauses: Any,
        said: Mapping[str, Any],
    ) -> None:
        self.machine, self.arn = machine, arn
        self.aborted = False
        self.waits_for: Invocation | None = None
        self._call = call
        self.waits_by, self._said = "", said
        walker = Walker(DEFINITIONS[machine](CONTROL), arn, self._invoke, pauses, self._answered)
        self._strand = Strand(arn, lambda: walker.walk(given))
        self.go()

    @property
    def over(self) -> bool:
        return self._strand.over or self.aborted

    @property
    def unwound(self) -> bool:
        """Whether nothing of it is left to go on."""
        return self._strand.over

    def ready(self) -> bool:
        """Whether it can go on: what it waited for has ended, was lost, or it was aborted."""
        waited = self.waits_for
        heard = self.waits_by in self._said if self.waits_by else waited is None or waited.over or not waited.awaited
        return not self._strand.over and (self.aborted or heard)

    def go(self) -> None:
        """To the next invocation, or to its end."""
        self._strand.go()
        if self._strand.over and not isinstance(self._strand.error, Aborted | None):
            raise self._strand.error

    def abort(self) -> None:
        """Stopped by a person. Its invocation goes on without it."""
        self.aborted = True
        if self.waits_for:
            self.waits_for.awaited = False

    def _invoke(self, function: str, payload: Mapping[str, Any]) -> Any:
        del function
        if self.aborted:
            raise Aborted
        self.waits_for = invocation = self._call(payload, self)
        strand = Strand.current()
        assert strand is not None
        strand.pause("an answer")
        self.waits_for = None
        if self.aborted:
            raise Aborted
        return _answer(invocation)

    def _answered(self, token: str) -> Any:
        self.waits_by = token
        strand = Strand.current()
        assert strand is not None
        if token not in self._said:
            strand.pause("an answer to its token")
        self.waits_by = ""
        if self.aborted:
            raise Aborted
        return self._said[token]


def _answer(invocation: Invocation) -> Any:
    error = invocation.strand.error
    if not invocation.over or invocation.retries_spent or (error and not isinstance(error, KeyturnError)):
        if invocation.over and isinstance(error, Exception) and not isinstance(error, KeyturnError):
            raise error
        raise InvocationLost("no answer", retries_spent=invocation.retries_spent)
    if error:
        raise error
    return invocation.strand.result
