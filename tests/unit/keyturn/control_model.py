"""A model of the control function for tests of the command: secrets, runs that go on by one step a look, refusals.

It answers in the function's own words (rotation/handlers/control.py, rotation/control/verbs.py) and counts what it was
asked. Time is its own and moves with every question, so that a test never waits for a clock.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from keyturn.answers import Execution
from keyturn.control import READS
from rotation.errors import KeyturnError

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TICK = timedelta(seconds=0.1)
ROTATE_STEPS = (
    ("prepare", "stage"),
    ("prepare", "apply"),
    ("prepare", "test"),
    ("promote", "promote"),
    ("bake", "health"),
)
RETIRE_STEPS = (("retire", "witness"), ("retire", "revoke"), ("retire", "prove"), ("retire", "dispose"))
ACCEPTED = {"verdict": "accepted"}
DEAD = {"old_verdict": "refused", "old_code": "28P01", "new_verdict": "accepted", "proof": "dead"}
FACTS = {
    "test": ACCEPTED,
    "health": ACCEPTED,
    "prove": DEAD,
    "witness": {"old_verdict": "accepted", "new_verdict": "accepted"},
    "dispose": {"disposed": "destroyed"},
}


@dataclass
class Secret:
    """One secret of the model; `fails` maps a step to the facts it fails with, `stuck` never ends a run."""

    name: str
    overlap_s: int = 0
    current: str = ""
    overlap: dict[str, Any] | None = None
    claimed_by: str = ""
    fails: dict[str, dict[str, str]] = field(default_factory=dict)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    refuse: list[str] = field(default_factory=list)
    stuck: bool = False
    digest: str = "d" * 64
    runs: list[dict[str, Any]] = field(default_factory=list)


class ModelControl:
    """A `ControlPort`. `read_only` refuses every verb that is no read; `broken` is raised by every call."""

    def __init__(self, *secrets: Secret, read_only: bool = False) -> None:
        self.secrets = {secret.name: secret for secret in secrets}
        self.asked: list[str] = []
        self.executions: dict[str, Execution] = {}
        self.broken: KeyturnError | None = None
        self.read_only = read_only
        self.now = BEGAN
        self._lock = threading.Lock()

    def ask(self, verb: str, fields: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.asked.append(verb)
            self.now += TICK
            if self.broken:
                raise self.broken
            assert not self.read_only or verb in READS, f"asked to {verb}"
            unknown = [name for name in _names(fields) if name not in self.secrets]
            if unknown:
                return refusal("unknown_secret", f"no policy names the secret `{unknown[0]}`", "list the known ones")
            return {"ok": True, "result": getattr(self, f"_{verb}")(**fields)}

    def execution(self, arn: str) -> Execution:
        self.asked.append("execution")
        return self.executions.get(arn, Execution(status="RUNNING"))

    def run_of(self, run_id: str) -> dict[str, Any]:
        return next(run for secret in self.secrets.values() for run in secret.runs if run["run_id"] == run_id)

    def _rotate(self, secret: str, reason: str, requested_by: str) -> dict[str, str]:
        return self._begin("rotate", secret, reason, requested_by)

    def _retire(self, secret: str, reason: str, requested_by: str) -> dict[str, str]:
        return self._begin("retire", secret, reason, requested_by)

    def _begin(self, machine: str, name: str, reason: str, requested_by: str) -> dict[str, str]:
        secret = self.secrets[name]
        run_id = f"{machine}{len(secret.runs) + 1:x}-{name.replace('/', '-')}"
        execution = f"arn:aws:states:us-east-1:000000000000:execution:keyturn-local-{machine}:{run_id}"
        run = {
            "run_id": run_id,
            "secret": name,
            "machine": machine,
            "execution": execution,
            "policy_digest": secret.digest,
            "reason": reason,
            "requested_by": requested_by,
            "started_at": self.now.isoformat(),
            "ended_at": "",
            "status": "running",
            "failure": {},
            "overlap": secret.overlap if machine == "retire" else None,
            "steps": [],
            "surprise": "a field of a newer function",
        }
        secret.runs.append(run)
        if reason := secret.refuse.pop(0) if secret.refuse else _refused(secret, machine):
            self._end(run, "failed", {"phase": "gate" if machine == "retire" else "claim", "reason": reason})
        return {"execution": execution, "run_id": run_id}

    def _status(self, secrets: list[str]) -> list[dict[str, Any]]:
        return [self._standing(self.secrets[name]) for name in secrets or sorted(self.secrets)]

    def _history(self, secret: str) -> list[dict[str, Any]]:
        return [dict(run) for run in self.secrets[secret].runs]

    def _run(self, run_id: str) -> dict[str, Any]:
        run = self.run_of(run_id)
        if run["status"] == "running":
            self._step_on(self.secrets[run["secret"]], run)
        return {**run, "steps": [dict(step) for step in run["steps"]]}

    def _step_on(self, secret: Secret, run: dict[str, Any]) -> None:
        wanted = ROTATE_STEPS if run["machine"] == "rotate" else RETIRE_STEPS
        if secret.stuck:
            return
        if len(run["steps"]) == len(wanted):
            self._end(run, "succeeded", {})
            return
        phase, name = wanted[len(run["steps"])]
        facts = {"outcome": "passed", **FACTS.get(name, {}), **secret.facts.get(name, {}), **secret.fails.get(name, {})}
        intent = {"from_version": secret.current} if name == "stage" else {}
        if name == "promote":
            facts["version"] = secret.current = run["run_id"]
        began, self.now = self.now, self.now + TICK
        step = {"step": name, "phase": phase, "intent_at": began.isoformat(), "outcome_at": self.now.isoformat()}
        run["steps"].append({**step, "intent": intent, "facts": facts, "calls": {"read": 1}, "attempts": 1})
        if name in secret.fails:
            self._end(run, "failed", {"phase": phase, "reason": facts["reason"]})

    def _end(self, run: dict[str, Any], status: str, failure: dict[str, str]) -> None:
        secret = self.secrets[run["secret"]]
        run |= {"status": status, "failure": failure, "ended_at": self.now.isoformat()}
        if status != "succeeded":
            return
        secret.overlap = None
        old = run["steps"][0]["intent"].get("from_version") if run["machine"] == "rotate" else ""
        if old:
            until = self.now + timedelta(seconds=secret.overlap_s)
            versions = {"old": {"id": old}, "new": {"id": secret.current}}
            secret.overlap = {"run_id": run["run_id"], **versions, "retire_at": until.isoformat(), "old_public": {}}

    def _standing(self, secret: Secret) -> dict[str, Any]:
        head = {
            "epoch": len(secret.runs),
            "run_id": secret.claimed_by,
            "execution": f"arn:{secret.claimed_by}" if secret.claimed_by else "",
            "current": {"id": secret.current, "path": ""} if secret.current else None,
            "pending_token": "",
            "overlap": secret.overlap,
        }
        last = dict(secret.runs[-1]) if secret.runs else None
        return {"secret": secret.name, "policy": _policy(secret), "head": head, "last_run": last}


def refusal(reason: str, message: str = "refused", remedy: str = "") -> dict[str, Any]:
    """Control's answer when it refuses."""
    return {"ok": False, "reason": reason, "message": message, "remedy": remedy}


def _refused(secret: Secret, machine: str) -> str:
    """As rotation/control/claims.py: no rotation while an overlap is open, over or not."""
    return "overlap_open" if machine == "rotate" and secret.overlap else ""


def _names(fields: dict[str, Any]) -> list[str]:
    return [*fields.get("secrets", []), *([fields["secret"]] if "secret" in fields else [])]


def _policy(secret: Secret) -> dict[str, Any]:
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
