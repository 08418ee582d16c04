"""What a diagnosis is made from, and what it says: the findings of one look, and one thing that is wrong.

Not here: the checks (`diagnosis`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from rotation.inspection import Inspected
from rotation.ledger.records import Head, Run, StepRecord


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """`kind`: slug, a heading of the runbook. `action`: slug of the one safe action, "" for none; `does`: what it does.

    ask: commands that would decide what the evidence does not.
    """

    kind: str
    says: str
    evidence: tuple[str, ...] = ()
    action: str = ""
    does: str = ""
    ask: tuple[str, ...] = ()
    # what the action works on: a run or a version
    subject: str = ""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything a diagnosis is made from. `inspected`: None where the store could not be asked, `trouble` says why.

    trouble_says: the same in the words of whoever refused, with the time until which a circuit breaker is open.

    unfinished: the run that holds the claim. last: the last run. stopped: slug of what stops runs. unrotatable: what
    else would refuse a rotation now, and beyond: the commands that pass it. awaited: consumers for which the end of an
    overlap that is over waits.
    """

    head: Head
    now: str
    table: str
    running: bool = False
    unfinished: Run | None = None
    steps: Mapping[str, StepRecord] = field(default_factory=dict)
    last: Run | None = None
    stopped: str = ""
    inspected: Inspected | None = None
    trouble: str = ""
    trouble_says: str = ""
    # status of the run that staged what is pending, where the ledger knows it
    owner: str = ""
    unrotatable: str = ""
    beyond: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()

    def verdict(self, role: str) -> str:
        """What the target says to the version in a role; "" where nobody could ask."""
        shown = self.inspected["shown"].get(role) if self.inspected else None
        return shown["verdict"] if shown else ""

    def told(self, *roles: str) -> tuple[str, ...]:
        """The versions in these roles, as evidence."""
        shown = self.inspected["shown"] if self.inspected else {}
        return tuple(_sentence(role, shown[role]) for role in roles if role in shown)

    @property
    def current(self) -> str:
        """What readers get."""
        return self.inspected["current"] if self.inspected else ""


def _sentence(role: str, shown: Mapping[str, object]) -> str:
    said = shown["verdict"] or "not readable"
    code = f" ({shown['code']})" if shown["code"] else ""
    return f"{_ROLES[role]}: version {shown['id']}, {said}{code}"


_ROLES = {
    "store": "readers get",
    "ledger": "the ledger's current",
    "staged": "staged by the run",
    "old": "the one before",
    "pending": "pending in the store",
}


def digest(diagnoses: list[Diagnosis]) -> str:
    """What a person saw, so that only that is acted on: SHA-256 in hex.

    Without the evidence of what is not acted on: a provider's trouble is told in other words at each look.
    """
    seen = [{**asdict(one), "evidence": one.evidence if one.action else ()} for one in diagnoses]
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def undecided(found: Findings, kind: str, says: str, evidence: tuple[str, ...]) -> Diagnosis:
    """A diagnosis without an action: the evidence does not decide, these commands would."""
    name = found.head.secret
    ask = ("keyturn doctor", f"keyturn history {name}", "look at who wrote the version in the store's audit log")
    return Diagnosis(kind=kind, says=f"{says}: the evidence does not decide", evidence=evidence, ask=ask)
