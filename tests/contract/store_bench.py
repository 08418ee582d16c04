"""What the store contract needs of each store: fresh secrets, somebody else who writes, a reader, and faults.

Faults are made where every call passes, in the `Caller`, so that each store meets the same ones: the process dies
before or after a call, or the answer to a call that had its effect is lost.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from rotation.calls import Caller, Kind, Meter, NullBreaker
from rotation.contract import Observation, Remembered, SecretRef, SecretStore, Version
from rotation.errors import KeyturnError, Unavailable
from rotation.value import SecretValue

T = TypeVar("T")

# Shows in any text that quotes a value: every value of the suite contains it.
MARKER = "Marker7f3a"


class Crash(BaseException):
    """The process ends here: nothing of ours catches it."""


@dataclass(kw_only=True)
class Fault:
    """One fault: at the `at`-th call from now (1 is the next), before or after its effect."""

    at: int
    after: bool
    error: BaseException
    fired: bool = False


class FaultyCaller(Caller):
    """A caller without pauses whose calls can be made to fail."""

    fault: Fault | None = None
    pauses: list[float]

    def __init__(self, provider: str, translate: Callable[[Exception], KeyturnError | None]) -> None:
        self.pauses = []
        super().__init__(provider, translate=translate, meter=Meter(), breaker=NullBreaker(), sleep=self.pauses.append)

    def crash(self, at: int, *, after: bool) -> Fault:
        """The process dies at that call."""
        self.fault = Fault(at=at, after=after, error=Crash())
        return self.fault

    def lose_answer(self, at: int) -> Fault:
        """That call has its effect, but its answer is lost."""
        self.fault = Fault(at=at, after=True, error=Unavailable("answer_lost", "the answer was lost"))
        return self.fault

    def _once(self, kind: Kind, function: Callable[[], T]) -> T:
        fault = self.fault
        if fault is None or fault.fired:
            return super()._once(kind, function)
        fault.at -= 1
        if fault.at:
            return super()._once(kind, function)
        fault.fired = True
        if fault.after:
            super()._once(kind, function)
        raise fault.error


class StoreBench(Protocol):
    """One store under test."""

    caller: FaultyCaller
    # a secret that was never declared
    absent: SecretRef

    def store(self) -> SecretStore:
        """A new adapter, as every cold function makes one."""
        ...

    def new_secret(self) -> SecretRef:
        """A secret that is declared and has no value yet."""
        ...

    def somebody_writes(self, ref: SecretRef, value: SecretValue) -> None:
        """Make `value` current without Keyturn."""
        ...

    def readers_get(self, ref: SecretRef) -> SecretValue | None:
        """What a reader of current gets, without Keyturn; None when there is nothing."""
        ...

    def versions_made(self, ref: SecretRef) -> int:
        """How many versions this secret has ever had, pending ones included."""
        ...


@dataclass(frozen=True, kw_only=True)
class Life:
    """A rotation so far."""

    run_id: str
    value: SecretValue
    seen: Observation
    staged: Version
    live: Version | None = None

    @property
    def hint(self) -> dict[str, str]:
        """What the ledger remembers of the intent to stage."""
        expected = self.seen.current.id if self.seen.current else ""
        return {"expected": expected, "fingerprint": self.value.fingerprint()}


class Rotations:
    """Rotates one secret and remembers between runs what the ledger would."""

    def __init__(self, bench: StoreBench, ref: SecretRef | None = None) -> None:
        self.bench = bench
        self.ref = ref or bench.new_secret()
        self.store = bench.store()
        self.remembered = Remembered()

    def observe(self) -> Observation:
        """Look, with what is remembered."""
        return self.store.observe(self.ref, self.remembered)

    def stage(self, value: SecretValue, run_id: str = "") -> Life:
        """Look and stage."""
        run_id, seen = run_id or new_run(), self.observe()
        staged = self.store.stage(self.ref, run_id, value, seen)
        return Life(run_id=run_id, value=value, seen=seen, staged=staged)

    def promote(self, life: Life) -> Life:
        """Promote and remember."""
        live = self.store.promote(self.ref, life.run_id, life.staged, life.seen.current)
        self.remembered = Remembered(current=live, pending_token=life.staged.id)
        return replace(life, live=live)

    def rotate(self, value: SecretValue) -> Life:
        """A whole run up to its end."""
        return self.promote(self.stage(value))

    def abandon(self, life: Life) -> None:
        """Compensate and remember."""
        self.store.abandon(self.ref, life.run_id, life.staged)
        self.remembered = replace(self.remembered, pending_token=life.staged.id)


def new_run() -> str:
    """A run's id: 36 characters, as AWS wants a token to have 32 to 64."""
    return str(uuid.uuid4())


def value(name: str, **more: Any) -> SecretValue:
    """A credential whose secret field carries the marker."""
    return SecretValue.of({"password": f"{MARKER}-{name}", "username": "app", **more})
