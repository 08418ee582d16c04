"""One secret of the model of control: versions, overlap, what its runs do to it, and what a diagnosis finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ACCEPTED = {"verdict": "accepted"}
DEAD = {"old_verdict": "refused", "old_code": "28P01", "new_verdict": "accepted", "proof": "dead"}
FACTS = {
    "test": ACCEPTED,
    "health": ACCEPTED,
    "retest": ACCEPTED,
    "prove": DEAD,
    "witness": {"old_verdict": "accepted", "new_verdict": "accepted"},
    "dispose": {"disposed": "destroyed"},
}
# Phase and step of each machine, in order; of a run that is undone, what comes after the steps it has.
STEPS: dict[str, tuple[tuple[str, str], ...]] = {
    "rotate": (
        ("prepare", "stage"),
        ("prepare", "apply"),
        ("prepare", "test"),
        ("promote", "promote"),
        ("bake", "health"),
    ),
    "retire": (("retire", "witness"), ("retire", "revoke"), ("retire", "prove"), ("retire", "dispose")),
    "rollback": (("revert", "reinstate"), ("revert", "retest"), ("revert", "revert")),
    "repair": (("mend", "clear"),),
    "undo": (
        ("roll_back", "restore"),
        ("roll_back", "demote"),
        ("roll_back", "withdraw"),
        ("roll_back", "abandon"),
    ),
}
HEALTHY = {
    "run_id": "",
    "digest": "healthy",
    "diagnoses": [{"kind": "healthy", "says": "all agree", "evidence": [], "action": None, "ask": []}],
}


@dataclass
class Secret:
    """`fails` maps a step to the facts it fails with, `stuck` never ends a run, `refuse` refuses what is asked next.

    findings: what a diagnosis finds until it is mended, one after the other; then all is well. forgotten: control does
    not start the retirement after an emergency. removed: its policy was, while something was open.
    """

    name: str
    overlap_s: int = 0
    current: str = ""
    overlap: dict[str, Any] | None = None
    retired: dict[str, Any] | None = None
    claimed_by: str = ""
    fails: dict[str, dict[str, str]] = field(default_factory=dict)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    refuse: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    stuck: bool = False
    forgotten: bool = False
    removed: bool = False
    digest: str = "d" * 64
    runs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def finding(self) -> dict[str, Any]:
        """What a diagnosis finds now."""
        return {"secret": self.name, **(self.findings[0] if self.findings else HEALTHY)}

    def moved(self, step: str, run: dict[str, Any], facts: dict[str, str]) -> None:
        """Which version is current after a step."""
        if step == "promote":
            facts["version"] = self.current = run["run_id"]
        if step == "demote" and any(done["step"] == "promote" for done in run["steps"]):
            self.current = run["current"]["id"] if run["current"] else ""
        if step == "revert" and (way := self.overlap or self.retired):
            self.current = way["old"]["id"]

    def ended(self, run: dict[str, Any], now: datetime) -> None:
        """What is open after a run that succeeded."""
        if run["machine"] == "repair":
            return
        if run["machine"] == "retire":
            self.retired = {**self.overlap, "disposed": "destroyed"} if self.overlap else None
            self.overlap = None
            return
        old = run["current"]["id"] if run["current"] else ""
        self.overlap = None
        if not old:
            return
        until = now + timedelta(seconds=0 if run["emergency"] else self.overlap_s)
        versions = {"old": {"id": old}, "new": {"id": self.current}, "emergency": run["emergency"]}
        self.overlap = {"run_id": run["run_id"], **versions, "retire_at": until.isoformat(), "old_public": {}}

    def given_up(self) -> dict[str, str]:
        """As rotation/control/giving_up.py: the retirement that holds it is undone, and nothing is started."""
        run = next(run for run in self.runs if run["run_id"] == self.claimed_by)
        run |= {"status": "undone", "direction": "undo"}
        self.claimed_by = ""
        return {"execution": run["execution"], "run_id": run["run_id"], "kind": "undo"}

    def way_back(self) -> dict[str, Any]:
        """As rotation/control/undoable.py: to the old one of the last overlap, unless it leaked or is gone."""
        way = self.overlap or self.retired
        why = "nothing_to_roll_back" if way is None else "old_leaked" if way.get("emergency") else ""
        if way and not why and way.get("disposed", "") not in {"", "kept"}:
            why = "beyond_horizon"
        if way is None or why:
            return {"possible": False, "to": "", "until": "", "limited_by": "", "versions": 0, "why": why}
        until = way["retire_at"] if self.overlap else "next rotation"
        return {
            "possible": True,
            "to": way["old"]["id"],
            "until": until,
            "limited_by": "store",
            "versions": 1,
            "why": "",
        }


def policy_of(secret: Secret) -> dict[str, Any]:
    """The policy in short."""
    return {
        "store": "aws",
        "path": secret.name,
        "credential": "postgres-alternating",
        "cadence": "rate(30 days)",
        "warm_up_s": 1,
        "overlap_s": secret.overlap_s,
        "owner": "payments",
        "runbook": "docs/runbooks/rotation.md",
        "digest": secret.digest,
    }
