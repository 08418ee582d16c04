"""Which secrets are Keyturn's already: rotated by a policy of this checkout, or needed by Keyturn itself.

This checkout's policies, not the deployed ones: who writes a policy for what was found must not be told of it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keyturn.policy_files import typed_policies
from keyturn.stack import LOCAL, texts
from rotation.contract import SecretRef
from rotation.errors import Refused
from rotation.policy import Policy
from rotation.stores.vault_value import pending_path
from sandbox.layout import Layout

# AWS appends a hyphen and six characters to a secret's name in its ARN (Secrets Manager user guide).
_ARN = re.compile(r"arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:(?P<name>.+)-[A-Za-z0-9]{6}")
# What the publisher of events logs in with; a secret of the stack, not of a policy.
_EVENTS = "events"
# What control tells approvers with.
_APPROVALS = "approvals"


@dataclass(frozen=True, kw_only=True)
class Known:
    """By store and path as the store lists it. pending: where values wait that a run has staged beside the secret."""

    managed: frozenset[tuple[str, str]]
    authorities: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    pending: frozenset[tuple[str, str]] = frozenset()


def known(stack: str) -> Known:
    """Of the checkout's policies with the stack's facts; Refused `bad_policies`, `bad_configuration`."""
    from infra.config import settings  # noqa: PLC0415  # imports pulumi
    from infra.events import authorities  # noqa: PLC0415
    from infra.names import STORES, Names  # noqa: PLC0415

    configured = texts(stack)
    if stack == LOCAL:
        configured["sandboxFacts"] = str(Layout.from_env().facts)
    found = settings(stack, configured)
    policies = [_resolved(policy, found.facts) for policy in typed_policies()]
    events = [(store, path) for store in STORES for path in authorities(store, Names(found))]
    made = of_policies(policies, events)
    if found.slack_secret:
        made.authorities.setdefault(("aws", found.slack_secret), (_APPROVALS,))
    return made


def _resolved(policy: Policy, facts: Mapping[str, str]) -> Policy:
    try:
        return policy.resolve(facts)
    except Refused:
        # a fact that this stack lacks concerns the target: the place is written in the policy
        return policy


def of_policies(policies: Sequence[Policy], events: Sequence[tuple[str, str]] = ()) -> Known:
    """What the policies and the publisher of events make known."""
    managed, pending = set(), set()
    authorities: dict[tuple[str, str], tuple[str, ...]] = {}
    for policy in policies:
        if isinstance(policy.path, str):
            managed.add((policy.store, _listed(policy.store, policy.path)))
            if policy.store == "vault":
                pending.add((policy.store, pending_path(SecretRef(store="vault", path=policy.path))))
        if policy.target.authority:
            place = (policy.store, _listed(policy.store, policy.target.authority))
            authorities[place] = (*authorities.get(place, ()), policy.name)
    for store, path in events:
        authorities.setdefault((store, _listed(store, path)), (_EVENTS,))
    return Known(managed=frozenset(managed), authorities=authorities, pending=frozenset(pending))


def _listed(store: str, path: str) -> str:
    """A path of a policy as the store lists it."""
    if store == "aws":
        arn = _ARN.fullmatch(path)
        return arn["name"] if arn else path
    return path.rpartition("/")[2] if store == "gcp" else path
