"""What the issuer contract needs of a target: a bench that makes issuers for it, fences, and a mark to search for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from rotation.calls import Caller, Meter, NullBreaker
from rotation.contract import CredentialIssuer, Fence, Probe, Verdict
from rotation.value import SecretValue

# Shows in any text that quotes a value: passwords, tokens and keys of the tests that provoke errors contain it.
MARKER = "Marker7f3a"

FIRST = Fence(run_id="run-1", epoch=1)
RETIRE = Fence(run_id="retire-1", epoch=2)
SECOND = Fence(run_id="run-2", epoch=3)
THIRD = Fence(run_id="run-3", epoch=4)


@dataclass
class Made:
    """An issuer with the meter of its calls."""

    issuer: CredentialIssuer
    meter: Meter


class Bench(Protocol):
    """A fresh target and issuers for it."""

    # what the target answers to a credential that it does not accept
    refusal: str

    def make(self, **facts: str) -> Made:
        """A new issuer for this target, with some facts changed."""
        ...

    def nowhere(self) -> Made:
        """An issuer whose target is a port where nobody listens."""
        ...

    def secrets_of(self, value: SecretValue) -> list[str]:
        """The texts in a value that must never be shown."""
        ...

    def marked(self, value: SecretValue) -> SecretValue:
        """The value with MARKER inside each secret field; the target need not accept it."""
        ...

    def log(self) -> str:
        """Everything the target has logged."""
        ...

    @property
    def authority_text(self) -> str:
        """The authority's own secret."""
        ...


def caller_of(issuer_class: Any, meter: Meter) -> Caller:
    """A Caller that does not wait between attempts."""
    return Caller(
        issuer_class.kind,
        translate=issuer_class.translate,
        meter=meter,
        breaker=NullBreaker(),
        sleep=lambda _seconds: None,
    )


def accepted(probe: Probe) -> bool:
    return probe.verdict is Verdict.ACCEPTED
