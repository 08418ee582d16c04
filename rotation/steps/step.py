"""What a step is, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rotation.context import Context
from rotation.phases import Outcome


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """How a step ended: outcome, slug of the reason when it did not pass, facts for the ledger (never a value)."""

    outcome: Outcome = Outcome.PASSED
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def _no_intent(context: Context) -> dict[str, str]:
    del context
    return {}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One row of the registry.

    undoes: the kill switch does not stop it. moves_current: its facts name the version that is current afterwards.
    """

    act: Callable[[Context], StepResult]
    intend: Callable[[Context], dict[str, str]] = _no_intent
    undoes: bool = False
    moves_current: bool = False
