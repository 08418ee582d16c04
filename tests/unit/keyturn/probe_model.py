"""What the model of control answers to `probe`: all is well, unless a test changes a part of the answer."""

from __future__ import annotations

from typing import Any

CHECKS = ("function", "ledger", "secret", "value", "target", "authority", "authority at target")
WHEN: dict[str, Any] = {
    "cadence": "rate(30 days)",
    "by": "ledger",
    "due_at": "2026-02-01T00:00:00.000000Z",
    "starts_at": "2026-02-02T08:12:00.000000Z",
    "closes": "2026-02-02T12:00:00.000000Z",
    "overlap_until": "2026-02-03T08:13:00.000000Z",
    "window": {"opens": 8, "hours": 4, "days": ["MON", "TUE"]},
    "freezes": [{"first": "12-24", "last": "12-26", "why": "nobody is there"}],
    "approval": {"approvers": ["security"], "expires_s": 3_600},
    "failures": 0,
    "cause": "",
    "under_way": False,
    "surprise": "a field of a newer function",
}
MEETS: dict[str, Any] = {
    "consumers": [
        {"name": "app", "kind": "client", "lead_s": 0, "role": ""},
        {"name": "gateway", "kind": "poll", "lead_s": 3_600, "role": ""},
        {"name": "jobs", "kind": "ci", "lead_s": 7_200, "role": ""},
    ],
    "invalidate": ["redis", "sqs"],
    "acknowledge_s": 600,
    "group": "databases",
    "group_busy": "",
    "parent": "payments/root",
    "parent_waits": False,
    "blocked": "",
    "starts_ready": 300,
    "budgets": [{"pool": "aws", "left": 8, "holds": 10, "per_s": 40.0}],
}


class ProbeModel:
    """Answers `probe`; a test puts changes of the schedule, of whom it meets, and of checks into it."""

    when: dict[str, Any]
    meets: dict[str, Any]
    missing: dict[str, str]

    def __init__(self) -> None:
        self.when, self.meets, self.missing = {}, {}, {}

    def _probe(self, secret: str) -> dict[str, Any]:
        checks = [
            {"what": what, "ok": what not in self.missing, "says": self.missing.get(what, "can be had"), "remedy": ""}
            for what in CHECKS
        ]
        return {"secret": secret, "when": WHEN | self.when, "meets": MEETS | self.meets, "checks": checks}
