"""What control answers to `probe`, parsed: when a rotation comes, whom it meets, and what was seen from inside.

Not here: how it is asked for (`plan_probe`) and how it is shown (`plan_view`).
"""

from __future__ import annotations

from keyturn.answers import Answer, MaybeTime

# Kinds of a consumer, as policies name them.
CLIENT, POLL, CI = "client", "poll", "ci"


class Window(Answer):
    """Hours of a UTC day in which a rotation may start; every day when `days` is empty."""

    opens: int
    hours: int
    days: tuple[str, ...] = ()


class Freeze(Answer):
    """Days on which nothing starts, both included."""

    first: str
    last: str
    why: str = ""


class Approval(Answer):
    """Who agrees first, and how long is waited for it."""

    approvers: tuple[str, ...]
    expires_s: int


class When(Answer):
    """The next rotation. due_at: by the cadence; starts_at: with window, freezes and spread; closes: roll-over.

    by: `ledger` (the sweep's row), `policy` (the sweep has not seen this policy yet), `native` (AWS's own schedule).
    cause: why the last of `failures` runs in a row failed.
    """

    cadence: str
    by: str
    due_at: MaybeTime = None
    starts_at: MaybeTime = None
    closes: MaybeTime = None
    overlap_until: MaybeTime = None
    window: Window | None = None
    freezes: tuple[Freeze, ...] = ()
    approval: Approval | None = None
    failures: int = 0
    cause: str = ""
    under_way: bool = False


class Consumer(Answer):
    """Who reads the credential; `lead_s` is how long it may go on with the old one."""

    name: str
    kind: str
    lead_s: int
    role: str = ""


class Budget(Answer):
    """One bucket of writes: whole tokens there now, how many it holds, how many a second fill it."""

    pool: str
    left: int
    holds: int
    per_s: float


class Held(Answer):
    """What refuses a rotation that a person starts now: window, freezes of the policy, group, parent."""

    reason: str
    message: str
    remedy: str = ""


class Meets(Answer):
    """Whom the rotation meets: readers, relatives, what holds it, and what the stack has left for it now."""

    consumers: tuple[Consumer, ...] = ()
    invalidate: tuple[str, ...] = ()
    acknowledge_s: int = 0
    group: str = ""
    group_busy: str = ""
    parent: str = ""
    parent_waits: bool = False
    held: Held | None = None
    blocked: str = ""
    starts_ready: int | None = None
    budgets: tuple[Budget, ...] = ()


class Check(Answer):
    """One thing a run needs. `ok` is None where it could not be asked, or does not apply."""

    what: str
    ok: bool | None
    says: str
    remedy: str = ""


class Preflight(Answer):
    """Everything about one secret; `when` and `meets` are missing where control itself could not tell."""

    secret: str
    when: When | None = None
    meets: Meets | None = None
    checks: tuple[Check, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether something that a run needs is not there."""
        return any(check.ok is False for check in self.checks)
