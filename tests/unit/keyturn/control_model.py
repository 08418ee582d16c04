"""A model of the control function for tests of the command: secrets, runs that go on by one step a look, refusals.

It answers in the function's own words (rotation/control/table.py and what it names) and counts what it was asked. Time
is its own and moves with every question, so that a test never waits for a clock.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from probe_model import ProbeModel
from refusals import Refusing, refusal
from secret_model import FACTS, STEPS, Secret, policy_of
from switch_model import SwitchModel

from keyturn.answers import Execution
from keyturn.control import READS
from rotation.errors import KeyturnError

__all__ = ["BEGAN", "ModelControl", "Secret", "refusal"]

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TICK = timedelta(seconds=0.1)
# Never stopped by a switch: they only undo or mend.
UNSTOPPED = ("rollback", "repair")


class ModelControl(ProbeModel):
    """A `ControlPort`. `read_only` refuses every verb that is no read; `broken` is raised by every call."""

    def __init__(self, *secrets: Secret, read_only: bool = False) -> None:
        super().__init__()
        self.secrets = {secret.name: secret for secret in secrets}
        self.asked: list[str] = []
        self.fields: list[tuple[str, dict[str, Any]]] = []
        self.executions: dict[str, Execution] = {}
        self.broken: KeyturnError | None = None
        self.read_only = read_only
        self.now = BEGAN
        self.switch = SwitchModel()
        self._lock = threading.Lock()

    def ask(self, verb: str, fields: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.asked.append(verb)
            self.fields.append((verb, fields))
            self.now += TICK
            if self.broken:
                raise self.broken
            assert not self.read_only or verb in READS, f"asked to {verb}"
            unknown = [name for name in _names(fields) if name not in self.secrets]
            if unknown:
                return refusal("unknown_secret", f"no policy names the secret `{unknown[0]}`", "list the known ones")
            try:
                return {"ok": True, "result": getattr(self, f"_{verb}")(**fields)}
            except Refusing as exc:
                return refusal(str(exc))

    def execution(self, arn: str) -> Execution:
        self.asked.append("execution")
        return self.executions.get(arn, Execution(status="RUNNING"))

    def run_of(self, run_id: str) -> dict[str, Any]:
        return next(run for secret in self.secrets.values() for run in secret.runs if run["run_id"] == run_id)

    def halt(self, run_id: str, reason: str = "kill_switch") -> None:
        """Stop a run as the ledger does: it keeps its claim, its execution has failed."""
        run = self.run_of(run_id)
        run |= {"status": "halted", "failure": {"phase": "prepare", "reason": reason}}
        self.secrets[run["secret"]].claimed_by = run_id
        self.executions[run["execution"]] = Execution(status="FAILED", trouble=reason)

    def _rotate(self, secret: str, reason: str, **flags: Any) -> dict[str, str]:
        if flags.get("emergency") and self.secrets[secret].overlap:
            return {**self._overlap_close(secret, reason, **flags), "first": "retire"}
        return self._begin("rotate", secret, reason, **flags)

    def _retire(self, secret: str, reason: str, **flags: Any) -> dict[str, str]:
        return self._begin("retire", secret, reason, **flags)

    def _overlap_close(self, secret: str, reason: str, **flags: Any) -> dict[str, str]:
        overlap = self._open_overlap(secret)
        overlap["retire_at"] = self.now.isoformat()
        return {**self._begin("retire", secret, reason, **flags), "retire_at": overlap["retire_at"]}

    def _overlap_extend(self, secret: str, reason: str, seconds: int) -> dict[str, str]:
        overlap = self._open_overlap(secret)
        ends = datetime.fromisoformat(overlap["retire_at"]) + timedelta(seconds=seconds)
        overlap["retire_at"] = ends.isoformat()
        return {"secret": secret, "retire_at": overlap["retire_at"]}

    def _open_overlap(self, name: str) -> dict[str, Any]:
        secret = self.secrets[name]
        if secret.refuse:
            raise Refusing(secret.refuse.pop(0))
        if not secret.overlap:
            raise Refusing("no_open_overlap")
        return secret.overlap

    def _rollback(self, secret: str, reason: str, agreed: dict[str, str], **flags: Any) -> dict[str, str]:
        known = self.secrets[secret]
        if agreed["run_id"] != known.claimed_by or (not known.claimed_by and agreed["leaves"] != known.current):
            raise Refusing("diagnosis_changed")
        if known.refuse:
            raise Refusing(known.refuse.pop(0))
        if known.claimed_by and self.run_of(known.claimed_by)["machine"] == "retire":
            return known.given_up()
        if known.claimed_by:
            return {**self._continue(self.run_of(known.claimed_by), "undo"), "kind": "undo"}
        return {**self._begin("rollback", secret, reason, **flags), "kind": "rollback"}

    def _resume(self, run_id: str, reason: str, break_glass: bool = False) -> dict[str, str]:
        run = self.run_of(run_id)
        if run["status"] != "halted":
            raise Refusing("run_ended")
        run["break_glass"] = run["break_glass"] or break_glass
        return self._continue(run, run["direction"])

    def _continue(self, run: dict[str, Any], direction: str) -> dict[str, str]:
        """Another execution takes the run over: not yet at the next look, only at the one after it."""
        execution = f"{run['execution']}-again"
        run["next"] = {"execution": execution, "direction": direction, "looks": 1}
        return {"execution": execution, "run_id": run["run_id"]}

    def _begin(self, machine: str, name: str, reason: str, **flags: Any) -> dict[str, str]:
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
            "requested_by": flags.get("requested_by", ""),
            "started_at": self.now.isoformat(),
            "ended_at": "",
            "status": "running",
            "failure": {},
            "current": {"id": secret.current} if secret.current else None,
            "overlap": secret.overlap if machine == "retire" else None,
            "emergency": flags.get("emergency", False),
            "break_glass": flags.get("break_glass", False),
            "direction": "",
            "takeovers": 0,
            "clear": flags.get("clear", ""),
            "steps": [],
            "surprise": "a field of a newer function",
        }
        secret.runs.append(run)
        if refused := self._refused(secret, run):
            status = "reported" if refused == "report_only" else "failed"
            self._end(run, status, {"phase": "gate" if machine == "retire" else "claim", "reason": refused})
        return {"execution": execution, "run_id": run_id}

    def _refused(self, secret: Secret, run: dict[str, Any]) -> str:
        """As rotation/control/claims.py: no rotation while an overlap is open, over or not, or a run unfinished."""
        if secret.refuse:
            return secret.refuse.pop(0)
        if secret.claimed_by and self.run_of(secret.claimed_by)["status"] == "halted":
            return "run_unfinished"
        if run["machine"] == "rotate" and secret.overlap:
            return "overlap_open"
        return self._stopped(run)

    def _stopped(self, run: dict[str, Any]) -> str:
        if run["machine"] in UNSTOPPED or run["direction"]:
            return ""
        return self.switch.stops(run["secret"], self.now, break_glass=run["break_glass"])

    def _status(self, secrets: list[str]) -> list[dict[str, Any]]:
        return [self._standing(self.secrets[name]) for name in secrets or sorted(self.secrets)]

    def _history(self, secret: str) -> list[dict[str, Any]]:
        return [dict(run) for run in self.secrets[secret].runs]

    def _run(self, run_id: str) -> dict[str, Any]:
        known = [run for secret in self.secrets.values() for run in secret.runs if run["run_id"] == run_id]
        if not known:
            raise Refusing("run_unknown")
        run = known[0]
        if "next" in run:
            self._take_over(run)
        elif run["status"] == "running":
            self._step_on(self.secrets[run["secret"]], run)
        return {**run, "steps": [dict(step) for step in run["steps"]]}

    def _take_over(self, run: dict[str, Any]) -> None:
        if run["next"]["looks"]:
            run["next"]["looks"] -= 1
            return
        taken = run.pop("next")
        run |= {"execution": taken["execution"], "direction": taken["direction"], "status": "running", "failure": {}}
        run["takeovers"] += 1

    def _step_on(self, secret: Secret, run: dict[str, Any]) -> None:
        if secret.stuck:
            return
        done = [step["step"] for step in run["steps"]]
        wanted = [one for one in STEPS["undo" if run["direction"] else run["machine"]] if one[1] not in done]
        if not wanted:
            undone = {"phase": "claim", "reason": "undo_asked"}
            self._end(run, "undone" if run["direction"] else "succeeded", undone if run["direction"] else {})
            return
        phase, name = wanted[0]
        if reason := self._stopped(run):
            self.halt(run["run_id"], reason)
            return
        facts = {"outcome": "passed", **FACTS.get(name, {}), **secret.facts.get(name, {}), **secret.fails.get(name, {})}
        intent = {"from_version": secret.current} if name == "stage" else {}
        secret.moved(name, run, facts)
        began, self.now = self.now, self.now + TICK
        step = {"step": name, "phase": phase, "intent_at": began.isoformat(), "outcome_at": self.now.isoformat()}
        run["steps"].append({**step, "intent": intent, "facts": facts, "calls": {"read": 1}, "attempts": 1})
        if name in secret.fails:
            self._end(run, "failed", {"phase": phase, "reason": facts["reason"]})

    def _end(self, run: dict[str, Any], status: str, failure: dict[str, str]) -> None:
        secret = self.secrets[run["secret"]]
        run |= {"status": status, "failure": failure, "ended_at": self.now.isoformat()}
        if secret.claimed_by == run["run_id"]:
            secret.claimed_by = ""
        if status != "succeeded":
            return
        secret.ended(run, self.now)
        if run["emergency"] and run["machine"] == "retire" and not secret.forgotten:
            self._begin("rotate", secret.name, run["reason"], emergency=True)
        elif run["emergency"] and secret.overlap and not secret.forgotten:
            self._begin("retire", secret.name, "overlap over", requested_by="sweep")

    def _diagnose(self, secret: str) -> dict[str, Any]:
        return self.secrets[secret].finding

    def _mend(self, secret: str, digest: str, reason: str) -> dict[str, str]:
        known = self.secrets[secret]
        finding = known.finding
        if finding["digest"] != digest:
            raise Refusing("diagnosis_changed")
        if known.refuse:
            raise Refusing(known.refuse.pop(0))
        action = finding["diagnoses"][0]["action"]
        known.findings.pop(0)
        started = {"execution": "", "run_id": ""}
        if action["name"] in {"resume", "undo"}:
            started = self._continue(self.run_of(known.claimed_by), "undo" if action["name"] == "undo" else "")
        elif action["name"] == "clear":
            started = self._begin("repair", secret, reason, clear="stray")
        return {"secret": secret, "action": action["name"], "says": action["says"], **started}

    def _switch(self) -> dict[str, Any]:
        if self.switch.unreadable:
            raise Refusing("switch_unreadable")
        return self.switch.answer()

    def _engage(self, reason: str) -> dict[str, Any]:
        self.switch.engaged, self.switch.unreadable = True, False
        self.switch.note("engage", reason, "", self.now)
        return self.switch.answer()

    def _release(self, reason: str) -> dict[str, Any]:
        self.switch.engaged, self.switch.unreadable = False, False
        self.switch.note("release", reason, "", self.now)
        return self.switch.answer()

    def _report_only(self, reason: str, *, on: bool) -> dict[str, Any]:
        self.switch.report_only = on
        self.switch.note("report_only", reason, "on" if on else "off", self.now)
        return self.switch.answer()

    def _freeze(self, secrets: list[str], until: str, reason: str) -> dict[str, Any]:
        self.switch.freeze(secrets, until, reason, self.now)
        return self.switch.answer()

    def _unfreeze(self, secrets: list[str], reason: str) -> dict[str, Any]:
        self.switch.unfreeze(secrets, reason, self.now)
        return self.switch.answer()

    def _standing(self, secret: Secret) -> dict[str, Any]:
        claimed = [run for run in secret.runs if run["run_id"] == secret.claimed_by]
        execution = claimed[0]["execution"] if claimed else f"arn:{secret.claimed_by}"
        head = {
            "epoch": len(secret.runs),
            "run_id": secret.claimed_by,
            "execution": execution if secret.claimed_by else "",
            "current": {"id": secret.current, "path": ""} if secret.current else None,
            "pending_token": "",
            "overlap": secret.overlap,
            "retired": secret.retired,
        }
        last = dict(secret.runs[-1]) if secret.runs else None
        freeze = self.switch.freezes.get(secret.name)
        known = {"secret": secret.name, "policy": policy_of(secret), "head": head, "last_run": last}
        return {**known, "removed": secret.removed, "rollback": secret.way_back(), "freeze": freeze}


def _names(fields: dict[str, Any]) -> list[str]:
    return [*fields.get("secrets", []), *([fields["secret"]] if "secret" in fields else [])]
