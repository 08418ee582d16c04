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


def _always(context: Context) -> bool:
    del context
    return True


def _harmless(context: Context) -> bool:
    """An effect on one named version that nobody needs any more, or none: it may come late."""
    del context
    return True


def by_target(context: Context) -> bool:
    """The target's generations refuse a late call."""
    return context.issuer.capabilities.fenced


def by_nobody(context: Context) -> bool:
    """A store's write: compare-and-set lets it through once the pointer is back, a token once it was abandoned."""
    del context
    return False


@dataclass(frozen=True, kw_only=True)
class Step:
    """One row of the registry.

    undoes: no switch stops it. moves_current: its facts name the version that is current afterwards. fenced: whether
    store or target would refuse its effect, if it came late and another invocation had gone on meanwhile. applies:
    whether there is anything to do; where there is not, the step leaves no record and costs nothing.
    """

    act: Callable[[Context], StepResult]
    intend: Callable[[Context], dict[str, str]] = _no_intent
    undoes: bool = False
    moves_current: bool = False
    fenced: Callable[[Context], bool] = _harmless
    applies: Callable[[Context], bool] = _always
