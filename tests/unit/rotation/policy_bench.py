"""A good policy of each store, and what policies are compared with in the tests of the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from policy_rules.rule import Abilities, Circumstances
from rotation.capabilities import store_capabilities
from rotation.contract import IssuerCapabilities
from rotation.policy import Consumer, Policy, Target, Waiver

HOUR = 3_600
ISSUER = IssuerCapabilities(overlaps=True, fenced=True, ends_sessions=True, needs_current=True, rollback_horizon=1)
ABILITIES = Abilities(
    stores=store_capabilities(),
    issuers={
        "two-slots": ISSUER,
        "one-slot": replace(ISSUER, overlaps=False),
        "elsewhere": ISSUER,
        "reminder": replace(ISSUER, overlaps=False, has_target=False, rollback_horizon=0),
        "nowhere": replace(ISSUER, overlaps=False, has_target=False),
    },
    served={store: {"two-slots", "one-slot", "nowhere", "reminder"} for store in store_capabilities()},
    runbooks={"docs/runbooks/rotation.md"},
)
TODAY = date(2026, 11, 22)
CIRCUMSTANCES = Circumstances(today=TODAY, alias_lag_s=4 * HOUR, client_poll_s=300)
PATHS = {"aws": "payments/postgres", "vault": "keyturn/partners/token", "gcp": "projects/p/secrets/signing-key"}
AUTHORITIES = {"aws": "authority/postgres", "vault": "keyturn/authority/token", "gcp": "projects/p/secrets/authority"}
CLIENT = Consumer(name="service", kind="client", lead_s=60, role="arn:aws:iam::000000000000:role/service")


class Example(NamedTuple):
    """A rule, a policy that keeps to it, one that does not, the field that is named, and part of what is said."""

    rule: str
    good: Policy
    bad: Policy
    field: str
    said: str


def policy(store: str = "aws", **changes: Any) -> Policy:
    authority = changes.pop("authority", AUTHORITIES.get(store, "authority"))
    good = Policy(
        name="payments/postgres",
        store=store,
        path=PATHS.get(store, "anywhere"),
        credential="two-slots",
        target=Target(facts={}, authority=authority),
        cadence="rate(30 days)",
        warm_up_s=60,
        overlap_s=24 * HOUR,
        owner="payments",
        runbook="docs/runbooks/rotation.md",
    )
    return replace(good, **changes)


def waiver(rule: str, **changes: str) -> Waiver:
    return replace(
        Waiver(rule=rule, why="the job moves in December", owner="payments", expires="2026-12-31"), **changes
    )
